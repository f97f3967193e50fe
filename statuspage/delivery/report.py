"""Who was sent what, and when: counts, search, and the whole history of each delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.address import read_address
from statuspage.core.config import NO_CHAT
from statuspage.core.enums import OUTBOX, Audience, Channel, DeliveryState
from statuspage.models import Delivery, DeliveryEvent, Message, Worker
from statuspage.models.delivery import in_state
from statuspage.recipients.pseudonyms import pseudonymize

PAGE_SIZE = 100
WORKER_SILENCE = timedelta(seconds=30)
"""After this long without a sign of life a worker counts as gone."""
PACE_WINDOW = timedelta(seconds=15)
SHORTEST_PACE = timedelta(seconds=5)
PACE_EVENTS = 5_000
_NO_PROGRESS = OUTBOX | {DeliveryState.DELIVERED, DeliveryState.BOUNCED}


@dataclass(frozen=True, slots=True)
class Tally:
    """How the deliveries of a message, or of several, stand.

    ``in_files`` of the accepted were kept in a file because chat isn’t set up: nobody was notified.
    """

    counts: Mapping[DeliveryState, int] = field(default_factory=dict)
    in_files: int = 0

    def __getitem__(self, state: DeliveryState) -> int:
        return self.counts.get(state, 0)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def accepted(self) -> int:
        """Handed over, whatever became of them afterwards."""
        states = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.BOUNCED)
        return sum(self[state] for state in states) - self.in_files

    @property
    def waiting(self) -> int:
        """Not yet done."""
        return sum(self[state] for state in OUTBOX)

    @property
    def sending(self) -> int:
        """Under way, or perhaps handed over: nobody can take them back."""
        return self[DeliveryState.SENDING] + self[DeliveryState.UNCERTAIN]

    @property
    def failed(self) -> int:
        """Will not arrive, and nobody decided so: refused, bounced or too late."""
        states = (DeliveryState.FAILED, DeliveryState.BOUNCED, DeliveryState.EXPIRED)
        return sum(self[state] for state in states)

    @property
    def is_done(self) -> bool:
        """Whether nothing waits any more."""
        return self.waiting == 0


@dataclass(frozen=True, slots=True)
class FoundDeliveries:
    """A page of deliveries; ``after`` continues it, None at the end."""

    deliveries: list[Delivery]
    after: int | None


_NOT_NOTIFIED: Final = (
    DeliveryState.SUPPRESSED, DeliveryState.SUPERSEDED, DeliveryState.CANCELLED
)  # fmt: skip


def tally(session: Session, message_id: int) -> Tally:
    """How the deliveries of one message stand."""
    rows = session.execute(
        select(Delivery.state, func.count())
        .where(Delivery.message_id == message_id)
        .group_by(Delivery.state)
    )
    in_files = kept_in_files(session, [message_id])
    return Tally({row[0]: row[1] for row in rows}, in_files.get(message_id, 0))


def kept_in_files(session: Session, message_ids: Sequence[int]) -> dict[int, int]:
    """How many deliveries of each message went to no chat room but to a file."""
    rows = session.execute(
        select(Delivery.message_id, func.count())
        .where(
            Delivery.address == NO_CHAT,
            Delivery.channel == Channel.CHAT,
            Delivery.state == DeliveryState.ACCEPTED,
            Delivery.message_id.in_(message_ids),
        )
        .group_by(Delivery.message_id)
    )
    return {row[0]: row[1] for row in rows}


def tallies(
    session: Session, incident_id: int, *, most: int | None = None
) -> list[tuple[Message, Tally]]:
    """The newest messages of an incident that go to somebody, newest first, with their tallies."""
    messages = session.scalars(
        select(Message)
        .where(Message.incident_id == incident_id, Message.audience != Audience.PUBLIC)
        .order_by(Message.id.desc())
        .limit(most)
    ).all()
    rows = session.execute(
        select(Delivery.message_id, Delivery.state, func.count())
        .where(Delivery.message_id.in_([message.id for message in messages]))
        .group_by(Delivery.message_id, Delivery.state)
    )
    counts: dict[int, dict[DeliveryState, int]] = {}
    for message_id, state, count in rows:
        counts.setdefault(message_id, {})[state] = count
    files = kept_in_files(session, [message.id for message in messages])
    return [
        (one, Tally(counts[one.id], files.get(one.id, 0))) for one in messages if one.id in counts
    ]


def recipients_of(session: Session, update_id: int) -> dict[tuple[Audience, Channel], int]:
    """How many are notified of an update, by audience and channel; who is left out counts not."""
    rows = session.execute(
        select(Message.audience, Delivery.channel, func.count())
        .join(Delivery, Delivery.message_id == Message.id)
        .where(Message.update_id == update_id, Delivery.state.not_in(_NOT_NOTIFIED))
        .group_by(Message.audience, Delivery.channel)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def search(
    session: Session,
    message_id: int,
    *,
    state: DeliveryState | None = None,
    address: str = "",
    after: int = 0,
) -> FoundDeliveries:
    """A page of a message's deliveries, by state and by a part of the address.

    A whole address is found although it was forgotten: by its hash.
    """
    conditions: list[ColumnElement[bool]] = [Delivery.message_id == message_id, Delivery.id > after]
    if state is not None:
        conditions.append(Delivery.state == state)
    if address:
        part = address.strip().lower()
        conditions.append(
            or_(
                Delivery.address.contains(part, autoescape=True) & (Delivery.email != ""),
                func.lower(Delivery.email).contains(part, autoescape=True),
                Delivery.address == _marked(part),
            )
        )
    rows = list(
        session.scalars(
            select(Delivery).where(*conditions).order_by(Delivery.id).limit(PAGE_SIZE + 1)
        )
    )
    shown = rows[:PAGE_SIZE]
    return FoundDeliveries(shown, shown[-1].id if len(rows) > PAGE_SIZE else None)


def _marked(text: str) -> str:
    try:
        return pseudonymize(read_address(text).identity)
    except ValueError:
        return ""


def every_delivery(
    session: Session, message_id: int, *, state: DeliveryState | None = None, address: str = ""
) -> Iterator[Delivery]:
    """What :func:`search` finds, all of it in turn, for an export; never all read at once."""
    after: int | None = 0
    while after is not None:
        found = search(session, message_id, state=state, address=address, after=after)
        yield from found.deliveries
        session.expunge_all()
        after = found.after


def incident(session: Session, delivery: Delivery) -> list[DeliveryEvent]:
    """Everything that happened to a delivery since it was queued, oldest first."""
    return list(
        session.scalars(
            select(DeliveryEvent).filter_by(delivery_id=delivery.id).order_by(DeliveryEvent.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a message goes out: deliveries a second just now, and the seconds that are left.

    ``left`` is None where nothing goes out now, so that it is unknown.
    """

    rate: float = 0.0
    left: float | None = None


