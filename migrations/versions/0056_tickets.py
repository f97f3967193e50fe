"""what tickets of incidents say"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("ticket", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("incidents", "ticket")
