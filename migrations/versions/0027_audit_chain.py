"""the audit trail is chained, and the database refuses to change it"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_KEPT = ("id", "at", "account_id", "actor", "action", "subject_kind", "origin", "address",
         "previous", "hash")  # fmt: skip
_REFUSAL = "the audit trail is append-only"


def upgrade() -> None:
    # Entries from before have no hash: the chain begins with the first one after.
    for name, length in (("origin", 200), ("address", 200), ("previous", 64), ("hash", 64)):
        op.add_column(
            "audit_entries",
            sa.Column(name, sa.String(length), nullable=False, server_default=""),
        )
    op.add_column("audit_entries", sa.Column("redacted_at", sa.DateTime(timezone=True)))
    op.create_table(
        "audit_checkpoints",
        sa.Column("until_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("until_id", name=op.f("pk_audit_checkpoints")),
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _KEPT)
    op.execute(
        "CREATE TRIGGER audit_entries_change BEFORE UPDATE ON audit_entries "
        f"WHEN NOT ({same} AND NEW.redacted_at IS NOT NULL) "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_removal BEFORE DELETE ON audit_entries "
        "WHEN OLD.id > coalesce((SELECT max(until_id) FROM audit_checkpoints), 0) "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    )
    for what in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_checkpoints_{what.lower()} BEFORE {what} ON audit_checkpoints "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )


def _guard_postgresql() -> None:
    same = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _KEPT)
    op.execute(
        "CREATE FUNCTION refuse_to_change_audit_trail() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN "
        f"IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_entries' THEN "
        f"IF {same} AND NEW.redacted_at IS NOT NULL THEN RETURN NEW; END IF; END IF; "
        "IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_entries' THEN "
        "IF OLD.id <= coalesce((SELECT max(until_id) FROM audit_checkpoints), 0) "
        "THEN RETURN OLD; END IF; END IF; "
        f"RAISE EXCEPTION '{_REFUSAL}'; "
        "END $$"
    )
    for table in ("audit_entries", "audit_checkpoints"):
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_to_change_audit_trail()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_entries_kept ON audit_entries")
        op.execute("DROP TRIGGER audit_checkpoints_kept ON audit_checkpoints")
        op.execute("DROP FUNCTION refuse_to_change_audit_trail")
    else:
        op.execute("DROP TRIGGER audit_entries_change")
        op.execute("DROP TRIGGER audit_entries_removal")
    op.drop_table("audit_checkpoints")
    for name in ("redacted_at", "hash", "previous", "address", "origin"):
        op.drop_column("audit_entries", name)
