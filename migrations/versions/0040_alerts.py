"""alerts, their sources, and what they suggest"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_sources",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("tool", sa.String(32), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("signing_secret", sa.String(1000)),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("severity_rules", sa.Text(), nullable=False),
        sa.Column("component_rules", sa.Text(), nullable=False),
        sa.Column("left_out", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_alert_sources_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_sources")),
        sa.UniqueConstraint("key_id", name=op.f("uq_alert_sources_key_id")),
    )
    op.create_table(
        "suggestions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("group_hash", sa.String(64), nullable=False),
        sa.Column("component_id", sa.Integer()),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("severity_rank", sa.Integer()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("firing", sa.Integer(), nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True)),
        sa.Column("incident_id", sa.Integer()),
        sa.Column("decided_by", sa.String(500), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["source_id"], ["alert_sources.id"], name=op.f("fk_suggestions_source_id")
        ),
        sa.ForeignKeyConstraint(
            ["component_id"], ["components.id"], name=op.f("fk_suggestions_component_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_suggestions_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
        sa.UniqueConstraint("code", name=op.f("uq_suggestions_code")),
    )
    op.create_index(
        "ix_suggestions_group", "suggestions", ["source_id", "group_hash", "component_id"]
    )
    op.create_index("ix_suggestions_state", "suggestions", ["state", "last_at"])
    op.create_index(op.f("ix_suggestions_incident_id"), "suggestions", ["incident_id"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("suggestion_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("fires", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["alert_sources.id"], name=op.f("fk_alerts_source_id")
        ),
        sa.ForeignKeyConstraint(
            ["suggestion_id"], ["suggestions.id"], name=op.f("fk_alerts_suggestion_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint(
            "source_id", "fingerprint", name=op.f("uq_alerts_source_id_fingerprint")
        ),
    )
    op.create_index(op.f("ix_alerts_suggestion_id"), "alerts", ["suggestion_id"])


def downgrade() -> None:
    op.drop_table("alerts")
    op.drop_table("suggestions")
    op.drop_table("alert_sources")
