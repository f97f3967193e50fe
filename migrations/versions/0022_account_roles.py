"""roles of accounts; who could do everything before still can"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("accounts", "invitations"):
        # An account that is added without a role may only read.
        op.add_column(
            table, sa.Column("role", sa.String(32), nullable=False, server_default="viewer")
        )
        op.execute(f"UPDATE {table} SET role = 'admin'")


def downgrade() -> None:
    op.drop_column("invitations", "role")
    op.drop_column("accounts", "role")
