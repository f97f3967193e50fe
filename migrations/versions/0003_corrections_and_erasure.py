"""corrections, erasure, tags and keys for the API"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("beginning", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["accounts.id"], name=op.f("fk_api_keys_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_keys_token_hash")),
    )
    # Columns are added in place: rebuilding a table on SQLite would delete what points to it.
    op.add_column(
        "customers", sa.Column("tags", sa.String(length=500), nullable=False, server_default="")
    )
    op.add_column("messages", sa.Column("replaces_id", sa.Integer(), nullable=True))
    op.add_column("messages", sa.Column("corrects_id", sa.Integer(), nullable=True))
    op.add_column("messages", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_messages_replaces_id"), "messages", ["replaces_id"], unique=True)
    op.create_index(op.f("ix_messages_corrects_id"), "messages", ["corrects_id"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_messages_corrects_id"), table_name="messages")
    op.drop_index(op.f("ix_messages_replaces_id"), table_name="messages")
    for column in ("forgotten_at", "corrects_id", "replaces_id"):
        op.drop_column("messages", column)
    op.drop_column("customers", "tags")
    op.drop_table("api_keys")
