"""a second factor: authenticator apps and recovery codes"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("totp_secret", sa.String(255)))
    op.add_column("accounts", sa.Column("totp_since", sa.DateTime(timezone=True)))
    op.add_column(
        "accounts",
        sa.Column("totp_step", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column(
        "sign_ins",
        sa.Column("waits_for_code", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_account_id"), "recovery_codes", ["account_id"])


def downgrade() -> None:
    op.drop_table("recovery_codes")
    op.drop_column("sign_ins", "waits_for_code")
    for name in ("totp_step", "totp_since", "totp_secret"):
        op.drop_column("accounts", name)
