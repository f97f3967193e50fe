"""problems that visitors report, where a page takes reports"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "pages",
        sa.Column("takes_reports", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "visitor_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("component_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["components.id"], name=op.f("fk_visitor_reports_component_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor_reports")),
    )
    op.create_index("ix_visitor_reports_lately", "visitor_reports", ["reported_at", "component_id"])


def downgrade() -> None:
    op.drop_table("visitor_reports")
    op.drop_column("pages", "takes_reports")
