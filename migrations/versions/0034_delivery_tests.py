"""the nightly tests of delivery"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_tests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("night", sa.String(10), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mail_id", sa.Integer()),
        sa.Column("chat_id", sa.Integer()),
        sa.Column("feed_at", sa.DateTime(timezone=True)),
        sa.Column("feed_reason", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_tests")),
        sa.UniqueConstraint("night", name=op.f("uq_delivery_tests_night")),
    )


def downgrade() -> None:
    op.drop_table("delivery_tests")
