"""messages are found by audience and step"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_messages_audience_step", "messages", ["audience", "step", "id"])


def downgrade() -> None:
    op.drop_index("ix_messages_audience_step", "messages")
