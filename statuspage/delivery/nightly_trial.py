"""The nightly delivery test: through the real pipeline to one mailbox and one chat room.

Nothing is published.  The messages are marked as tests, wait in the outbox and are sent by the
worker like any other; what is checked besides is the public feed, read back as a reader would.  One
row a night is written in the transaction that queues the messages, and its night is unique: however
many workers look, one test is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.core import clock
from statuspage.core.config import Settings, current_settings
from statuspage.core.db import count_written, current_session, insert_new, writing
from statuspage.core.enums import OUTBOX, Audience, DeliveryState
from statuspage.delivery import queue
from statuspage.delivery.channel_trial import TEST_KEY, add_test_message
from statuspage.models import Delivery, DeliveryTest, Page

ALARM: Final = "delivery_test"
DEADLINE: Final = timedelta(minutes=10)
"""After this long what has not worked has failed."""

_ARRIVED: Final = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
_SUBJECT: Final = "Nightly delivery test"
_BODY: Final = (
    "This is the nightly delivery test of the {name} status page, of {when}. If it arrives, "
    "messages do. Nothing has happened, and you don’t need to do anything."
)


@dataclass(frozen=True, slots=True)
class NightlyState:
    """What is known of the nightly test: the last one, and the last one that passed."""

    is_set: bool
    last: DeliveryTest | None
    passed: DeliveryTest | None

    @property
    def has_failed(self) -> bool:
        """Whether the last one that came to an end failed."""
        return self.last is not None and bool(self.last.failure)

    @property
    def outcome(self) -> str:
        """What came of the last one, in a word or two for machines."""
        if self.last is None:
            return "none yet"
        return "failed" if self.has_failed else "passed"


def nightly_state(session: Session) -> NightlyState:
    """How the nightly test stands."""
    ended = select(DeliveryTest).where(DeliveryTest.finished_at.is_not(None))
    newest = ended.order_by(DeliveryTest.id.desc()).limit(1)
    return NightlyState(
        current_settings().has_delivery_test,
        session.scalars(newest).one_or_none(),
        session.scalars(newest.where(DeliveryTest.failure == "")).one_or_none(),
    )


def begin_due() -> bool:
    """Begin the night's test where it is time and nobody has; whether this call did."""
    settings, session = current_settings(), current_session()
    page = session.get(Page, 1)
    if not settings.has_delivery_test or page is None or page.set_up_at is None:
        return False
    moment = clock.now()
    there = moment.astimezone(page.zone)
    night = there.date().isoformat()
    if there.hour < settings.delivery_test_hour or _is_known(session, night):
        return False
    with writing() as session:
        first = insert_new(session, DeliveryTest).values(
            night=night, started_at=moment, feed_reason="", failure=""
        )
        if not count_written(session, first.on_conflict_do_nothing()):
            return False
        test = session.scalars(select(DeliveryTest).filter_by(night=night)).one()
        _queue(session, test, settings, session.get_one(Page, 1))
        return True


def _is_known(session: Session, night: str) -> bool:
    return session.scalar(select(DeliveryTest.id).filter_by(night=night)) is not None


def _queue(session: Session, test: DeliveryTest, settings: Settings, page: Page) -> None:
    """Queue the test's messages, which end with it."""
    body = _BODY.format(name=page.name, when=clock.show(test.started_at, page.zone))
    step_key = f"{TEST_KEY}night:{test.night}"
    if email := settings.delivery_test_email:
        message = add_test_message(session, Audience.INTERNAL, _SUBJECT, body)
        test.mail_id = message.id
        queue.queue_test(
            session, message, step_key=step_key, email=email, name="", time_zone=page.time_zone
        )
    if room := settings.test_room:
        message = add_test_message(session, Audience.INTERNAL, _SUBJECT, body)
        test.chat_id = message.id
        queue.queue_chat(session, message, step_key=step_key, rooms=[room])
    session.execute(
        update(Delivery)
        .where(Delivery.message_id.in_([one for one in (test.mail_id, test.chat_id) if one]))
        .values(expires_at=test.started_at + DEADLINE)
    )


def settle(read_feed: Callable[[], str]) -> None:
    """Look what became of the test that runs, and end it where all of it is known.

    ``read_feed`` reads the public feed and says in words why it could not, empty where it could;
    it is called while no transaction is open.
    """
    session = current_session()
    running = session.scalars(
        select(DeliveryTest).where(DeliveryTest.finished_at.is_(None)).limit(1)
    ).one_or_none()
    if running is None:
        return
    test_id, feed_reason = running.id, ""
    if running.feed_at is None:
        session.rollback()
        feed_reason = read_feed()
    with writing() as session:
        test = session.get_one(DeliveryTest, test_id, with_for_update=True)
        if test.finished_at is not None:
            return
        if test.feed_at is None:
            test.feed_at = clock.now() if not feed_reason else None
            test.feed_reason = feed_reason
        _end(session, test)


def _end(session: Session, test: DeliveryTest) -> None:
    """End a test that passed or failed; leave alone one that may still pass."""
    moment = clock.now()
    is_over = moment >= test.started_at + DEADLINE
    tried = (("Email", test.mail_id), ("Chat", test.chat_id))
    parts = [_sent(session, name, message_id) for name, message_id in tried if message_id]
    parts.append(_Trial("The public feed", test.feed_at, test.feed_reason))
    waits = [part for part in parts if part.at is None and not part.is_final]
    if waits and not is_over:
        return
    wrong = [part.in_words for part in parts if part.at is None]
    test.finished_at = moment if wrong else max(part.at or moment for part in parts)
    test.failure = " ".join(wrong)
    if wrong:
        alarms.raise_alarm(session, ALARM, f"The nightly delivery test failed. {test.failure}")
    else:
        alarms.clear_alarm(session, ALARM)


@dataclass(frozen=True, slots=True)
class _Trial:
    """One thing that a test tries: when it worked; or why it did not, and whether for good."""

    name: str
    at: datetime | None
    reason: str = ""
    is_final: bool = False

    @property
    def in_words(self) -> str:
        reason = self.reason.rstrip(".") or "it wasn’t sent in time"
        return f"{self.name}: {reason}."


def _sent(session: Session, name: str, message_id: int) -> _Trial:
    """How a message of the test stands, which has one delivery."""
    row = session.execute(
        select(Delivery.state, Delivery.reason, Delivery.changed_at).where(
            Delivery.message_id == message_id
        )
    ).one_or_none()
    if row is None:
        return _Trial(name, None, "nothing was queued", is_final=True)
    has_arrived = row.state in _ARRIVED
    return _Trial(
        name, row.changed_at if has_arrived else None, row.reason, is_final=row.state not in OUTBOX
    )
