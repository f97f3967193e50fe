"""action items of incidents"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "action_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("owner_id", sa.Integer()),
        sa.Column("due_on", sa.Date()),
        sa.Column("priority", sa.String(32), nullable=False),
        sa.Column("link", sa.String(500), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(500), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("reminded_on", sa.Date()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_action_items_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["contacts.id"], name=op.f("fk_action_items_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_items")),
    )
    op.create_index("ix_action_items_due", "action_items", ["state", "due_on"])
    op.create_index(op.f("ix_action_items_incident_id"), "action_items", ["incident_id"])


def downgrade() -> None:
    op.drop_table("action_items")
