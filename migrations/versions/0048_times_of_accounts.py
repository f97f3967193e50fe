"""a time zone and a language of dates for each account"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("time_zone", sa.String(64)))
    op.add_column(
        "accounts",
        sa.Column("date_language", sa.String(16), nullable=False, server_default="en"),
    )


def downgrade() -> None:
    op.drop_column("accounts", "date_language")
    op.drop_column("accounts", "time_zone")
