"""News from the mail provider: kept once, folded in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import control, provider_events
from statuspage.delivery.channels.sendgrid_webhook import Event, EventKind
from statuspage.models import Delivery, DeliveryEvent, Suppression, WebhookEvent
from statuspage.recipients import suppression
from tests.announcing import ACTOR, declare, resolve, set_up_scenario
from tests.factories import NOON

OURS = "an attempt of ours"
STRANGE = "00000000-aaaa-bbbb-cccc-000000000001"


@pytest.fixture
def delivery_id(app: Flask, frozen: Traveller) -> int:
    """A mail that the provider took."""
    scenario = set_up_scenario(app)
    with app.app_context():
        resolve(declare(scenario).code)
        chosen = select(func.min(Delivery.id)).where(Delivery.channel == Channel.EMAIL)
        found = current_session().scalar(chosen) or 0
        with writing() as session:
            session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
            note_attempt(session, found, OURS)
        return found


def note_attempt(session: Session, delivery_id: int, attempt: str) -> None:
    """An attempt at a delivery, made here and accepted."""
    session.add(
        DeliveryEvent(
            delivery_id=delivery_id,
            at=NOON,
            state=DeliveryState.ACCEPTED,
            reason="",
            attempt=attempt,
        )
    )


def event(
    number: int,
    kind: EventKind,
    delivery_id: int | str | None,
    minute: int = 0,
    attempt: str | None = OURS,
) -> Event:
    return Event(
        event_id=f"event-{number}",
        kind=kind,
        at=NOON + timedelta(minutes=minute),
        address="c1@example.com",
        delivery_id=None if delivery_id is None else str(delivery_id),
        attempt_id=attempt,
    )


def told(delivery_id: int) -> int:
    """How many events were folded into a delivery."""
    provider_s = (DeliveryEvent.delivery_id == delivery_id, DeliveryEvent.reason != "")
    return current_session().scalar(select(func.count()).where(*provider_s)) or 0


def state(delivery_id: int) -> DeliveryState:
    current_session().expire_all()
    return current_session().get_one(Delivery, delivery_id).state


def test_an_event_is_kept_once_however_often_it_comes(app: Flask, delivery_id: int) -> None:
    first = event(1, EventKind.DELIVERED, delivery_id)
    with app.app_context():
        assert provider_events.keep([first]) == 1
        assert provider_events.keep([first, event(2, EventKind.DEFERRED, delivery_id), first]) == 1
        assert current_session().scalar(select(func.count(WebhookEvent.event_id))) == 2


def test_a_large_post_is_kept_whole(app: Flask, delivery_id: int) -> None:
    many = [event(n, EventKind.PROCESSED, delivery_id) for n in range(1_201)]
    with app.app_context():
        assert provider_events.keep(many) == 1_201


def test_events_of_other_mail_are_left_out(app: Flask, delivery_id: int) -> None:
    strangers: list[str | None] = [None, "", "x", "-1", "9" * 30]
    attempts: list[str | None] = [None, "", "x" * 200]
    with app.app_context():
        kept = provider_events.keep(
            [event(n, EventKind.BOUNCE, whose) for n, whose in enumerate(strangers)]
        )
        kept += provider_events.keep(
            [event(n, EventKind.BOUNCE, delivery_id, attempt=one) for n, one in enumerate(attempts)]
        )
        assert kept == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_events_do_no_harm_out_of_order(
    app: Flask, delivery_id: int, order: tuple[int, ...]
) -> None:
    kinds = (EventKind.PROCESSED, EventKind.DEFERRED, EventKind.DELIVERED)
    with app.app_context():
        for place in order:
            provider_events.keep([event(place, kinds[place], delivery_id, minute=place)])
            provider_events.fold()
        assert state(delivery_id) is DeliveryState.DELIVERED
        assert told(delivery_id) == 3


def test_a_bounce_keeps_later_mail_away(app: Flask, delivery_id: int) -> None:
    with app.app_context():
        provider_events.keep([event(1, EventKind.BOUNCE, delivery_id)])
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.BOUNCED
        address = current_session().get_one(Delivery, delivery_id).address
        assert current_session().get_one(Suppression, address).kind == "bounced"


def test_an_event_that_is_told_again_after_it_was_forgotten_changes_nothing(
    app: Flask, delivery_id: int, frozen: Traveller
) -> None:
    complaint = event(1, EventKind.SPAM_REPORT, delivery_id)
    with app.app_context():
        provider_events.keep([complaint])
        provider_events.fold()
        address = current_session().get_one(Delivery, delivery_id).address
        current_session().rollback()
        suppression.write_again(address, actor=ACTOR)
        frozen.shift(timedelta(days=31))
        provider_events.forget_folded()
        assert provider_events.keep([complaint]) == 1
        provider_events.fold()
        assert current_session().scalars(select(Suppression)).all() == []
        assert told(delivery_id) == 1


@pytest.mark.parametrize(
    ("reason", "kinds"),
    [
        ("Bounced Address", ["bounced"]),
        ("Spam Reporting Address", ["complained"]),
        ("Unsubscribed Address", ["unsubscribed"]),
        ("Spam Content", []),
    ],
)
def test_what_the_provider_drops_for_its_address_keeps_later_mail_away(
    app: Flask, delivery_id: int, reason: str, kinds: list[str]
) -> None:
    with app.app_context():
        provider_events.keep([replace(event(1, EventKind.DROPPED, delivery_id), reason=reason)])
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.FAILED
        assert current_session().scalars(select(Suppression.kind)).all() == kinds


def test_late_news_of_an_attempt_that_failed_does_not_end_the_next(
    app: Flask, delivery_id: int
) -> None:
    with app.app_context():
        dropped, late = (
            event(number, kind, delivery_id)
            for number, kind in enumerate((EventKind.DROPPED, EventKind.PROCESSED))
        )
        provider_events.keep([dropped])
        provider_events.fold()
        control.resend_failed(
            current_session().get_one(Delivery, delivery_id).message_id, actor=ACTOR
        )
        provider_events.keep([late])
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.PENDING
        with writing() as session:
            note_attempt(session, delivery_id, "the next")
        provider_events.keep([event(3, EventKind.PROCESSED, delivery_id, attempt="the next")])
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.ACCEPTED


def test_what_was_given_up_while_it_was_uncertain_may_have_arrived(
    app: Flask, delivery_id: int
) -> None:
    with app.app_context():
        with writing() as session:
            session.get_one(Delivery, delivery_id).state = DeliveryState.EXPIRED
        provider_events.keep([event(1, EventKind.DELIVERED, delivery_id)])
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.DELIVERED


def test_mail_of_another_system_on_the_same_account_is_not_taken_for_ours(
    app: Flask, delivery_id: int
) -> None:
    with app.app_context():
        theirs = replace(
            event(1, EventKind.BOUNCE, delivery_id), address="somebody@elsewhere.example"
        )
        assert provider_events.keep([theirs, event(2, EventKind.DELIVERED, 10**18 - 1)]) == 2
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.ACCEPTED
        assert current_session().scalars(select(Suppression.kind)).all() == []


def test_no_event_about_an_attempt_that_was_not_made_here_changes_anything(
    app: Flask, delivery_id: int
) -> None:
    """Another installation with the same customers numbers alike and writes to the same people."""
    with app.app_context():
        for waits_as in DeliveryState:
            assert_left_alone(delivery_id, waits_as)


def assert_left_alone(delivery_id: int, waits_as: DeliveryState) -> None:
    """Whatever strangers tell of a delivery in that state, it stays as it is."""
    in_hand = "in hand" if waits_as is DeliveryState.SENDING else None
    with writing() as session:
        session.execute(delete(DeliveryEvent))
        session.execute(delete(WebhookEvent))
        delivery = session.get_one(Delivery, delivery_id)
        delivery.state, delivery.attempt_id = waits_as, in_hand
        # An attempt at one mail says nothing of another.
        note_attempt(session, delivery_id + 1, "an attempt at the next")
    strange = [
        replace(event(1, kind, delivery_id, attempt=attempt), event_id=f"{kind} {attempt}")
        for kind in EventKind
        for attempt in (STRANGE, "an attempt at the next")
    ]
    assert provider_events.keep(strange) == len(strange)
    provider_events.fold()
    assert state(delivery_id) is waits_as
    assert current_session().get_one(Delivery, delivery_id).attempt_id == in_hand
    assert told(delivery_id) == 0
    assert current_session().scalars(select(Suppression.kind)).all() == []


def test_an_event_about_the_attempt_in_hand_is_believed(app: Flask, delivery_id: int) -> None:
    with app.app_context():
        with writing() as session:
            delivery = session.get_one(Delivery, delivery_id)
            delivery.state, delivery.attempt_id = DeliveryState.SENDING, "in hand"
        provider_events.keep([event(1, EventKind.DELIVERED, delivery_id, attempt="in hand")])
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.DELIVERED


def test_what_was_folded_in_long_ago_is_dropped_and_what_waits_is_kept(
    app: Flask, delivery_id: int, frozen: Traveller
) -> None:
    with app.app_context():
        provider_events.keep([event(1, EventKind.PROCESSED, delivery_id)])
        provider_events.fold()
        provider_events.keep([event(2, EventKind.DELIVERED, delivery_id)])
        frozen.shift(timedelta(days=30))
        assert provider_events.forget_folded() == 0
        frozen.shift(timedelta(seconds=1))
        assert (provider_events.forget_folded(), provider_events.forget_folded()) == (1, 0)
        assert current_session().scalars(select(WebhookEvent.event_id)).all() == ["event-2"]
        provider_events.fold()
        assert state(delivery_id) is DeliveryState.DELIVERED
