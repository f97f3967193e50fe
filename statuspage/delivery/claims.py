"""Claims: which worker has which deliveries in hand.

A claim is one row (:class:`~statuspage.models.Attempt`) that the claimed deliveries point to; only
who still owns them may write what became of them.  Whether its worker lives is not guessed from a
clock: on PostgreSQL a worker's connection holds an advisory lock named by its id, which the
database drops the moment the process dies and keeps while it is merely stopped; on SQLite the one
worker that may run holds a file lock, so every other worker's claim is an orphan.
"""

from __future__ import annotations

import secrets
import socket
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import among, count_written, current_session, writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import superseded
from statuspage.delivery.control import is_held, limit_rests, may_send
from statuspage.delivery.retry import event_wait, put_off
from statuspage.models import Attempt, Delivery, Worker
from statuspage.models.delivery import in_state


@dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery in hand."""

    id: int
    address: str
    email: str
    name: str
    time_zone: str | None
    language: str
    customer_id: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch in hand: deliveries of one message in one language over one channel.

    They have one attempt id.
    """

    attempt_id: str
    channel: Channel
    message_id: int
    deliveries: tuple[Claimed, ...]


def new_worker_id() -> int:
    """A random id that PostgreSQL takes as the key of an advisory lock (63 bits)."""
    return secrets.randbits(62) + 1


def claim(worker_id: int, channel: Channel, *, size: int) -> Claim | None:
    """Take up to ``size`` due deliveries of one message and language; None where none may go now.

    Urgent lanes first, then the longest due; what was superseded meanwhile ends here instead.
    Committed before it is returned, so that no transaction is open while a provider is called.
    """
    moment = clock.now()
    while _anything_due(channel, moment):
        with writing() as session:
            if not may_send(session, channel):
                return None
            due = (
                in_state(DeliveryState.PENDING),
                Delivery.channel == channel,
                Delivery.due_at <= moment,
            )
            first = _first_due(session, due)
            if first is None:
                return None
            rows = _next_due(session, due, first, size)
            kept_back = superseded.keep_back(session, first.message_id, [row.id for row in rows])
            rows = [row for row in rows if row.id not in kept_back]
            if rows:
                attempt_id = _take(session, worker_id, channel, [row.id for row in rows])
                return Claim(attempt_id, channel, first.message_id, tuple(rows))
            if not kept_back:
                return None
    return None


def _take(session: Session, worker_id: int, channel: Channel, ids: Sequence[int]) -> str:
    """Put deliveries into a worker's hands; the id of its new attempt."""
    moment, attempt_id = clock.now(), str(uuid.uuid4())
    session.execute(
        insert(Attempt).values(
            id=attempt_id, worker_id=worker_id, channel=channel, claimed_at=moment
        )
    )
    session.execute(
        update(Delivery)
        .where(among(Delivery.id, ids))
        .values(state=DeliveryState.SENDING, attempt_id=attempt_id, changed_at=moment)
        .execution_options(synchronize_session=False)
    )
    return attempt_id


