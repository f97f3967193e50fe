"""an index of when incidents ended"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_incidents_ended", "incidents", ["visibility", "resolved_at", "begins_at"])


def downgrade() -> None:
    op.drop_index("ix_incidents_ended", table_name="incidents")
