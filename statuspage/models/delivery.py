"""Deliveries: one row for each recipient of a message, and all that the outbox knows of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    and_,
    exists,
    false,
    literal_column,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import Channel, DeliveryState
from statuspage.models.columns import Address, BigKey, Line, Name, Prose
from statuspage.models.message import Message

LANE_URGENT = 0
LANE_NORMAL = 1


def _partial(name: str, state: str, *columns: str) -> Index:
    """An index over the rows of one state only: its cost does not grow with history."""
    where = text(f"state = '{state}'")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class Delivery(Base):
    """One message to one recipient over one channel.

    Its Message-ID and its unsubscribe link are computed from its id, so each attempt has the same.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # Address first, so that it also finds all that went to somebody.
        UniqueConstraint("address", "channel", "step_key"),
        _partial("ix_deliveries_pending", "pending", "channel", "lane", "due_at", "id"),
        _partial("ix_deliveries_sending", "sending", "attempt_id"),
        _partial("ix_deliveries_uncertain", "uncertain", "due_at"),
        Index("ix_deliveries_message_state", "message_id", "state"),
    )

    id: Mapped[BigKey]
    # No foreign keys from here on: checking one for each of 100,000 recipients takes longer than
    # writing them, and what they point to is never deleted.
    message_id: Mapped[int]
    # Which step this belongs to; with channel and address it makes queueing twice add nothing.
    step_key: Mapped[str] = mapped_column(String(64))
    channel: Mapped[Channel]
    # Normalised; ``email`` is the address as it was given to us.
    address: Mapped[Address]
    email: Mapped[Address]
    name: Mapped[Line]
    time_zone: Mapped[str | None] = mapped_column(String(64))
    # As the recipient's own row has it; empty for the message's.
    language: Mapped[str] = mapped_column(String(16), default="")
    # The list entry that was reached; kept without a foreign key, because proof outlives people.
    customer_id: Mapped[int | None]
    # Which rule reached them, for people: "Customer of Checkout".
    why: Mapped[Line]

    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    reason: Mapped[Line]
    lane: Mapped[int] = mapped_column(default=LANE_NORMAL)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    # The attempt that is sending it: only that one may write the outcome.
    attempt_id: Mapped[str | None] = mapped_column(String(36))
    provider_id: Mapped[Line]
    queued_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def recipient(self) -> str:
        """The address for people, or what is left of it."""
        return self.email or f"erased address {self.address.removeprefix('erased:')[:12]}"

    message: Mapped[Message] = relationship(
        primaryjoin=lambda: foreign(Delivery.message_id) == Message.id
    )


def in_state(state: DeliveryState) -> ColumnElement[bool]:
    """The condition that a delivery is in ``state``, written so that its partial index serves it.

    SQLite takes a partial index only where the value stands in the statement itself
    (https://www.sqlite.org/partialindex.html): a bound parameter would scan all of history.
    """
    return Delivery.state == literal_column(f"'{state.value}'", Delivery.state.type)


def was_uncertain() -> ColumnElement[bool]:
    """The condition that a delivery may have been sent once, whatever it is by now."""
    return exists().where(
        DeliveryEvent.delivery_id == Delivery.id, DeliveryEvent.state == DeliveryState.UNCERTAIN
    )


def was_sent() -> ColumnElement[bool]:
    """The condition that its recipient was sent a delivery, or may have been.

    That may be so too where it waits to be sent once more, or was given up since.
    """
    sent = (
        DeliveryState.SENDING,
        DeliveryState.UNCERTAIN,
        DeliveryState.ACCEPTED,
        DeliveryState.DELIVERED,
    )
    open_again = (DeliveryState.PENDING, DeliveryState.SUPERSEDED, DeliveryState.EXPIRED)
    return or_(Delivery.state.in_(sent), and_(Delivery.state.in_(open_again), was_uncertain()))


class DeliveryEvent(Base):
    """One state that a delivery reached, with its time and reason; never overwritten."""

    __tablename__ = "delivery_events"

    id: Mapped[BigKey]
    delivery_id: Mapped[int] = mapped_column(BigInteger, index=True)
    at: Mapped[datetime]
    state: Mapped[DeliveryState]
    reason: Mapped[Line]
    attempt: Mapped[str] = mapped_column(String(36), default="")


class WebhookEvent(Base):
    """An event that the mail provider reported, once; folded into its delivery afterwards."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        Index(
            "ix_webhook_events_waiting",
            "received_at",
            sqlite_where=text("folded_at IS NULL"),
            postgresql_where=text("folded_at IS NULL"),
        ),
    )

    event_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    delivery_id: Mapped[int | None] = mapped_column(BigInteger)
    attempt: Mapped[str] = mapped_column(String(36), default="")
    kind: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(320), default="")
    reason: Mapped[Prose]
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    folded_at: Mapped[datetime | None]


class Attempt(Base):
    """A claim of a batch by one worker, and whether its provider call had begun."""

    __tablename__ = "attempts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    worker_id: Mapped[int] = mapped_column(BigInteger, index=True)
    channel: Mapped[Channel]
    claimed_at: Mapped[datetime]
    called_at: Mapped[datetime | None]


class ChatThread(Base):
    """The thread of one incident in one chat room, by the provider's id of its first message."""

    __tablename__ = "chat_threads"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    room: Mapped[str] = mapped_column(String(64), primary_key=True)
    first: Mapped[str] = mapped_column(String(64))
    # What the first message was posted with, and the headline that it shows by now.
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"))
    headline: Mapped[Line]
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Whether its first message is pinned, and the incident's own channel, if one was opened.
    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())
    channel: Mapped[str] = mapped_column(String(64), default="", server_default="")


class Hold(Base):
    """A stop that a person (or a restore) put on the outbox, until somebody releases it."""

    __tablename__ = "holds"

    channel: Mapped[Name] = mapped_column(primary_key=True)
    reason: Mapped[Line]
    at: Mapped[datetime] = mapped_column(default=clock.now)


class Breaker(Base):
    """Whether a channel is given a rest after failures, until when, and why."""

    __tablename__ = "breakers"

    channel: Mapped[Name] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[datetime | None]
    reason: Mapped[Line]