def _first_due(session: Session, due: Sequence[ColumnElement[bool]]) -> Row[int, int, str] | None:
    """The message, the lane and the language of what is due first.

    What was corrected or cancelled meanwhile gives way.
    """
    chosen = (
        select(Delivery.message_id, Delivery.lane, Delivery.language)
        .where(*due)
        .order_by(Delivery.lane, Delivery.due_at, Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    first = session.execute(chosen).one_or_none()
    while first is not None and superseded.has_given_way(session, first.message_id):
        first = session.execute(chosen).one_or_none()
    return first


def _next_due(
    session: Session, due: Sequence[ColumnElement[bool]], first: Row[int, int, str], size: int
) -> list[Claimed]:
    """Up to ``size`` of what is due next, as far as it is of one message and language; locked.

    Read in the order of the index of what waits and sorted out here: asked for one message,
    PostgreSQL takes another index and sorts all that waits, for every batch.
    """
    rows = session.execute(
        select(
            Delivery.id,
            Delivery.address,
            Delivery.email,
            Delivery.name,
            Delivery.time_zone,
            Delivery.language,
            Delivery.customer_id,
            Delivery.message_id,
        )
        .where(*due, Delivery.lane == first.lane)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(size)
        .with_for_update(skip_locked=True)
    )
    return [
        Claimed(*row[:-1])
        for row in rows
        if (row.message_id, row.language) == (first.message_id, first.language)
    ]


def begin_call(attempt_id: str) -> bool:
    """Write down that the provider is about to be called.

    False where the claim was taken away, or sending was stopped by hand.
    """
    with writing() as session:
        channel = session.scalar(select(Attempt.channel).where(Attempt.id == attempt_id))
        if channel is None or is_held(session, channel):
            return False
        return bool(
            count_written(
                session,
                update(Attempt)
                .where(Attempt.id == attempt_id)
                .values(called_at=clock.now())
                .execution_options(synchronize_session=False),
            )
        )


def put_back(claim: Claim, unsent: list[int]) -> None:
    """End an attempt: what it did not come to is due again at once."""
    with writing() as session:
        ours = [
            *session.scalars(
                select(Delivery.id)
                .where(
                    among(Delivery.id, unsent),
                    Delivery.attempt_id == claim.attempt_id,
                    in_state(DeliveryState.SENDING),
                )
                .with_for_update()
            )
        ]
        put_off(session, ours, DeliveryState.PENDING, "", due_at=clock.now())
        finish(session, claim.attempt_id)


def finish(session: Session, attempt_id: str) -> None:
    """Drop an attempt whose deliveries all have their outcome."""
    session.execute(delete(Attempt).where(Attempt.id == attempt_id))


class Missed:
    """Workers of other hosts whose lock was found free, and since when.

    A database that restarts drops every lock for a moment, so a free lock alone is no death.
    """

    GRACE_SECONDS = 5.0

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def long_enough(self, worker_id: int) -> bool:
        """Whether the worker's lock has been free for the whole grace."""
        now = time.monotonic()
        return now - self._since.setdefault(worker_id, now) >= self.GRACE_SECONDS

    def seen(self, worker_id: int) -> None:
        """It lives after all."""
        self._since.pop(worker_id, None)


def rescue(
    own_worker_id: int, *, own_attempts: frozenset[str], missed: Missed, uncertain_wait: float
) -> int:
    """Take back what dead workers had in hand; returns how many deliveries.

    What had certainly not been sent is due at once.  What may have been sent is uncertain, and due
    again after ``uncertain_wait`` seconds, in which the provider's events may still come.
    """
    session = current_session()
    attempts = session.execute(
        select(Attempt.id, Attempt.worker_id, Worker.host, Worker.pid).outerjoin(
            Worker, Worker.id == Attempt.worker_id
        )
    ).all()
    orphans = [
        attempt.id
        for attempt in attempts
        if attempt.id not in own_attempts
        and (
            attempt.worker_id == own_worker_id
            or _is_dead(session, attempt.worker_id, attempt.host, attempt.pid, missed)
        )
    ]
    return sum(_take_back(orphan, uncertain_wait) for orphan in orphans)


def follow_clock(jump: timedelta) -> None:
    """After the clock jumped, let what waits be due, and end, as if it had not.

    A clock that is set back must not hold mail up, one that is set ahead must not end it, nor cut
    the time short in which it can be cancelled.  What is moved is marked as changed by now, and
    what has been changed since the jump is not moved, so several workers may do the same.
    """
    moment = clock.now()
    waits = or_(in_state(DeliveryState.PENDING), in_state(DeliveryState.UNCERTAIN))
    with writing() as session:
        for column in (Delivery.expires_at, Delivery.due_at):
            stamps = {}
            if jump < timedelta(0):
                reached = and_(Delivery.changed_at > moment, column.is_not(None))
            elif column is Delivery.due_at:
                reached = and_(column > moment - jump, Delivery.changed_at <= moment - jump)
                stamps = {Delivery.changed_at: moment}
            else:
                reached = and_(column > moment - jump, column <= moment)
            # Few: those of one message, or of one second's retries, share theirs.  In order, so
            # that none is moved to where the next begins.
            times = select(column).where(waits, reached).distinct().order_by(column)
            for old in filter(None, list(session.scalars(times))):
                session.execute(
                    update(Delivery)
                    .where(waits, reached, column == old)
                    .values({column: old + jump, **stamps})
                    .execution_options(synchronize_session=False)
                )
        session.execute(
            update(Delivery)
            .where(waits, Delivery.changed_at > moment)
            .values(changed_at=moment)
            .execution_options(synchronize_session=False)
        )
        limit_rests(session)


def _anything_due(channel: Channel, moment: datetime) -> bool:
    session = current_session()
    found = session.scalar(
        select(
            exists().where(
                in_state(DeliveryState.PENDING),
                Delivery.channel == channel,
                Delivery.due_at <= moment,
            )
        )
    )
    session.rollback()
    return bool(found)


def _is_dead(
    session: Session, worker_id: int, host: str | None, pid: int | None, missed: Missed
) -> bool:
    if session.get_bind().dialect.name != "postgresql":
        return True
    if not session.scalar(select(func.pg_try_advisory_lock(literal(worker_id)))):
        missed.seen(worker_id)
        return False
    session.scalar(select(func.pg_advisory_unlock(literal(worker_id))))
    return _has_ended(host, pid) or missed.long_enough(worker_id)


def _has_ended(host: str | None, pid: int | None) -> bool:
    """Whether it was a process of this host that is gone; False where that cannot be known."""
    return pid is not None and host == socket.gethostname() and not Path(f"/proc/{pid}").exists()


def _take_back(attempt_id: str, uncertain_wait: float) -> int:
    moment = clock.now()
    with writing() as session:
        attempt = session.get(Attempt, attempt_id, with_for_update=True)
        if attempt is None:
            return 0
        ids = list(
            session.scalars(
                # Locked, or an event that is folded in meanwhile would be overwritten.
                select(Delivery.id)
                .where(in_state(DeliveryState.SENDING), Delivery.attempt_id == attempt_id)
                .with_for_update()
            )
        )
        if attempt.called_at is None:
            put_off(session, ids, DeliveryState.PENDING,
                  "its worker ended before it was sent",
                  due_at=moment, attempt=attempt_id)  # fmt: skip
        else:
            put_off(session, ids, DeliveryState.UNCERTAIN,
                  "its worker ended while it was being sent",
                  due_at=moment + event_wait(attempt.channel, uncertain_wait),
                  attempt=attempt_id)  # fmt: skip
        finish(session, attempt_id)
        return len(ids)
