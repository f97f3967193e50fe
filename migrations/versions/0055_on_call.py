"""who is on call, week by week, with swaps; how contacts are reached"""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contacts", sa.Column("reached_by", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "on_call_weeks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("primary_id", sa.Integer()),
        sa.Column("secondary_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["primary_id"], ["contacts.id"], name=op.f("fk_on_call_weeks_primary_id")
        ),
        sa.ForeignKeyConstraint(
            ["secondary_id"], ["contacts.id"], name=op.f("fk_on_call_weeks_secondary_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_weeks")),
        sa.UniqueConstraint("monday", name=op.f("uq_on_call_weeks_monday")),
    )
    op.create_table(
        "on_call_swaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("absent_id", sa.Integer(), nullable=False),
        sa.Column("cover_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["absent_id"], ["contacts.id"], name=op.f("fk_on_call_swaps_absent_id")
        ),
        sa.ForeignKeyConstraint(
            ["cover_id"], ["contacts.id"], name=op.f("fk_on_call_swaps_cover_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_swaps")),
    )


def downgrade() -> None:
    op.drop_table("on_call_swaps")
    op.drop_table("on_call_weeks")
    op.drop_column("contacts", "reached_by")
