"""Accounts of the admin, their invitations and sign-ins, and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint, false, select, text
from sqlalchemy.orm import Mapped, column_property, foreign, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import AccountRole, KeyScope
from statuspage.models.columns import Address, Key, Name
from statuspage.models.contact import Contact


class Account(Base):
    """Somebody who may sign in to the admin."""

    __tablename__ = "accounts"

    id: Mapped[Key]
    email: Mapped[Address] = mapped_column(unique=True)
    name: Mapped[Name]
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[AccountRole] = mapped_column(server_default=AccountRole.VIEWER.value)
    # Printed by a command instead of chosen by its owner.
    password_is_temporary: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The secret shared with an authenticator app, encrypted; it counts from `totp_since` on.
    totp_secret: Mapped[str | None] = mapped_column(String(255))
    totp_since: Mapped[datetime | None]
    # The half minute of the last code that was taken, so that none is taken twice.
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    # Where its owner's times are shown and typed; None is the page's.
    time_zone: Mapped[str | None] = mapped_column(String(64))
    # Dates and times of day are written as in that language.
    date_language: Mapped[str] = mapped_column(String(16), default="en", server_default="en")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    disabled_at: Mapped[datetime | None]

    contact: Mapped[Contact | None] = relationship()

    if TYPE_CHECKING:
        # Whether it has a passkey, read with the account; see below.
        has_passkey: bool


class Passkey(Base):
    """A key pair of an authenticator, of which we keep the public half (WebAuthn level 3)."""

    __tablename__ = "passkeys"

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[Name]
    # As browsers write it: base64url.
    credential: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes]
    # Grows with each use, where the authenticator counts: one that does not was copied.
    uses: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    used_at: Mapped[datetime | None]


Account.has_passkey = column_property(  # type: ignore[assignment]
    select(Passkey.id).where(Passkey.account_id == Account.id).correlate_except(Passkey).exists()
)


class RecoveryCode(Base):
    """What stands for a lost phone, once; kept as a hash."""

    __tablename__ = "recovery_codes"

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class LinkedIdentity(Base):
    """Who an account's owner is at an OpenID Connect provider: its subject, which never changes."""

    __tablename__ = "linked_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Invitation(Base):
    """A link that lets one person make an account, or choose a new password; kept as a hash."""

    __tablename__ = "invitations"

    id: Mapped[Key]
    email: Mapped[Address]
    # Of the account that it makes; one that is there keeps its own.
    role: Mapped[AccountRole] = mapped_column(server_default=AccountRole.VIEWER.value)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class SignIn(Base):
    """One signed-in browser; ends by itself, or by signing out."""

    __tablename__ = "sign_ins"

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    ends_at: Mapped[datetime]
    # Written down at most once a minute.
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    # When somebody last showed the password or another factor.
    proved_at: Mapped[datetime] = mapped_column(default=clock.now)
    address: Mapped[Name] = mapped_column(default="")
    browser: Mapped[Name] = mapped_column(default="")
    # The password was right; nothing opens before the second factor is, too.
    waits_for_code: Mapped[bool] = mapped_column(default=False, server_default=false())

    # What the provider signed, for a sign-in by single sign-on while it lasts: signing out says it.
    id_token: Mapped[str | None] = mapped_column(Text)
    # Which of the provider's sessions that is (`sid`), where it says so.
    provider_session: Mapped[str | None] = mapped_column(String(255))

    account: Mapped[Account] = relationship()


class ApiKey(Base):
    """A key that one of the company's own tools acts by; the key itself is not kept."""

    __tablename__ = "api_keys"

    id: Mapped[Key]
    name: Mapped[Name]
    # How the key begins, so that people can tell one from another.
    beginning: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    # Written down at most once a minute.
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    # What it may do: the values of KeyScope.  Keys from before there were scopes keep customers.
    scopes: Mapped[list[Any]] = mapped_column(
        default=lambda: [KeyScope.CUSTOMERS.value], server_default=text("'[\"customers\"]'")
    )
    # Who is asked about it; without a foreign key, as columns added to a table of SQLite are.
    owner_id: Mapped[int | None]

    owner: Mapped[Account | None] = relationship(
        primaryjoin=lambda: foreign(ApiKey.owner_id) == Account.id, viewonly=True
    )
