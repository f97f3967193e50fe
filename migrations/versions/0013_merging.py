"""incidents that turned out to be part of another"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("merged_into", sa.String(length=12), nullable=True))
    op.add_column(
        "incidents",
        sa.Column("concerns_all", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    for column in ("concerns_all", "merged_into"):
        op.drop_column("incidents", column)
