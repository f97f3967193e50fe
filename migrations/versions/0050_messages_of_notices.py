"""notices that are emailed to subscribers and posted to chat"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("emails_subscribers", "posts_to_chat"):
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("notices", column)
    op.add_column("notices", sa.Column("notified_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    for name in ("notified_at", "posts_to_chat", "emails_subscribers"):
        op.drop_column("notices", name)
