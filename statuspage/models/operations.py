"""What operations need: revision, workers, counters, alarms, throttles and the audit trail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.models.columns import BigKey, Facts, Key, Line, Name, Prose


class Revision(Base):
    """A single row whose number moves whenever something that the public may see has changed."""

    __tablename__ = "revisions"

    id: Mapped[Key]
    number: Mapped[int] = mapped_column(default=1)
    at: Mapped[datetime] = mapped_column(default=clock.now)


class Worker(Base):
    """A worker process and its last sign of life.

    On PostgreSQL its id is also the advisory lock that its connection holds: while the lock is
    taken the worker lives, and its attempts are nobody else's.
    """

    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    host: Mapped[Name]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]


class Counter(Base):
    """A number that only grows, for metrics: ``attempts:email``."""

    __tablename__ = "counters"

    name: Mapped[Name] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


class Alarm(Base):
    """Something an operator must see; cleared when it is over."""

    __tablename__ = "alarms"

    key: Mapped[Name] = mapped_column(primary_key=True)
    text: Mapped[Prose]
    raised_at: Mapped[datetime] = mapped_column(default=clock.now)
    cleared_at: Mapped[datetime | None]


class DeliveryTest(Base):
    """A night's test: which messages it sent, what of it worked and when, and why it failed."""

    __tablename__ = "delivery_tests"

    id: Mapped[Key]
    # The day in the page's zone, ISO 8601: whoever writes it first does the night's test.
    night: Mapped[str] = mapped_column(String(10), unique=True)
    started_at: Mapped[datetime]
    # Without foreign keys: None where no mailbox, or no room, is named.
    mail_id: Mapped[int | None]
    chat_id: Mapped[int | None]
    feed_at: Mapped[datetime | None]
    feed_reason: Mapped[Prose]
    finished_at: Mapped[datetime | None]
    failure: Mapped[Prose]

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        if self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Throttle(Base):
    """How often something was tried within a window of time."""

    __tablename__ = "throttles"

    key: Mapped[Name] = mapped_column(primary_key=True)
    window_start: Mapped[datetime]
    count: Mapped[int] = mapped_column(default=0)


class AuditEntry(Base):
    """Who did what, when, from where and with what, and how things stood before and after.

    Append-only: triggers refuse changes, except that an erasure redacts, and removals, except up to
    a checkpoint.  Each is chained to the one before (:mod:`statuspage.access.audit_chain`); entries
    from before there was a chain have no hash.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_subject", "subject_kind", "subject"),
        Index("ix_audit_entries_at", "at"),
    )

    id: Mapped[BigKey]
    at: Mapped[datetime] = mapped_column(default=clock.now)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    actor: Mapped[Name]
    action: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str] = mapped_column(String(64))
    subject: Mapped[Line]
    before: Mapped[Facts | None]
    after: Mapped[Facts | None]
    # With what: a session, a key, a command, the worker.
    origin: Mapped[Name] = mapped_column(default="")
    address: Mapped[Name] = mapped_column(default="")
    previous: Mapped[str] = mapped_column(String(64), default="")
    hash: Mapped[str] = mapped_column(String(64), default="")
    redacted_at: Mapped[datetime | None]


class AuditCheckpoint(Base):
    """Where the audit trail begins, after older entries were removed: signed with SECRET_KEY."""

    __tablename__ = "audit_checkpoints"

    until_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    entries: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[str] = mapped_column(String(64))
