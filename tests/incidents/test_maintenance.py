"""Planned work through its life, led by the worker's duty and by hand, with the clock moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.enums import Audience, ComponentStatus, MaintenanceStatus
from statuspage.core.errors import Invalid
from statuspage.incidents import maintenance
from statuspage.incidents.drafts import drafts
from statuspage.incidents.explain_recipient import explain
from statuspage.incidents.maintenance import MaintenanceWindow, Plan, advance_due
from statuspage.incidents.publish import Submission
from statuspage.models import Component, Incident
from tests.announcing import ACTOR, Scenario, messages, set_up_scenario
from tests.factories import NOON, the_page
from tests.subscribing import add_subscriber

BEGINS = NOON + timedelta(days=2)
ENDS = BEGINS + timedelta(hours=2)


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


def schedule(scenario: Scenario, **changes: object) -> Incident:
    values = {
        "title": "Database upgrade",
        "what": "Checkout is read-only.",
        "scheduled_for": BEGINS,
        "scheduled_until": ENDS,
        "component_ids": [scenario.checkout],
        **changes,
    }
    return maintenance.schedule(Plan(**values), Submission(ACTOR, uuid4().hex))


def move(
    incident: Incident, begins: datetime, ends: datetime, *, verify_minutes: int | None = None
) -> None:
    window = MaintenanceWindow(begins, ends, verify_minutes)
    maintenance.move(incident.code, window, Submission(ACTOR, uuid4().hex))


def bodies(incident: Incident) -> list[str]:
    return [update.body for update in incident.updates]


def test_people_are_reminded_once_a_day_before(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario)
    frozen.move_to(BEGINS - timedelta(hours=24, minutes=1))
    assert advance_due() == 0
    frozen.move_to(BEGINS - timedelta(hours=24))
    assert [advance_due(), advance_due()] == [1, 0]
    session.refresh(incident)
    assert incident.status == "scheduled"
    assert bodies(incident)[1].startswith(
        "This is a reminder of the scheduled maintenance on Checkout."
    )
    assert "Mar 6, 2026, 12:00 – 14:00 UTC (2 hours)" in bodies(incident)[1]
    assert [message.subject for message in messages(Audience.PUBLIC)] == [
        "Scheduled maintenance: Database upgrade",
        "Reminder: Database upgrade",
    ]


def test_a_reminder_that_the_worker_missed_is_made_up_for_while_it_helps(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    reminded, begun = (
        schedule(scenario),
        schedule(scenario, scheduled_for=BEGINS - timedelta(hours=3)),
    )
    frozen.move_to(BEGINS - timedelta(hours=1))
    assert advance_due() == 2
    session.expire_all()
    assert [reminded.status, begun.status] == ["scheduled", "in_progress"]
    assert len(begun.updates) == len(reminded.updates) == 2


def test_an_announcement_that_comes_later_is_its_own_reminder(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    soon = schedule(scenario, remind_minutes=60 * 48)
    never = schedule(scenario, remind_minutes=None)
    frozen.move_to(BEGINS - timedelta(minutes=1))
    assert advance_due() == 0
    assert soon.remind_at is never.remind_at is None


def test_a_moved_maintenance_is_reminded_of_again(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario)
    frozen.move_to(BEGINS - timedelta(hours=20))
    assert advance_due() == 1
    move(incident, BEGINS + timedelta(days=7), ENDS + timedelta(days=7))
    frozen.move_to(BEGINS + timedelta(days=6))
    assert [advance_due(), advance_due()] == [1, 0]
    session.refresh(incident)
    assert sum(body.startswith("This is a reminder") for body in bodies(incident)) == 2


def test_a_cancelled_maintenance_is_not_reminded_of(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    maintenance.cancel(schedule(scenario).code, Submission(ACTOR, "off"))
    frozen.move_to(BEGINS)
    assert advance_due() == 0


def test_a_start_that_nobody_was_there_for_comes_late_once_and_says_so(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario, remind_minutes=None)
    frozen.move_to(BEGINS + timedelta(minutes=50))
    assert [advance_due(), advance_due()] == [1, 0]
    session.refresh(incident)
    assert incident.started_at == BEGINS + timedelta(minutes=50)
    assert "It was scheduled for Mar 6, 2026, 12:00 UTC and started late." in bodies(incident)[1]
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.UNDER_MAINTENANCE


def test_a_start_on_time_says_nothing_of_being_late(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario, remind_minutes=None)
    frozen.move_to(BEGINS + timedelta(seconds=2))
    advance_due()
    session.refresh(incident)
    assert "late" not in bodies(incident)[1]


@pytest.mark.parametrize("by_hand", [(), (MaintenanceStatus.VERIFYING,)])
def test_it_ends_by_itself_verified_or_not(
    scenario: Scenario,
    session: Session,
    frozen: Traveller,
    by_hand: tuple[MaintenanceStatus, ...],
) -> None:
    incident = schedule(scenario, remind_minutes=None)
    frozen.move_to(BEGINS)
    advance_due()
    for status in by_hand:
        maintenance.advance(incident.code, status, Submission(ACTOR, uuid4().hex))
    frozen.move_to(ENDS)
    assert [advance_due(), advance_due()] == [1, 0]
    session.expire_all()
    assert (incident.status, incident.resolved_at) == ("completed", ENDS)
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.OPERATIONAL


def test_extended_while_it_runs_it_ends_at_its_new_end(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario, remind_minutes=None)
    frozen.move_to(BEGINS)
    advance_due()
    move(incident, BEGINS, ENDS + timedelta(hours=1))
    frozen.move_to(ENDS)
    assert advance_due() == 0
    frozen.move_to(ENDS + timedelta(hours=1))
    assert advance_due() == 1
    session.refresh(incident)
    assert incident.status == "completed"


def test_across_a_change_of_the_clocks_it_lasts_as_long_as_it_lasts(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    the_page(session).time_zone = "Europe/Berlin"
    session.commit()
    begins = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    incident = schedule(scenario, scheduled_for=begins, scheduled_until=begins + timedelta(hours=2))
    assert "Mar 29, 2026, 01:30 CET – 04:30 CEST (2 hours)" in bodies(incident)[0]
    frozen.move_to(begins)
    advance_due()
    frozen.move_to(begins + timedelta(hours=2))
    advance_due()
    session.refresh(incident)
    assert (incident.status, incident.resolved_at) == ("completed", begins + timedelta(hours=2))


@pytest.mark.parametrize("minutes", [0, -5, 30 * 24 * 60 + 1])
def test_a_reminder_at_no_sensible_time_is_refused(
    scenario: Scenario, session: Session, minutes: int
) -> None:
    with pytest.raises(Invalid, match="at least a minute and at most 30 days"):
        schedule(scenario, remind_minutes=minutes)


def test_two_workers_take_each_step_once(
    app: Flask, scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario)
    session.commit()
    frozen.move_to(BEGINS - timedelta(hours=1))
    taken: list[int] = []

    def work() -> None:
        with app.app_context():
            taken.append(advance_due())

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    session.refresh(incident)
    assert sum(taken) == 1
    assert len(incident.updates) == 2


def test_it_verifies_by_itself_for_as_long_as_was_planned_and_then_completes(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario, remind_minutes=None, verify_minutes=30)
    assert "(2 hours), followed by 30 minutes of checks" in bodies(incident)[0]
    seen = []
    for moment in (BEGINS, ENDS, ENDS + timedelta(minutes=29), ENDS + timedelta(minutes=30)):
        frozen.move_to(moment)
        taken = [advance_due(), advance_due()]
        session.expire_all()
        seen.append((taken, incident.status, session.get_one(Component, scenario.checkout).status))
    assert seen == [
        ([1, 0], "in_progress", ComponentStatus.UNDER_MAINTENANCE),
        ([1, 0], "verifying", ComponentStatus.UNDER_MAINTENANCE),
        ([0, 0], "verifying", ComponentStatus.UNDER_MAINTENANCE),
        ([1, 0], "completed", ComponentStatus.OPERATIONAL),
    ]
    assert "We expect to finish by Mar 6, 2026, 14:30 UTC." in bodies(incident)[2]
    assert [message.subject for message in messages(Audience.PUBLIC)][1:] == [
        "Maintenance in progress: Database upgrade",
        "Verifying: Database upgrade",
        "Completed: Database upgrade",
    ]


@pytest.mark.parametrize(
    ("noticed_after", "status"), [(20, "verifying"), (30, "completed"), (600, "completed")]
)
def test_an_end_that_nobody_was_there_for_verifies_only_while_there_is_time(
    scenario: Scenario, session: Session, frozen: Traveller, noticed_after: int, status: str
) -> None:
    incident = schedule(scenario, remind_minutes=None, verify_minutes=30)
    frozen.move_to(BEGINS)
    advance_due()
    frozen.move_to(ENDS + timedelta(minutes=noticed_after))
    assert [advance_due(), advance_due()] == [1, 0]
    session.refresh(incident)
    assert incident.status == status


@pytest.mark.parametrize(("before_the_end", "ends_after"), [(60, 0), (10, 20)])
def test_verifying_that_begins_by_hand_has_its_time_too(
    scenario: Scenario, session: Session, frozen: Traveller, before_the_end: int, ends_after: int
) -> None:
    incident = schedule(scenario, remind_minutes=None, verify_minutes=30)
    frozen.move_to(BEGINS)
    advance_due()
    frozen.move_to(ENDS - timedelta(minutes=before_the_end))
    (seen,) = drafts(maintenance.announcement_of_step(incident, MaintenanceStatus.VERIFYING))
    update = maintenance.advance(
        incident.code, MaintenanceStatus.VERIFYING, Submission(ACTOR, "by hand")
    )
    assert update.body == seen.as_sent.body
    assert incident.scheduled_until == ENDS + timedelta(minutes=ends_after)


def test_a_maintenance_that_was_extended_verifies_after_its_new_end(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = schedule(scenario, remind_minutes=None, verify_minutes=30)
    frozen.move_to(BEGINS + timedelta(minutes=50))
    advance_due()
    move(incident, BEGINS, ENDS + timedelta(hours=1), verify_minutes=30)
    frozen.move_to(ENDS)
    assert advance_due() == 0
    frozen.move_to(ENDS + timedelta(hours=1))
    assert advance_due() == 1
    session.refresh(incident)
    assert incident.status == "verifying"
    assert incident.scheduled_until == ENDS + timedelta(minutes=90)
    assert sum("started late" in body for body in bodies(incident)) == 1


@pytest.mark.parametrize("minutes", [0, 24 * 60 + 1])
def test_verifying_for_no_sensible_time_is_refused(
    scenario: Scenario, session: Session, minutes: int
) -> None:
    with pytest.raises(Invalid, match="at least a minute and at most a day"):
        schedule(scenario, verify_minutes=minutes)


def test_whoever_asks_learns_whether_they_hear_of_a_step(
    scenario: Scenario, session: Session
) -> None:
    add_subscriber("fan@example.com")
    incident = schedule(scenario)
    session.commit()
    heard = explain(
        maintenance.announcement_of_step(incident, MaintenanceStatus.IN_PROGRESS), "fan@example.com"
    )
    customer = explain(
        maintenance.announcement_of_step(incident, MaintenanceStatus.IN_PROGRESS), "c1@example.com"
    )
    assert (heard.is_mailed, customer.is_mailed) == (True, False)
    assert customer.reasons[0] == ("They’re a customer, and customers aren’t emailed at this step.")
