"""rules by which alerts set the states of components"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "state_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("component_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("delay_minutes", sa.Integer(), nullable=False),
        sa.Column("quiet_minutes", sa.Integer(), nullable=False),
        sa.Column("most_per_hour", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True)),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["components.id"], name=op.f("fk_state_rules_component_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["alert_sources.id"], name=op.f("fk_state_rules_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_rules")),
        sa.UniqueConstraint("component_id", name=op.f("uq_state_rules_component_id")),
    )


def downgrade() -> None:
    op.drop_table("state_rules")
