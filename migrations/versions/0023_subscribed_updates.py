"""which updates subscribers are emailed, and how often that nothing has changed"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "subscribers",
        sa.Column("updates", sa.String(32), nullable=False, server_default="every"),
    )
    op.add_column(
        "subscribers",
        sa.Column("least_impact", sa.String(32), nullable=False, server_default="none"),
    )
    op.execute("UPDATE subscribers SET updates = 'last' WHERE resolved_only")
    op.drop_column("subscribers", "resolved_only")
    op.add_column(
        "pages",
        sa.Column("no_change_email_minutes", sa.Integer(), nullable=False, server_default="60"),
    )


def downgrade() -> None:
    op.drop_column("pages", "no_change_email_minutes")
    op.add_column(
        "subscribers",
        sa.Column("resolved_only", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute("UPDATE subscribers SET resolved_only = true WHERE updates = 'last'")
    op.drop_column("subscribers", "least_impact")
    op.drop_column("subscribers", "updates")
