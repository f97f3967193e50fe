"""pages of providers, and the components that follow them"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_pages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("etag", sa.String(500), nullable=False),
        sa.Column("modified", sa.String(500), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.Column("failure", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_pages")),
        sa.UniqueConstraint("url", name=op.f("uq_provider_pages_url")),
    )
    op.create_table(
        "followed_components",
        sa.Column("component_id", sa.Integer(), nullable=False),
        sa.Column("page_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("told", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["components.id"], name=op.f("fk_followed_components_component_id")
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["provider_pages.id"], name=op.f("fk_followed_components_page_id")
        ),
        sa.PrimaryKeyConstraint("component_id", name=op.f("pk_followed_components")),
    )
    op.create_index(op.f("ix_followed_components_page_id"), "followed_components", ["page_id"])


def downgrade() -> None:
    op.drop_table("followed_components")
    op.drop_table("provider_pages")
