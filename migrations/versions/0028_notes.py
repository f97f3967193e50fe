"""notes for colleagues, and how often a level asks for them"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.String(500), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_chat", sa.Boolean(), nullable=False),
        sa.Column("form_key", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_notes_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_incident_notes_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_notes")),
        sa.UniqueConstraint("form_key", name=op.f("uq_incident_notes_form_key")),
    )
    op.create_index(
        "ix_incident_notes_incident_happened", "incident_notes", ["incident_id", "happened_at"]
    )
    op.add_column("severity_levels", sa.Column("note_minutes", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("severity_levels", "note_minutes")
    op.drop_index("ix_incident_notes_incident_happened", table_name="incident_notes")
    op.drop_table("incident_notes")
