"""The nightly delivery test: once a night, through the real outbox, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import alarms
from statuspage.core.config import Settings
from statuspage.core.db import writing
from statuspage.core.enums import Channel, DeliveryState, Step
from statuspage.delivery import nightly_trial, retry
from statuspage.delivery.channels.provider import Fault, Outcome
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.models import Delivery, DeliveryTest, IncidentUpdate, Message, Page
from tests.announcing import Scenario
from tests.delivery.conftest import Provider
from tests.factories import NOON

OPS = "ops@example.com"
ROOM = "json://chat.example/tests"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {
        **environ,
        "CHAT_URLS": "json://chat.example/everybody",
        "DELIVERY_TEST_EMAIL": OPS,
        "DELIVERY_TEST_CHAT_URL": ROOM,
    }


@pytest.fixture
def worker(app: Flask, provider: Provider, scenario: Scenario) -> Dispatcher:
    lane = Lane(provider, parallel=1, batch=100)
    return Dispatcher(app, 7, {Channel.EMAIL: lane, Channel.CHAT: lane})


def works() -> str:
    return ""


def fails() -> str:
    return "it was answered with status 502"


def the_test(session: Session) -> DeliveryTest:
    session.rollback()
    return session.scalars(select(DeliveryTest)).one()


def open_alarms(session: Session) -> list[str]:
    session.rollback()
    return [one.text for one in alarms.open_alarms(session)]


def run(worker: Dispatcher, read_feed: Callable[[], str] = works) -> None:
    nightly_trial.begin_due()
    worker.send_all()
    nightly_trial.settle(read_feed)


def test_a_test_goes_to_the_mailbox_and_the_room_alone_and_nothing_is_published(
    worker: Dispatcher, provider: Provider, session: Session, settings: Settings
) -> None:
    run(worker)
    assert provider.addresses == sorted([OPS, settings.test_room or ""])
    assert {outgoing.subject for outgoing, _ in provider.sent} == {"[Test] Nightly delivery test"}
    assert {message.step for message in session.scalars(select(Message))} == {Step.TEST}
    assert session.scalars(select(IncidentUpdate)).all() == []


def test_it_passes_and_says_how_long_it_took(
    worker: Dispatcher, session: Session, frozen: Traveller
) -> None:
    nightly_trial.begin_due()
    nightly_trial.settle(works)
    assert the_test(session).finished_at is None
    frozen.shift(timedelta(seconds=4))
    worker.send_all()
    frozen.shift(timedelta(seconds=3))
    nightly_trial.settle(works)
    found = nightly_trial.nightly_state(session)
    assert (found.outcome, found.has_failed) == ("passed", False)
    assert found.passed is not None
    assert (found.passed.started_at, found.passed.seconds) == (NOON, 4.0)
    assert open_alarms(session) == []


def test_there_is_one_a_night_and_another_the_next(
    worker: Dispatcher, provider: Provider, session: Session, frozen: Traveller
) -> None:
    assert [nightly_trial.begin_due(), nightly_trial.begin_due()] == [True, False]
    frozen.shift(timedelta(hours=11, minutes=59))
    assert nightly_trial.begin_due() is False
    frozen.shift(timedelta(hours=3))
    assert nightly_trial.begin_due() is False
    frozen.shift(timedelta(minutes=2))
    assert nightly_trial.begin_due() is True
    assert [one.night for one in session.scalars(select(DeliveryTest))] == [
        "2026-03-04", "2026-03-05",
    ]  # fmt: skip


def test_two_workers_at_once_make_one(app: Flask, scenario: Scenario, session: Session) -> None:
    def begin(_worker: int) -> bool:
        with app.app_context():
            return nightly_trial.begin_due()

    with ThreadPoolExecutor(4) as workers:
        assert sorted(workers.map(begin, range(4))) == [False, False, False, True]
    assert len(session.scalars(select(Delivery)).all()) == 2


def test_a_worker_that_looks_in_the_same_moment_makes_no_second(
    worker: Dispatcher, provider: Provider, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_behind(_session: Session, _night: str) -> bool:
        return False

    assert nightly_trial.begin_due() is True
    # It looked before the other's test was there.
    monkeypatch.setattr(nightly_trial, "_is_known", is_behind)
    assert nightly_trial.begin_due() is False
    assert len(session.scalars(select(Delivery)).all()) == 2


def test_the_night_is_that_of_the_page(
    worker: Dispatcher, session: Session, frozen: Traveller
) -> None:
    with writing():
        session.get_one(Page, 1).time_zone = "Pacific/Auckland"
    frozen.move_to(NOON.replace(hour=13, minute=30))
    assert nightly_trial.begin_due() is False
    frozen.move_to(NOON.replace(hour=14))
    assert nightly_trial.begin_due() is True
    assert the_test(session).night == "2026-03-05"


def test_what_is_refused_fails_at_once_with_the_reason(
    worker: Dispatcher, provider: Provider, session: Session
) -> None:
    provider.answers = {OPS: (Outcome.REFUSED, Fault.RECIPIENT)}
    run(worker, fails)
    assert the_test(session).finished_at is None  # the feed may still come back
    nightly_trial.settle(works)
    assert the_test(session).failure == "Email: as told."
    assert open_alarms(session) == ["The nightly delivery test failed. Email: as told."]


def test_what_has_not_worked_within_the_deadline_fails_and_is_not_sent_later(
    worker: Dispatcher, provider: Provider, session: Session, frozen: Traveller
) -> None:
    nightly_trial.begin_due()
    nightly_trial.settle(fails)
    frozen.shift(nightly_trial.DEADLINE)
    nightly_trial.settle(fails)
    assert the_test(session).failure == (
        "Email: it wasn’t sent in time. Chat: it wasn’t sent in time. "
        "The public feed: it was answered with status 502."
    )
    retry.settle_due()
    worker.send_all()
    assert provider.sent == []
    session.rollback()
    states = set(session.scalars(select(Delivery.state)))
    assert states == {DeliveryState.EXPIRED}


def test_the_alarm_ends_with_the_next_test_that_passes(
    worker: Dispatcher, session: Session, frozen: Traveller
) -> None:
    run(worker, fails)
    frozen.shift(nightly_trial.DEADLINE)
    nightly_trial.settle(fails)
    assert len(open_alarms(session)) == 1
    frozen.shift(timedelta(days=1))
    run(worker)
    assert open_alarms(session) == []
    found = nightly_trial.nightly_state(session)
    assert found.last is found.passed


def test_a_room_of_its_own_gets_nothing_else(settings: Settings) -> None:
    assert settings.test_room not in settings.chat_rooms
    assert settings.test_room in settings.postable_rooms
