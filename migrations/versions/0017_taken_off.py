"""earlier texts of a post that were taken off the page"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "update_revisions",
        sa.Column("taken_off_because", sa.String(length=500), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("update_revisions", "taken_off_because")
