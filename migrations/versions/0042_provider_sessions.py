"""which of the provider's sessions a sign-in is of"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_ins", sa.Column("provider_session", sa.String(255)))


def downgrade() -> None:
    op.drop_column("sign_ins", "provider_session")
