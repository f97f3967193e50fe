"""wordings by language, and updates in further languages"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("wordings") as batch:
        batch.add_column(sa.Column("language", sa.String(16), nullable=False, server_default="en"))
    with op.batch_alter_table("incident_updates") as batch:
        batch.add_column(sa.Column("translations", sa.JSON(), nullable=False, server_default="{}"))
    # An edited wording counted in every language: it is in that of the page.
    op.execute(
        "UPDATE wordings SET language = (SELECT language FROM pages WHERE id = 1) "
        "WHERE EXISTS (SELECT 1 FROM pages WHERE id = 1) AND (name LIKE 'public/%' "
        "OR name LIKE 'customer/%' OR name LIKE 'subscriber/%')"
    )


def downgrade() -> None:
    with op.batch_alter_table("incident_updates") as batch:
        batch.drop_column("translations")
    with op.batch_alter_table("wordings") as batch:
        batch.drop_column("language")
