"""maintenance that verifies by itself; occurrences left out of a series"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("verify_minutes", sa.Integer(), nullable=True))
    op.add_column("maintenance_series", sa.Column("verify_minutes", sa.Integer(), nullable=True))
    op.add_column(
        "maintenance_series", sa.Column("exdates", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column(
        "maintenance_series",
        sa.Column("because", sa.String(length=500), nullable=False, server_default=""),
    )


def downgrade() -> None:
    for column in ("because", "exdates", "verify_minutes"):
        op.drop_column("maintenance_series", column)
    op.drop_column("incidents", "verify_minutes")
