"""Customers of the company's own list, and addresses that nothing is sent to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.models.columns import Address, Key, Line


class Customer(Base):
    """A recipient from the company's own list.

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
