"""Holding the outbox by hand, and giving a failing provider a rest.

A hold is a person's (or a restore's) decision and stays until it is released.  A breaker is the
service's own: it opens after failures, for seconds, and closes with the first success.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, true, update
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.access.audit import Actor, record
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import insert_new, writing
from statuspage.core.enums import Audience, Channel, DeliveryState, Step
from statuspage.delivery import superseded
from statuspage.delivery.channels.provider import Fault, Outcome, Result
from statuspage.delivery.queue import CHAT_AGE, CUSTOMER_MAIL_AGE, MAILED, queue_again
from statuspage.models import Breaker, Delivery, Hold, Incident, Message
from statuspage.models.delivery import in_state
from statuspage.recipients.suppression import is_suppressed

EVERYTHING = "all"
LONGEST_REST = timedelta(seconds=30)
FAILURES_BEFORE_ALARM = 3
# Faults that are not the provider's.
_NOT_THE_PROVIDERS = {Fault.NONE, Fault.RECIPIENT, Fault.ROOM}
_ROOM = "room."
SKIPPED = 100_000_000
"""More deliveries than are made between two backups."""


@dataclass(frozen=True, slots=True)
class LaneWindow:
    """Mails about a resolution that wait until ``due_at``, so that they can be cancelled."""

    code: str
    title: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class HeldUp:
    """All that keeps messages from going out now; false where nothing does."""

    holds: Sequence[Hold]
    rests: Sequence[Breaker]
    windows: Sequence[LaneWindow]

    def __bool__(self) -> bool:
        return bool(self.holds or self.rests or self.windows)


def held_up(session: Session) -> HeldUp:
    """What holds sending up: the stops of people, failing providers, mails to be cancelled yet."""
    resting = select(Breaker).where(Breaker.open_until > clock.now()).order_by(Breaker.channel)
    return HeldUp(holds(session), session.scalars(resting).all(), _windows(session))


@needs(Permission.SEND)
def hold(channel: str, *, reason: str, actor: Actor) -> None:
    """Stop sending over a channel, or over ``EVERYTHING``, until it is released."""
    with writing() as session:
        put_hold(session, channel, reason=reason)
        record(session, actor, "outbox.hold", subject_kind="outbox", subject=channel,
               after={"reason": reason})  # fmt: skip


def put_hold(session: Session, channel: str, *, reason: str) -> None:
    """The hold itself, inside somebody else's transaction (a restore's)."""
    session.execute(
        insert_new(session, Hold)
        .values(channel=channel, reason=reason, at=clock.now())
        .on_conflict_do_update(index_elements=["channel"], set_={"reason": reason})
    )


def skip_numbers(session: Session) -> None:
    """Give no delivery from now on a number that one had which this database does not know of.

    After a restore there may be such: links and Message-IDs in mail that was sent since the backup,
    and the provider's events about it, carry their numbers, and must not mean another delivery.
    """
    highest = session.scalar(select(func.max(Delivery.id))) or 0
    if session.get_bind().dialect.name == "postgresql":
        number = func.setval(func.pg_get_serial_sequence("deliveries", "id"), highest + SKIPPED)
        session.execute(select(number))
        return
    # SQLite goes on from the highest that there is: a row that belongs to no message holds it.
    moment = clock.now()
    session.add(
        Delivery(
            id=highest + SKIPPED, message_id=0, step_key=f"restored:{highest}",
            channel=Channel.CHAT, address="", email="", state=DeliveryState.SUPERSEDED,
            reason="no delivery; numbers go on from here after a restore", due_at=moment,
        )
    )  # fmt: skip


@needs(Permission.SEND)
def release(channel: str, *, actor: Actor) -> None:
    """Let a channel, or ``EVERYTHING``, send again."""
    with writing() as session:
        session.execute(delete(Hold).where(Hold.channel == channel))
        record(session, actor, "outbox.release", subject_kind="outbox", subject=channel)


def holds(session: Session) -> list[Hold]:
    """The holds that stand."""
    return list(session.scalars(select(Hold).order_by(Hold.channel)))


def count_failed(session: Session, message_id: int) -> int:
    """How many deliveries of a message :func:`resend_failed` would queue once more."""
    found = select(func.count()).select_from(Delivery).where(_may_go_again(session, message_id))
    return session.scalar(found) or 0


@needs(Permission.SEND)
def resend_failed(message_id: int, *, actor: Actor) -> int:
    """Queue what failed or came too late of a message once more; how many.

    Left out are suppressed addresses, and those that have a newer message of the same
    incident: nobody reads "investigating" after "resolved".  What bounced has no address to go to.
    """
    with writing() as session:
        message = session.get_one(Message, message_id)
        failed = _may_go_again(session, message_id)
        age = CHAT_AGE if message.audience is Audience.INTERNAL else CUSTOMER_MAIL_AGE
        again = queue_again(session, failed, reason=f"sent again by {actor.name}"[:500], age=age)
        if again:
            record(session, actor, "outbox.resend", subject_kind="outbox",
                   subject=f"message {message_id}", after={"deliveries": again})  # fmt: skip
        return again


def _may_go_again(session: Session, message_id: int) -> ColumnElement[bool]:
    has_been_superseded = superseded.has_been(session, message_id)
    return and_(
        Delivery.message_id == message_id,
        Delivery.state.in_((DeliveryState.FAILED, DeliveryState.EXPIRED)),
        ~is_suppressed(Delivery.address),
        # Whose address was forgotten cannot be written to.
        Delivery.email != "",
        true() if has_been_superseded is None else ~has_been_superseded,
    )


def _windows(session: Session) -> list[LaneWindow]:
    moment, length = clock.now(), timedelta(seconds=current_settings().cancel_window)
    # By message first, of which few are that new: deliveries are many.
    fresh = session.scalars(
        select(Message.id).where(
            Message.created_at > moment - length,
            Message.step == Step.RESOLVED,
            Message.audience.in_(MAILED),
            Message.cancelled_at.is_(None),
        )
    ).all()
    if not fresh:
        return []
    waiting = and_(
        Delivery.message_id.in_(fresh), in_state(DeliveryState.PENDING), Delivery.due_at > moment
    )
    rows = session.execute(
        select(Incident.code, Incident.title, func.min(Delivery.due_at))
        .join(Message, Message.incident_id == Incident.id)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(waiting)
        .group_by(Incident.code, Incident.title)
        .order_by(func.min(Delivery.due_at))
    )
    return [LaneWindow(*row) for row in rows]


def is_held(session: Session, channel: Channel) -> bool:
    """Whether somebody stopped the channel, or everything."""
    held = select(Hold.channel).where(Hold.channel.in_((EVERYTHING, channel.value)))
    return session.scalar(held.limit(1)) is not None


def may_send(session: Session, channel: Channel) -> bool:
    """Whether neither a hold nor an open breaker stops the channel now."""
    if is_held(session, channel):
        return False
    open_until = session.scalar(select(Breaker.open_until).where(Breaker.channel == channel.value))
    return open_until is None or open_until <= clock.now()


def note_results(session: Session, channel: Channel, results: Sequence[Result]) -> None:
    """Let the breaker and the alarms learn from what a provider answered."""
    if channel is Channel.CHAT:
        _note_rooms(session, results)
    if any(result.outcome is Outcome.ACCEPTED for result in results):
        _close(session, channel)
        return
    troubled = [r for r in results if r.fault not in _NOT_THE_PROVIDERS]
    if troubled:
        _open(session, channel, troubled[0])


def forget_rooms(session: Session, rooms: Collection[str]) -> None:
    """Clear the alarms of chat rooms that are not among the settings any more."""
    for alarm in alarms.open_alarms(session):
        if alarm.key.startswith(_ROOM) and alarm.key.removeprefix(_ROOM) not in rooms:
            alarms.clear_alarm(session, alarm.key)


def room_alarm(room: str) -> str:
    """The key of the alarm about a chat room."""
    return _ROOM + room


def fault_alarm(channel: Channel) -> str:
    """The key of the alarm about a fault of our own that keeps a channel from sending."""
    return f"sending.{channel.value}"


def limit_rests(session: Session) -> None:
    """End each rest within half a minute: a clock that was set back would prolong it."""
    latest = clock.now() + LONGEST_REST
    session.execute(update(Breaker).where(Breaker.open_until > latest).values(open_until=latest))


def _note_rooms(session: Session, results: Sequence[Result]) -> None:
    rooms = list(current_settings().chat_rooms)
    for result in results:
        room = result.recipient.address
        if result.outcome is Outcome.ACCEPTED:
            alarms.clear_alarm(session, room_alarm(room))
        if result.fault is Fault.ROOM and room in rooms:
            # Its name is a hash, since its address may hold a secret.
            text = (
                f"Chat room {rooms.index(room) + 1} of CHAT_URLS takes no messages: "
                f"{result.reason}. Nothing is lost; it’s retried, and other rooms aren’t affected."
            )
            alarms.raise_alarm(session, room_alarm(room), text)


def _close(session: Session, channel: Channel) -> None:
    breaker = session.get(Breaker, channel.value)
    if breaker is None:
        return
    session.delete(breaker)
    alarms.clear_alarm(session, f"channel.{channel.value}")


def _open(session: Session, channel: Channel, result: Result) -> None:
    breaker = session.get(Breaker, channel.value)
    if breaker is None:
        breaker = Breaker(channel=channel.value, failures=0, reason="")
        session.add(breaker)
    breaker.failures += 1
    breaker.reason = result.reason[:500]
    rest = timedelta(seconds=min(2.0 ** min(breaker.failures, 10), LONGEST_REST.total_seconds()))
    if result.retry_after is not None:
        rest = timedelta(seconds=max(0.0, result.retry_after))
    breaker.open_until = clock.now() + rest
    is_refused = result.fault is Fault.CREDENTIALS
    if is_refused or (breaker.failures >= FAILURES_BEFORE_ALARM and result.fault is not Fault.RATE):
        advice = (
            f"Look at {_settings_of(channel)} in the service's settings. " if is_refused else ""
        )
        alarms.raise_alarm(
            session,
            f"channel.{channel.value}",
            f"{channel.label} cannot be sent: {result.reason.removesuffix('.')}. {advice}"
            "Nothing is lost; waiting messages are sent when it works again.",
        )


def _settings_of(channel: Channel) -> str:
    """What a provider judges us by."""
    if channel is Channel.CHAT:
        return "CHAT_URLS"
    provider = {"sendgrid": "SENDGRID_API_KEY and ", "smtp": "SMTP_URL and "}
    return f"{provider.get(current_settings().mail_channel, '')}MAIL_FROM"
