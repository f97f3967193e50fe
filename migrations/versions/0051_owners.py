"""owners of components, and the template that an incident was declared from"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

LINES = ("team_channel", "runbook", "vendor_contact")


def upgrade() -> None:
    op.add_column("components", sa.Column("owner_id", sa.Integer()))
    op.add_column("components", sa.Column("stand_in_id", sa.Integer()))
    for name in LINES:
        op.add_column(
            "components", sa.Column(name, sa.String(500), nullable=False, server_default="")
        )
    op.add_column(
        "incidents", sa.Column("template_key", sa.String(64), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("incidents", "template_key")
    for name in (*LINES, "stand_in_id", "owner_id"):
        op.drop_column("components", name)
