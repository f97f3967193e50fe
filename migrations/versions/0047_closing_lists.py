"""closing lists and review templates of each scheme; action items that a form makes once"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_OF_SCHEME = "update wordings set name = 'internal/review/' || (select scheme from pages limit 1)"
_OF_ALL = "update wordings set name = 'internal/review'"


def upgrade() -> None:
    op.add_column(
        "pages", sa.Column("closing_lists", sa.JSON(), nullable=False, server_default="{}")
    )
    op.add_column("action_items", sa.Column("form_key", sa.String(64)))
    op.create_index(op.f("ix_action_items_form_key"), "action_items", ["form_key"], unique=True)
    op.execute(f"{_OF_SCHEME} where name = 'internal/review' and exists (select 1 from pages)")


def downgrade() -> None:
    op.execute(f"{_OF_ALL} where name like 'internal/review/%'")
    op.drop_index(op.f("ix_action_items_form_key"), "action_items")
    op.drop_column("action_items", "form_key")
    op.drop_column("pages", "closing_lists")
