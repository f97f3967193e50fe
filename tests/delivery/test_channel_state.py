"""How each channel stands: what was sent over it, and what is wrong with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import alarms
from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, DeliveryState
from statuspage.delivery import channel_state, control
from statuspage.delivery.channel_state import ChannelState, service_of
from statuspage.models import Breaker, Delivery, Hold, Worker
from tests.announcing import ACTOR
from tests.factories import NOON


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {
        **environ,
        "SMTP_URL": "smtp://me:secret@mail.example:587",
        "MAIL_FROM": "status@example.com",
        "CHAT_URLS": "json://chat.example/secret slack://a/b/c",
    }


def set_states(session: Session, *states: DeliveryState) -> None:
    """What became of the customers' mails, in their order; and a worker lives."""
    with writing():
        ids = list(
            session.scalars(
                select(Delivery.id).where(Delivery.channel == Channel.EMAIL).order_by(Delivery.id)
            )
        )
        for id_, state in zip(ids, states, strict=True):
            session.execute(update(Delivery).where(Delivery.id == id_).values(state=state))


def beat(session: Session) -> None:
    with writing():
        session.add(Worker(id=1, host="here", pid=1, started_at=NOON, beat_at=clock.now()))


def states(session: Session) -> list[ChannelState]:
    session.rollback()
    return channel_state.channel_states(session)


def test_each_channel_says_who_sends_it_and_how_much_arrived(
    resolved: str, session: Session, frozen: Traveller
) -> None:
    set_states(
        session, DeliveryState.DELIVERED, DeliveryState.ACCEPTED, DeliveryState.BOUNCED,
        DeliveryState.FAILED,
    )  # fmt: skip
    beat(session)
    customers, subscribers, first, second = states(session)
    assert (customers.title, customers.provider, customers.sender) == (
        "Email to customers", "SMTP server mail.example:587", "status@example.com",
    )  # fmt: skip
    assert (customers.arrived, customers.tried, customers.rate) == (2, 4, "50%")
    assert customers.last_success == NOON
    assert (subscribers.title, subscribers.tried, subscribers.last_success) == (
        "Email to subscribers", 0, None,
    )  # fmt: skip
    assert (first.title, first.provider) == ("Chat room 1", "Webhook (JSON)")
    assert (second.title, second.provider) == ("Chat room 2", "Slack")
    assert [one.troubles for one in (customers, subscribers, first, second)] == [()] * 4


def test_the_rate_is_about_the_last_seven_days(
    resolved: str, session: Session, frozen: Traveller
) -> None:
    set_states(session, *[DeliveryState.ACCEPTED] * 4)
    frozen.shift(timedelta(days=8))
    [customers, *_] = states(session)
    assert (customers.tried, customers.last_success) == (0, NOON)


def test_what_went_to_a_room_counts_for_that_room_alone(
    resolved: str, session: Session, settings: Settings
) -> None:
    first, _ = settings.chat_rooms
    with writing():
        session.execute(
            update(Delivery)
            .where(Delivery.address == first)
            .values(state=DeliveryState.ACCEPTED, changed_at=NOON)
        )
    rooms = [one for one in states(session) if one.room]
    assert [(one.arrived, one.last_success) for one in rooms] == [(2, NOON), (0, None)]


def test_all_that_is_wrong_is_said(resolved: str, session: Session, settings: Settings) -> None:
    first, _ = settings.chat_rooms
    with writing():
        session.add(Hold(channel="email", reason="Wrong text."))
        session.add(Breaker(channel="chat", failures=3, reason="it hung up"))
        alarms.raise_alarm(session, control.room_alarm(first), "Chat room 1 takes no messages.")
        alarms.raise_alarm(session, control.fault_alarm(Channel.EMAIL), "A fault.")
    no_worker = "No worker is running, so nothing is sent. Start it."
    failing = "It failed 3 times in a row: it hung up. It’s retried automatically."
    paused = "Sending is paused: Wrong text."
    assert [one.troubles for one in states(session)] == [
        (no_worker, paused, "A fault."),
        (no_worker, paused, "A fault."),
        ("Chat room 1 takes no messages.", no_worker, failing),
        (no_worker, failing),
    ]


def test_a_pause_ends_with_its_release(resolved: str, session: Session) -> None:
    beat(session)
    control.hold(control.EVERYTHING, reason="restored", actor=ACTOR)
    assert {one.troubles for one in states(session)} == {("Sending is paused: restored.",)}
    control.release(control.EVERYTHING, actor=ACTOR)
    assert {one.troubles for one in states(session)} == {()}


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("slack-bot://C0123456789", "Slack, as a bot, channel C0123456789"),
        ("workflows://host/secret", "Microsoft Teams"),
        ("carrierpigeon://secret@roof", "carrierpigeon"),
    ],
)
def test_a_service_is_named_without_its_secret(url: str, service: str) -> None:
    assert service_of(url) == service


def test_a_rate_is_never_rounded_up_to_everybody() -> None:
    counts = channel_state.Tally({DeliveryState.ACCEPTED: 99_999, DeliveryState.FAILED: 1})
    one = ChannelState("x", Audience.CUSTOMER, "", "", counts, None)
    assert one.rate == "99.9%"
