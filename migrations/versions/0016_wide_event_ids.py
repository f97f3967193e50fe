"""events of the mail provider name deliveries by ids as wide as theirs"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhook_events") as batch:
        batch.alter_column(
            "delivery_id", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=True
        )


def downgrade() -> None:
    with op.batch_alter_table("webhook_events") as batch:
        batch.alter_column(
            "delivery_id", existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=True
        )
