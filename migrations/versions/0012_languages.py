"""mail in the recipient's language"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("language", sa.String(length=16), nullable=False, server_default=""),
    )
    op.add_column("messages", sa.Column("versions", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("messages", "versions")
    op.drop_column("deliveries", "language")
