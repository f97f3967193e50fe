"""What an operator's monitoring reads: whether all is well, and the numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from time_machine import Traveller

from statuspage.access import alarms
from statuspage.api import health
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import control, nightly_trial, provider_events
from statuspage.delivery.channels.sendgrid_webhook import Event, EventKind
from statuspage.delivery.dispatch import Dispatcher, open_lanes
from statuspage.models import Breaker, Delivery, DeliveryTest, Worker
from tests.announcing import ACTOR, declare, resolve, set_up_scenario


@pytest.fixture
def waiting(app: Flask, frozen: Traveller) -> None:
    """A resolution's mails wait for four customers, one of whom has bounced."""
    scenario = set_up_scenario(app)
    with app.app_context():
        resolve(declare(scenario).code)
        with writing() as session:
            moment = clock.now()
            session.add(Worker(id=1, host="here", pid=1, started_at=moment, beat_at=moment))
            session.execute(
                update(Delivery)
                .where(Delivery.address == "c1@example.com")
                .values(state=DeliveryState.BOUNCED)
            )


@pytest.fixture(autouse=True)
def read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the numbers read each time; `test_numbers_are_kept` is about the rest."""
    monkeypatch.setattr(health, "METRICS_SECONDS", 0)


def samples(client: FlaskClient) -> Mapping[tuple[str, ...], float]:
    """Each number by its name and the values of its labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def checks(client: FlaskClient) -> tuple[int, Mapping[str, str]]:
    answer = client.get("/readyz")
    assert answer.json is not None
    return answer.status_code, answer.json["checks"]


@pytest.mark.usefixtures("waiting")
def test_the_numbers_tell_what_waits_and_for_how_long(
    client: FlaskClient, frozen: Traveller
) -> None:
    frozen.shift(90)
    found = samples(client)
    assert found["statuspage_deliveries", "email", "pending"] == 3
    assert found["statuspage_deliveries", "email", "bounced"] == 1
    assert found[("statuspage_oldest_waiting_delivery_seconds",)] == 90
    assert found[("statuspage_webhook_lag_seconds",)] == 0


@pytest.mark.usefixtures("waiting")
def test_attempts_errors_and_the_lag_of_events_are_counted(
    app: Flask, client: FlaskClient, frozen: Traveller
) -> None:
    with app.app_context():
        Dispatcher(app, 1, open_lanes(app.extensions["settings"])).send_all()
        provider_events.keep(
            [Event("e", EventKind.DELIVERED, clock.now(), "c2@example.com", "2", "a")]
        )
        with writing() as session:
            until = clock.now() + control.LONGEST_REST
            session.add(Breaker(channel=Channel.CHAT, failures=1, open_until=until, reason="x"))
    frozen.shift(7)
    found = samples(client)
    assert found["statuspage_delivery_attempts_total", "email"] == 3
    assert found[("statuspage_webhook_lag_seconds",)] == 7
    assert found["statuspage_breaker_open", "chat"] == 1


@pytest.mark.usefixtures("waiting")
def test_names_are_as_prometheus_likes_them(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        Dispatcher(app, 1, open_lanes(app.extensions["settings"])).send_all()
    text = client.get("/metrics").text
    families = list(text_string_to_metric_families(text))
    assert families
    for family in families:
        assert re.fullmatch(r"statuspage_[a-z]+(_[a-z]+)*", family.name)
        assert family.documentation
        # Counters end in _total, and nothing else does.
        is_counter = family.type == "counter"
        assert all(one.name.endswith("_total") == is_counter for one in family.samples)
        assert family.type in {"gauge", "counter"}


class TestNightlyTest:
    """Where a nightly delivery test is set."""

    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {**environ, "DELIVERY_TEST_EMAIL": "ops@example.com"}

    def end_test(self, app: Flask, night: str, failure: str) -> None:
        with app.app_context(), writing() as session:
            began = clock.now()
            session.add(
                DeliveryTest(
                    night=night, started_at=began, finished_at=began + timedelta(seconds=4.5),
                    failure=failure,
                )
            )  # fmt: skip
            if failure:
                alarms.raise_alarm(session, nightly_trial.ALARM, failure)

    @pytest.mark.usefixtures("waiting")
    def test_its_failure_is_told_and_changes_no_readiness(
        self, app: Flask, client: FlaskClient, frozen: Traveller
    ) -> None:
        none = {"last": "none yet", "last_passed": None, "seconds": None}
        assert client.get("/readyz").json["delivery_test"] == none  # type: ignore[index]
        self.end_test(app, "2026-03-03", "")
        self.end_test(app, "2026-03-04", "The public feed: it was answered with status 502.")
        answer = client.get("/readyz")
        assert answer.json is not None
        assert (answer.status_code, answer.json["checks"]["alarms"]) == (200, "ok")
        assert answer.json["delivery_test"] == {
            "last": "failed", "last_passed": "2026-03-04T12:00:00+00:00", "seconds": 4.5,
        }  # fmt: skip
        found = samples(client)
        assert found[("statuspage_delivery_test_failed",)] == 1
        assert found[("statuspage_delivery_test_duration_seconds",)] == 4.5
        passed_at = clock.now().timestamp()
        assert found[("statuspage_delivery_test_passed_timestamp_seconds",)] == passed_at


@pytest.mark.usefixtures("waiting")
def test_all_is_well_while_a_worker_sends(client: FlaskClient) -> None:
    well = dict.fromkeys(("database", "worker", "outbox", "alarms"), "ok")
    assert checks(client) == (200, well)


@pytest.mark.usefixtures("waiting")
def test_what_is_not_well_is_named_without_a_word_of_others(
    app: Flask, client: FlaskClient, frozen: Traveller
) -> None:
    frozen.shift(600)
    assert checks(client) == (
        503,
        {
            "database": "ok",
            "worker": "no sign of life for 10 minutes",
            "outbox": "a delivery has waited for 10 minutes",
            "alarms": "ok",
        },
    )
    with app.app_context():
        control.hold(control.EVERYTHING, reason="a secret reason", actor=ACTOR)
        with writing() as session:
            alarms.raise_alarm(session, "channel.email", "a secret answer")
    _, told = checks(client)
    assert (told["outbox"], told["alarms"]) == (
        "held until somebody releases it",
        "channel.email",
    )


def test_a_database_that_is_away_is_named(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(health, "current_session", away)
    assert checks(client) == (503, {"database": "cannot be reached"})
    assert client.get("/healthz").status_code == 200


@pytest.mark.usefixtures("waiting")
def test_numbers_are_kept_for_some_seconds(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "METRICS_SECONDS", 60)
    samples(client)
    with app.app_context(), writing() as session:
        session.execute(update(Delivery).values(state=DeliveryState.BOUNCED))
    assert samples(client)["statuspage_deliveries", "email", "pending"] == 3
    app.extensions["metrics"] = health.KeptNumbers()
    assert ("statuspage_deliveries", "email", "pending") not in samples(client)