def pace(session: Session, message_id: int, counts: Tally) -> Pace:
    """How fast a message goes out, from what became of the latest deliveries in the last seconds.

    What the provider reports afterwards of what it took is no progress.  The cost does not grow
    with the message nor with history.
    """
    latest = (
        select(DeliveryEvent.delivery_id, DeliveryEvent.at, DeliveryEvent.state)
        .order_by(DeliveryEvent.id.desc())
        .limit(PACE_EVENTS)
        .subquery()
    )
    moment = clock.now()
    counts_here = and_(Delivery.message_id == message_id, latest.c.state.not_in(_NO_PROGRESS))
    count, first, seen, oldest = session.execute(
        select(
            # A delivery has several events: the provider says once more that it took it.
            func.count(func.distinct(latest.c.delivery_id)).filter(counts_here),
            func.min(latest.c.at).filter(counts_here),
            func.count(),
            func.min(latest.c.at),
        )
        .join_from(latest, Delivery, Delivery.id == latest.c.delivery_id)
        .where(latest.c.at > moment - PACE_WINDOW)
    ).one()
    if not count:
        return Pace()
    # A batch that has just come back is no pace yet; but where so much happens that not all of the
    # window was read, it is what was read.
    seconds = (moment - first).total_seconds()
    if seen == PACE_EVENTS:
        seconds = max((moment - oldest).total_seconds(), 0.5)
    else:
        seconds = max(seconds, SHORTEST_PACE.total_seconds())
    rate = count / seconds
    return Pace(rate, counts.waiting / rate)


