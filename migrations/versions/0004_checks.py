"""words that a company keeps inside, and why a text went out nonetheless"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: rebuilding a table on SQLite would delete what points to it.
    op.add_column("pages", sa.Column("own_words", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("messages", sa.Column("override", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("messages", "override")
    op.drop_column("pages", "own_words")
