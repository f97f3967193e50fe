"""the log of states read from its index alone"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_component_changes_log", "component_changes", ["component_id", "at", "status"]
    )
    op.drop_index("ix_component_changes_component_at", table_name="component_changes")


def downgrade() -> None:
    op.create_index(
        "ix_component_changes_component_at", "component_changes", ["component_id", "at"]
    )
    op.drop_index("ix_component_changes_log", table_name="component_changes")
