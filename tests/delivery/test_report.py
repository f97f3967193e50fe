"""The report's numbers while a message goes out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from time_machine import Traveller

from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, DeliveryState
from statuspage.delivery import report
from statuspage.delivery.report import Pace
from statuspage.models import Delivery, DeliveryEvent
from tests.announcing import declare, messages, resolve, set_up_scenario


@pytest.fixture
def message_id(app: Flask, frozen: Traveller) -> int:
    """A mail that waits for twelve people."""
    scenario = set_up_scenario(app, customers=11)
    with app.app_context():
        resolve(declare(scenario).code)
        return messages(Audience.CUSTOMER)[0].id


def take(count: int, state: DeliveryState = DeliveryState.ACCEPTED) -> None:
    """Have so many of those that wait reach a state, now."""
    with writing() as session:
        chosen = select(Delivery.id).where(
            Delivery.channel == Channel.EMAIL, Delivery.state == DeliveryState.PENDING
        )
        ids = list(session.scalars(chosen.limit(count)))
        session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(state=state))
        now = clock.now()
        session.execute(
            insert(DeliveryEvent),
            [{"delivery_id": id_, "at": now, "state": state, "reason": ""} for id_ in ids],
        )


def pace(message_id: int) -> Pace:
    return report.pace(current_session(), message_id, report.tally(current_session(), message_id))


def test_the_pace_is_that_of_the_last_seconds(
    app: Flask, message_id: int, frozen: Traveller
) -> None:
    with app.app_context():
        assert pace(message_id) == Pace()
        take(4)
        frozen.shift(timedelta(seconds=2))
        # A batch that has just come back is no pace yet.
        assert pace(message_id) == Pace(rate=4 / 5, left=10.0)
        take(4)
        frozen.shift(timedelta(seconds=6))
        assert pace(message_id) == Pace(rate=1.0, left=4.0)
        frozen.shift(timedelta(minutes=1))
        assert pace(message_id) == Pace()


def test_what_goes_back_to_wait_is_no_progress(
    app: Flask, message_id: int, frozen: Traveller
) -> None:
    with app.app_context():
        take(4, DeliveryState.UNCERTAIN)
        assert pace(message_id) == Pace()


def test_news_of_what_was_taken_before_is_no_progress(
    app: Flask, message_id: int, frozen: Traveller
) -> None:
    with app.app_context():
        take(10)
        with writing() as session:
            ids = list(session.scalars(select(DeliveryEvent.delivery_id)))
            now = clock.now()
            session.execute(
                insert(DeliveryEvent),
                [
                    {"delivery_id": id_, "at": now, "state": state, "reason": "processed"}
                    for id_ in ids
                    for state in (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
                ],
            )
        frozen.shift(timedelta(seconds=10))
        assert pace(message_id).rate == 1.0


def test_the_pace_of_another_message_does_not_count(
    app: Flask, message_id: int, frozen: Traveller
) -> None:
    with app.app_context():
        take(4)
        internal = messages(Audience.INTERNAL)[0].id
        assert pace(internal) == Pace()


def test_the_cost_does_not_grow_with_what_happened_before(
    app: Flask, message_id: int, frozen: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "PACE_EVENTS", 3)
    with app.app_context():
        take(8)
        frozen.shift(timedelta(seconds=1))
        assert pace(message_id).rate == 3.0
