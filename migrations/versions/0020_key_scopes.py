"""what an API key may do, until when, and who is asked about it"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "api_keys",
        sa.Column("scopes", sa.JSON(), nullable=False, server_default=sa.text("'[\"customers\"]'")),
    )
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("owner_id", sa.Integer(), nullable=True))
    op.execute("UPDATE api_keys SET owner_id = created_by_id")


def downgrade() -> None:
    op.drop_column("api_keys", "owner_id")
    op.drop_column("api_keys", "expires_at")
    op.drop_column("api_keys", "scopes")
