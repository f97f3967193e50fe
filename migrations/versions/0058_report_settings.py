"""what monthly reports hold uptime against"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    settings = sa.Column("report_settings", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("pages", settings)


def downgrade() -> None:
    op.drop_column("pages", "report_settings")
