"""where a sign-in comes from, when it was used last, and when its owner was proved last"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Sign-ins from before were never seen in use, so they have ended.
    for name in ("seen_at", "proved_at"):
        column = sa.Column(
            name,
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("'1970-01-01 00:00:00+00:00'")
            if op.get_bind().dialect.name == "postgresql"
            else sa.text("'1970-01-01 00:00:00.000000'"),
        )
        op.add_column("sign_ins", column)
    op.add_column(
        "sign_ins", sa.Column("address", sa.String(200), nullable=False, server_default="")
    )
    op.add_column(
        "sign_ins", sa.Column("browser", sa.String(200), nullable=False, server_default="")
    )


def downgrade() -> None:
    for name in ("browser", "address", "proved_at", "seen_at"):
        op.drop_column("sign_ins", name)
