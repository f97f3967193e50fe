"""whom an update notifies"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ELSEWHERE = "SELECT id FROM incidents WHERE origin IS NOT NULL"


def upgrade() -> None:
    op.add_column(
        "incident_updates",
        sa.Column("notifies", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column(
        "incident_updates", sa.Column("left_out", sa.JSON(), nullable=False, server_default="{}")
    )
    # What was imported was told elsewhere: nobody was notified from here.
    op.execute(
        "UPDATE incident_updates SET notifies = false "
        f"WHERE form_key IS NULL AND incident_id IN ({_ELSEWHERE})"
    )


def downgrade() -> None:
    op.drop_column("incident_updates", "left_out")
    op.drop_column("incident_updates", "notifies")
