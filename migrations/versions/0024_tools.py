"""what tools say of an incident: its impact, its data, and who starts and ends a maintenance"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("auto_starts", "auto_ends"):
        op.add_column(
            "incidents", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true())
        )
    op.add_column("incidents", sa.Column("impact_override", sa.String(32), nullable=True))
    op.add_column(
        "incidents", sa.Column("tool_data", sa.JSON(), nullable=False, server_default="{}")
    )


def downgrade() -> None:
    for name in ("tool_data", "impact_override", "auto_ends", "auto_starts"):
        op.drop_column("incidents", name)
