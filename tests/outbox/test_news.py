"""News from the mail provider: kept once, folded in any order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from time_machine import Traveller

from statuspage.channels.events import Event, EventKind
from statuspage.db import session, writing
from statuspage.models import Delivery, DeliveryEvent, Suppression, WebhookEvent
from statuspage.outbox import news
from statuspage.words import Channel, DeliveryState
from tests.factories import NOON
from tests.stage import declare, resolve, set_stage


@pytest.fixture
def delivery_id(app: Flask, frozen: Traveller) -> int:
    """A mail that the provider took."""
    stage = set_stage(app)
    with app.app_context():
        resolve(declare(stage).code)
        with writing() as current:
            current.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
        chosen = select(func.min(Delivery.id)).where(Delivery.channel == Channel.EMAIL)
        return session().scalar(chosen) or 0


def event(number: int, kind: EventKind, delivery_id: int | str | None, minute: int = 0) -> Event:
    return Event(
        event_id=f"event-{number}",
        kind=kind,
        at=NOON + timedelta(minutes=minute),
        address="c1@example.com",
        delivery_id=None if delivery_id is None else str(delivery_id),
    )


def state(delivery_id: int) -> DeliveryState:
    session().expire_all()
    return session().get_one(Delivery, delivery_id).state


def test_an_event_is_kept_once_however_often_it_comes(app: Flask, delivery_id: int) -> None:
    first = event(1, EventKind.DELIVERED, delivery_id)
    with app.app_context():
        assert news.keep([first]) == 1
        assert news.keep([first, event(2, EventKind.DEFERRED, delivery_id), first]) == 1
        assert session().scalar(select(func.count(WebhookEvent.event_id))) == 2


def test_a_large_post_is_kept_whole(app: Flask, delivery_id: int) -> None:
    many = [event(n, EventKind.PROCESSED, delivery_id) for n in range(1_201)]
    with app.app_context():
        assert news.keep(many) == 1_201


def test_events_of_other_mail_are_left_out(app: Flask, delivery_id: int) -> None:
    strangers: list[str | None] = [None, "", "x", "-1", "9" * 30]
    with app.app_context():
        kept = news.keep([event(n, EventKind.BOUNCE, whose) for n, whose in enumerate(strangers)])
        assert kept == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_events_do_no_harm_out_of_order(
    app: Flask, delivery_id: int, order: tuple[int, ...]
) -> None:
    kinds = (EventKind.PROCESSED, EventKind.DEFERRED, EventKind.DELIVERED)
    with app.app_context():
        for place in order:
            news.keep([event(place, kinds[place], delivery_id, minute=place)])
            news.fold()
        assert state(delivery_id) is DeliveryState.DELIVERED
        told = select(func.count()).where(DeliveryEvent.delivery_id == delivery_id)
        assert session().scalar(told) == 3


def test_a_bounce_keeps_later_mail_away(app: Flask, delivery_id: int) -> None:
    with app.app_context():
        news.keep([event(1, EventKind.BOUNCE, delivery_id)])
        news.fold()
        assert state(delivery_id) is DeliveryState.BOUNCED
        address = session().get_one(Delivery, delivery_id).address
        assert session().get_one(Suppression, address).kind == "bounced"


def test_what_was_folded_in_long_ago_is_dropped_and_what_waits_is_kept(
    app: Flask, delivery_id: int, frozen: Traveller
) -> None:
    with app.app_context():
        news.keep([event(1, EventKind.PROCESSED, delivery_id)])
        news.fold()
        news.keep([event(2, EventKind.DELIVERED, delivery_id)])
        frozen.shift(timedelta(days=30))
        assert news.forget_folded() == 0
        frozen.shift(timedelta(seconds=1))
        assert (news.forget_folded(), news.forget_folded()) == (1, 0)
        assert session().scalars(select(WebhookEvent.event_id)).all() == ["event-2"]
        news.fold()
        assert state(delivery_id) is DeliveryState.DELIVERED
