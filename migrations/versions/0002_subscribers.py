"""subscribers"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _address() -> sa.types.TypeEngine[str]:
    return sa.String(length=320).with_variant(sa.String(length=320, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", _address(), nullable=False),
        sa.Column("address", _address(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("all_components", sa.Boolean(), nullable=False),
        sa.Column("incidents", sa.Boolean(), nullable=False),
        sa.Column("maintenance", sa.Boolean(), nullable=False),
        sa.Column("resolved_only", sa.Boolean(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("address", name=op.f("uq_subscribers_address")),
    )
    op.create_table(
        "subscriber_components",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("component_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["components.id"], name=op.f("fk_subscriber_components_component_id")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_subscriber_components_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "subscriber_id", "component_id", name=op.f("pk_subscriber_components")
        ),
    )
    op.create_index(
        op.f("ix_subscriber_components_component_id"), "subscriber_components", ["component_id"]
    )
    op.create_table(
        "followed_incidents",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_followed_incidents_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_followed_incidents_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "incident_id", name=op.f("pk_followed_incidents")),
    )
    op.create_index(
        op.f("ix_followed_incidents_incident_id"), "followed_incidents", ["incident_id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_followed_incidents_incident_id"), table_name="followed_incidents")
    op.drop_table("followed_incidents")
    op.drop_index(op.f("ix_subscriber_components_component_id"), table_name="subscriber_components")
    op.drop_table("subscriber_components")
    op.drop_table("subscribers")
    # What went to subscribers: the code of before does not know of them.
    theirs = "SELECT id FROM messages WHERE audience = 'subscriber'"
    deliveries = f"SELECT id FROM deliveries WHERE message_id IN ({theirs})"
    op.execute(f"DELETE FROM delivery_events WHERE delivery_id IN ({deliveries})")
    op.execute(f"DELETE FROM deliveries WHERE message_id IN ({theirs})")
    op.execute("DELETE FROM messages WHERE audience = 'subscriber'")
