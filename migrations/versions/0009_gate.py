"""how long a fix is watched, and why an incident was resolved although something did not hold"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("severity_levels", sa.Column("watch_minutes", sa.Integer(), nullable=True))
    op.add_column(
        "incident_updates", sa.Column("gate", sa.JSON(), nullable=False, server_default="{}")
    )


def downgrade() -> None:
    op.drop_column("incident_updates", "gate")
    op.drop_column("severity_levels", "watch_minutes")
