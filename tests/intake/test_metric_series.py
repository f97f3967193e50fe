"""What is drawn of a metric: steps of its numbers, with gaps, and days of the page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.configuration import metrics as verbs
from statuspage.configuration.editing import MetricDetails
from statuspage.core.db import current_session, db, writing
from statuspage.intake.metric_data import Point, add_points
from statuspage.intake.metric_series import GRACE, refresh_due
from statuspage.models import Metric, Page
from statuspage.models.revision import current_number
from tests.announcing import ACTOR
from tests.factories import NOON, make_page
from tests.statements import noted

MINUTE = timedelta(minutes=1)


@pytest.fixture
def code(app: Flask, frozen: Traveller) -> str:
    frozen.move_to(NOON + GRACE)
    with app.app_context():
        with writing() as session:
            make_page(session)
        return verbs.add_metric(MetricDetails("Response time", "ms", 1), actor=ACTOR).code


def send(app: Flask, code: str, *points: tuple[datetime, float]) -> None:
    with app.app_context():
        add_points({code: [Point(at, value) for at, value in points]}, actor=ACTOR)


def drawn(app: Flask) -> dict[str, Any]:
    with app.app_context():
        refresh_due()
        text = current_session().scalars(select(Metric.series)).one()
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def known(steps: list[list[float] | None]) -> dict[int, list[float]]:
    return {place: step for place, step in enumerate(steps) if step}


def test_steps_hold_least_mean_and_most_and_gaps_stay_gaps(app: Flask, code: str) -> None:
    send(app, code, (NOON - MINUTE, 1), (NOON - 14 * MINUTE, 4), (NOON - 40 * MINUTE, 0.123))
    found = drawn(app)
    assert found["until"] == NOON.isoformat()
    day, week, month = found["day"], found["week"], found["month"]
    assert (day["begins"], len(day["steps"])) == ((NOON - timedelta(days=1)).isoformat(), 96)
    assert known(day["steps"]) == {93: [0.12, 0.12, 0.12], 95: [1.0, 2.5, 4.0]}
    assert (len(week["steps"]), known(week["steps"])) == (84, {83: [0.12, 1.71, 4.0]})
    assert (month["begins"], len(month["steps"])) == ("2026-02-03", 30)
    assert list(known(month["steps"])) == [29]


def test_days_are_the_pages_across_a_clock_change(app: Flask, code: str, frozen: Traveller) -> None:
    with app.app_context(), writing() as session:
        session.scalars(select(Page)).one().time_zone = "Europe/Berlin"
    frozen.move_to(datetime(2026, 3, 30, 12, 1, tzinfo=UTC))
    # A minute before and after each midnight there; the 29th has 23 hours.
    for day, hour in ((28, 23), (29, 22)):
        midnight = datetime(2026, 3, day, hour, tzinfo=UTC)
        send(app, code, (midnight - MINUTE, day), (midnight + MINUTE, day + 0.5))
    month = drawn(app)["month"]
    first = datetime.fromisoformat(month["begins"]).date()
    steps = known(month["steps"]).items()
    days = {(first + timedelta(days=place)).day: step[1] for place, step in steps}
    assert days == {28: 28, 29: 28.75, 30: 29.5}


def test_it_is_written_once_in_five_minutes_and_the_site_moves_with_it(
    app: Flask, code: str, frozen: Traveller
) -> None:
    send(app, code, (NOON - MINUTE, 1))
    with app.app_context():
        before = current_number(current_session())
        assert [refresh_due(), refresh_due()] == [1, 0]
        with noted(db.engine) as asked:
            refresh_due()
        assert len([each for each in asked if each.startswith("SELECT")]) == 1
        frozen.shift(5 * MINUTE)
        assert refresh_due() == 1
        assert current_number(current_session()) == before + 2


def test_a_hidden_metric_moves_nothing(app: Flask, code: str) -> None:
    with app.app_context():
        metric = current_session().scalars(select(Metric)).one()
        details = MetricDetails("Response time", "ms", 1, is_shown=False)
        verbs.change_metric(metric.id, details, actor=ACTOR)
    send(app, code, (NOON - MINUTE, 1))
    with app.app_context():
        before = current_number(current_session())
        assert refresh_due() == 0
        assert current_number(current_session()) == before
    assert drawn(app)["day"]["steps"][-1] == [1.0, 1.0, 1.0]


def test_a_metric_that_gets_no_more_numbers_ends_empty_and_moves_nothing_then(
    app: Flask, code: str, frozen: Traveller
) -> None:
    send(app, code, (NOON - MINUTE, 1))
    assert drawn(app)
    frozen.shift(timedelta(days=40))
    assert drawn(app) == {}
    with app.app_context():
        assert refresh_due() == 0
