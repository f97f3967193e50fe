"""maintenances that are reminded of, and that recur"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "maintenance_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("users_notice", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("first_start", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=500), nullable=False),
        sa.Column("length_minutes", sa.Integer(), nullable=False),
        sa.Column("remind_minutes", sa.Integer(), nullable=True),
        sa.Column("component_ids", sa.JSON(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_series")),
        sa.UniqueConstraint("code", name=op.f("uq_maintenance_series_code")),
    )
    # Columns are added in place: rebuilding a table on SQLite would delete what points to it.
    op.add_column("incidents", sa.Column("remind_minutes", sa.Integer(), nullable=True))
    op.add_column("incidents", sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incidents", sa.Column("series_id", sa.Integer(), nullable=True))
    op.add_column("incidents", sa.Column("occurs_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_incidents_occurrence", "incidents", ["series_id", "occurs_at"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_incidents_occurrence", table_name="incidents")
    for column in ("occurs_at", "series_id", "remind_at", "remind_minutes"):
        op.drop_column("incidents", column)
    op.drop_table("maintenance_series")
