"""why no update was promised, what remains after the end, and drills"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: rebuilding a table on SQLite would delete what points to it.
    op.add_column(
        "incident_updates",
        sa.Column("no_promise_because", sa.String(length=500), nullable=False, server_default=""),
    )
    op.add_column("incidents", sa.Column("closing", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("incidents", sa.Column("review_owner_id", sa.Integer(), nullable=True))
    op.add_column(
        "incidents", sa.Column("is_drill", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "incidents", sa.Column("drill_list", sa.JSON(), nullable=False, server_default="[]")
    )


def downgrade() -> None:
    for column in ("drill_list", "is_drill", "review_owner_id", "closing"):
        op.drop_column("incidents", column)
    op.drop_column("incident_updates", "no_promise_because")
