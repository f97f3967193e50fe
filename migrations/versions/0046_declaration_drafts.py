"""drafts of declarations"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "declaration_drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("form_key", sa.String(64), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_declaration_drafts_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declaration_drafts")),
        sa.UniqueConstraint("form_key", name=op.f("uq_declaration_drafts_form_key")),
    )


def downgrade() -> None:
    op.drop_table("declaration_drafts")
