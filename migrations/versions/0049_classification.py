"""tags of incidents, and categories of causes"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

USUAL_CAUSES = """Software defect
Deployment
Configuration
Capacity
Infrastructure
Network
Third party
Data
Security
Human error"""


def upgrade() -> None:
    op.add_column(
        "incidents",
        sa.Column("cause_category", sa.String(200), nullable=False, server_default=""),
    )
    op.add_column(
        "pages",
        sa.Column("cause_categories", sa.Text(), nullable=False, server_default=USUAL_CAUSES),
    )
    op.create_table(
        "incident_tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_tags_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_tags")),
        sa.UniqueConstraint("incident_id", "tag", name=op.f("uq_incident_tags_incident_id_tag")),
    )
    op.create_index(op.f("ix_incident_tags_tag"), "incident_tags", ["tag"])


def downgrade() -> None:
    op.drop_table("incident_tags")
    op.drop_column("pages", "cause_categories")
    op.drop_column("incidents", "cause_category")
