"""People: colleagues who can be named or sign in, and customers who must be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.models.columns import Address, Key, Line, Name


class Contact(Base):
    """A colleague who can be named on an incident."""

    __tablename__ = "contacts"

    id: Mapped[Key]
    name: Mapped[Name]
    role: Mapped[Line]
    email: Mapped[Line]
    chat_handle: Mapped[Line]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]


class Account(Base):
    """Somebody who may sign in to the admin."""

    __tablename__ = "accounts"

    id: Mapped[Key]
    email: Mapped[Address] = mapped_column(unique=True)
    name: Mapped[Name]
    password_hash: Mapped[str] = mapped_column(String(255))
    # Printed by a command instead of chosen by its owner.
    password_is_temporary: Mapped[bool] = mapped_column(default=False, server_default=false())
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    disabled_at: Mapped[datetime | None]

    contact: Mapped[Contact | None] = relationship()


class Invitation(Base):
    """A link that lets one person make an account, or choose a new password; kept as a hash."""

    __tablename__ = "invitations"

    id: Mapped[Key]
    email: Mapped[Address]
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

    account: Mapped[Account] = relationship()


class ApiKey(Base):
    """A key that a tool of the company's own keeps customers by; the key itself is not kept."""

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

    created_by: Mapped[Account | None] = relationship()


class Customer(Base):
    """Somebody the company must tell, from its own list.

    ``address`` is the normalised form of ``email`` that decides who is who.
    """

    __tablename__ = "customers"

    id: Mapped[Key]
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    email: Mapped[Address]
    address: Mapped[Address] = mapped_column(unique=True)
    name: Mapped[Line]
    company: Mapped[Line]
    language: Mapped[str] = mapped_column(String(16), default="en")
    time_zone: Mapped[str | None] = mapped_column(String(64))
    # Words to find them by, in lower case, sorted and parted by "; ".
    tags: Mapped[Line]
    # True where no component is named: then every incident concerns them.
    all_components: Mapped[bool] = mapped_column(default=True)
    # Notices owed by contract reach them even where they left the voluntary ones.
    contractual: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    components: Mapped[list[CustomerComponent]] = relationship(
        cascade="all, delete-orphan", order_by="CustomerComponent.component_id"
    )


class CustomerComponent(Base):
    """A component that a customer uses."""

    __tablename__ = "customer_components"

    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True
    )
    component_id: Mapped[int] = mapped_column(
        ForeignKey("components.id"), primary_key=True, index=True
    )


class Suppression(Base):
    """An address that nothing is sent to, and why.

    ``kind`` is ``bounced``, ``complained`` or ``unsubscribed``; a contractual notice reaches those
    who only unsubscribed.  Where it is ``erased``, the address is only its keyed hash.
    """

    __tablename__ = "suppressions"

    address: Mapped[Address] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    reason: Mapped[Line]
    at: Mapped[datetime] = mapped_column(default=clock.now)
