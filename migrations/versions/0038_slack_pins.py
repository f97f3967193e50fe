"""what is pinned in Slack, and channels of incidents"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "chat_threads",
        sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "chat_threads", sa.Column("channel", sa.String(64), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("chat_threads", "channel")
    op.drop_column("chat_threads", "pinned")
