"""the checklist after set-up can be hidden"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pages", sa.Column("checklist_dismissed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("pages", "checklist_dismissed_at")
