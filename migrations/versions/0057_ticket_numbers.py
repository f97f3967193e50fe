"""numbers of incidents, by ranges"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("number", sa.String(64)))
    op.create_index("ix_incidents_number", "incidents", ["number"], unique=True)
    op.execute("UPDATE incidents SET number = origin_id WHERE origin = 'ticket'")
    op.add_column(
        "pages", sa.Column("ticket_numbers", sa.Text(), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("pages", "ticket_numbers")
    op.drop_index("ix_incidents_number", "incidents")
    op.drop_column("incidents", "number")
