"""The log of states says what the incidents say, however late or wrongly they were told
at first.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus
from statuspage.incidents import lifecycle
from statuspage.incidents.details import Details, change_details
from statuspage.models import Component, ComponentChange
from tests.announcing import ACTOR, Scenario, declare, post, set_up_scenario
from tests.factories import NOON

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    """Both components are there since two days before."""
    scenario = set_up_scenario(app)
    with app.app_context(), writing() as session:
        for component_id in (scenario.checkout, scenario.catalog):
            session.add(
                ComponentChange(component_id=component_id, at=ago(48 * 60), status=OPERATIONAL)
            )
    return scenario


def ago(minutes: int) -> datetime:
    return NOON - timedelta(minutes=minutes)


def told(session: Session, component_id: int) -> list[tuple[int, ComponentStatus]]:
    """The log, in minutes before noon."""
    session.expire_all()
    rows = session.scalars(
        select(ComponentChange)
        .filter_by(component_id=component_id)
        .order_by(ComponentChange.at, ComponentChange.id)
    )
    return [(int((NOON - row.at).total_seconds() // 60), row.status) for row in rows][1:]


def down(scenario: Scenario, since: int, status: ComponentStatus) -> str:
    return declare(scenario, started_at=ago(since), components={scenario.checkout: status}).code


def end(code: str, minutes_ago: int) -> None:
    post(code, "resolved", happened_at=ago(minutes_ago))


def test_a_incident_told_late_fills_the_past_around_what_was_told_before(
    scenario: Scenario, session: Session
) -> None:
    end(down(scenario, 120, DEGRADED), 60)
    end(down(scenario, 180, PARTIAL), 90)
    assert told(session, scenario.checkout) == [
        (180, PARTIAL), (90, DEGRADED), (60, OPERATIONAL),
    ]  # fmt: skip


def test_a_incident_told_late_that_still_goes_on_is_not_ended_by_an_earlier_one(
    scenario: Scenario, session: Session
) -> None:
    end(down(scenario, 120, DEGRADED), 60)
    down(scenario, 180, MAJOR)
    assert told(session, scenario.checkout) == [(180, MAJOR)]
    assert session.get_one(Component, scenario.checkout).status is MAJOR


def test_a_start_that_is_put_right_moves_in_the_log(scenario: Scenario, session: Session) -> None:
    code = down(scenario, 60, MAJOR)
    end(code, 10)
    for start in (90, 20):
        details = Details(title="Payments fail", started_at=ago(start))
        change_details(code, details, actor=ACTOR)
        assert told(session, scenario.checkout) == [(start, MAJOR), (10, OPERATIONAL)]


def test_an_incident_that_is_hidden_counts_no_more(scenario: Scenario, session: Session) -> None:
    code = down(scenario, 60, MAJOR)
    down(scenario, 30, DEGRADED)
    lifecycle.hide(code, actor=ACTOR)
    assert told(session, scenario.checkout) == [(30, DEGRADED)]


def test_what_ended_before_is_left_alone(scenario: Scenario, session: Session) -> None:
    end(down(scenario, 600, MAJOR), 500)
    before = session.scalars(select(ComponentChange.id)).all()
    end(down(scenario, 120, DEGRADED), 60)
    end(down(scenario, 180, PARTIAL), 90)
    assert set(before) <= set(session.scalars(select(ComponentChange.id)))


@pytest.mark.parametrize("seed", range(8))
def test_incidents_told_in_any_order_leave_the_log_that_a_look_at_each_minute_gives(
    scenario: Scenario, session: Session, seed: int
) -> None:
    dice = random.Random(seed)
    incidents = []
    for _ in range(5):
        start, status = dice.randint(5, 300), dice.choice((DEGRADED, PARTIAL, MAJOR))
        code = down(scenario, start, status)
        until = dice.randint(1, start - 1) if dice.random() < 0.8 else 0
        if until:
            end(code, until)
        incidents.append((start, until, status))
    log = [(48 * 60, OPERATIONAL), *told(session, scenario.checkout)]
    for minute in range(301, 0, -1):
        logged = [status for at, status in log if at >= minute][-1]
        said = (status for start, until, status in incidents if start >= minute > until)
        assert logged is ComponentStatus.worst(said, OPERATIONAL), (minute, incidents)
    assert log[-1][1] is session.get_one(Component, scenario.checkout).status