def worker_silence(session: Session) -> timedelta | None:
    """How long ago a worker last gave a sign of life; None where none ever did."""
    beat: datetime | None = session.scalar(select(func.max(Worker.beat_at)))
    return None if beat is None else clock.now() - beat


def worker_trouble(session: Session) -> str:
    """A sentence for where no worker gives signs of life; empty where one does."""
    silence = worker_silence(session)
    if silence is not None and silence <= WORKER_SILENCE:
        return ""
    return "No worker is running, so nothing is sent. Start it."


def oldest_waiting(session: Session) -> datetime | None:
    """When the longest waiting delivery that could be sent by now was due; None where none is."""
    return session.scalar(
        select(func.min(Delivery.due_at)).where(
            in_state(DeliveryState.PENDING), Delivery.due_at <= clock.now()
        )
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """What is not yet done over one channel.

    ``ages`` counts the pending ones by how long ago they were queued: under a minute, under ten,
    under an hour, longer.  ``later`` of them are not due yet.
    """

    channel: Channel
    pending: int = 0
    later: int = 0
    sending: int = 0
    uncertain: int = 0
    ages: tuple[int, int, int, int] = (0, 0, 0, 0)
    oldest: datetime | None = None

    @property
    def total(self) -> int:
        """All of them."""
        return self.pending + self.sending + self.uncertain


def queues(session: Session) -> list[Queue]:
    """What waits, over each channel that has something; the cost does not grow with history."""
    moment = clock.now()
    found: dict[Channel, Queue] = {}
    # One statement, which sees one moment: asked state by state, what moves on is nowhere.
    parts = [_waiting_in(state, moment) for state in sorted(OUTBOX)]
    for channel, state, count, later, minute, ten, hour, oldest in session.execute(
        union_all(*parts)
    ):
        queue = found.get(channel, Queue(channel))
        if state == DeliveryState.PENDING:
            ages = (minute, ten - minute, hour - ten, count - hour)
            queue = replace(queue, pending=count, later=later, ages=ages, oldest=oldest)
        elif state == DeliveryState.SENDING:
            queue = replace(queue, sending=count)
        else:
            queue = replace(queue, uncertain=count)
        found[channel] = queue
    return [found[channel] for channel in Channel if channel in found]


def _waiting_in(
    state: DeliveryState, moment: datetime
) -> Select[Channel, str, int, int, int, int, int, datetime]:
    return (
        select(
            Delivery.channel,
            literal(state.value),
            func.count(),
            func.count().filter(Delivery.due_at > moment),
            func.count().filter(Delivery.queued_at > moment - timedelta(minutes=1)),
            func.count().filter(Delivery.queued_at > moment - timedelta(minutes=10)),
            func.count().filter(Delivery.queued_at > moment - timedelta(hours=1)),
            func.min(Delivery.queued_at),
        )
        .where(in_state(state))
        .group_by(Delivery.channel)
    )


def waiting_messages(session: Session, *, most: int) -> list[tuple[Message, int]]:
    """The messages that something waits of, newest first, and how much of each."""
    waiting: dict[int, int] = {}
    for state in sorted(OUTBOX):
        rows = session.execute(
            select(Delivery.message_id, func.count())
            .where(in_state(state))
            .group_by(Delivery.message_id)
        )
        for message_id, count in rows:
            waiting[message_id] = waiting.get(message_id, 0) + count
    newest = sorted(waiting, reverse=True)[:most]
    found = select(Message).where(Message.id.in_(newest)).order_by(Message.id.desc())
    return [(one, waiting[one.id]) for one in session.scalars(found)]
