"""What an update changes of an incident: its state, its severity, its times and its facts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from statuspage.core.enums import Impact, IncidentStatus, Kind, Step
from statuspage.core.errors import Invalid
from statuspage.incidents.apply_update import (
    apply_update_to,
    declared,
    detached_copy,
    locked,
    set_severity,
    step_of,
)
from statuspage.incidents.inputs import Drill, NewUpdate
from statuspage.models import Incident
from tests.announcing import Scenario, declaration, declare
from tests.factories import NOON

HOUR = timedelta(hours=1)
RESOLVED, MONITORING = IncidentStatus.RESOLVED, IncidentStatus.MONITORING


@pytest.fixture
def incident(scenario: Scenario, session: Session) -> Incident:
    """An incident of no session, as previews have them."""
    return detached_copy(declare(scenario, severity_rank=2))


def apply(
    session: Session,
    incident: Incident,
    status: IncidentStatus,
    *,
    at: datetime = NOON,
    reopens: bool = False,
    **changes: object,
) -> None:
    update = NewUpdate(status, **changes)  # type: ignore[arg-type]
    apply_update_to(session, incident, update, at, reopens=reopens)


@pytest.mark.parametrize(
    ("update", "reopens", "step"),
    [
        (NewUpdate(MONITORING), False, Step.MONITORING),
        (NewUpdate(IncidentStatus.INVESTIGATING), True, Step.REOPENED),
        (NewUpdate(RESOLVED, false_alarm=True), False, Step.FALSE_ALARM),
    ],
)
def test_an_update_is_the_step_of_its_status_unless_it_reopens_or_was_no_incident(
    update: NewUpdate, reopens: bool, step: Step
) -> None:
    assert step_of(update, reopens=reopens) is step


def test_a_resolution_ends_it_when_it_happened_and_promises_nothing(
    incident: Incident, session: Session
) -> None:
    apply(session, incident, RESOLVED, happened_at=NOON - HOUR, next_update_at=NOON + HOUR)
    assert (incident.resolved_at, incident.next_update_at) == (NOON - HOUR, None)
    assert (incident.status, incident.resolutions) == ("resolved", 1)


def test_a_false_alarm_had_no_impact_and_a_reopening_gives_it_back(
    incident: Incident, session: Session
) -> None:
    before = incident.impact
    apply(session, incident, RESOLVED, false_alarm=True)
    assert (incident.impact, incident.cancelled_at, incident.review_due_at) == (
        Impact.NONE, NOON, None,
    )  # fmt: skip
    apply(session, incident, IncidentStatus.INVESTIGATING, reopens=True)
    assert (incident.impact, incident.cancelled_at, incident.resolved_at) == (before, None, None)


def test_it_is_monitored_since_the_first_of_such_updates_on_end(
    incident: Incident, session: Session
) -> None:
    apply(session, incident, MONITORING, at=NOON)
    apply(session, incident, MONITORING, at=NOON + HOUR)
    assert incident.monitoring_at == NOON
    apply(session, incident, IncidentStatus.IDENTIFIED, at=NOON + HOUR)
    apply(session, incident, MONITORING, at=NOON + 2 * HOUR)
    assert incident.monitoring_at == NOON + 2 * HOUR


def test_the_worst_severity_stays_known_and_an_impact_of_its_own_outlasts_the_level(
    incident: Incident, session: Session
) -> None:
    set_severity(session, incident, 1)
    set_severity(session, incident, 3)
    set_severity(session, incident, 99)
    assert (incident.severity_rank, incident.worst_rank) == (3, 1)
    apply(session, incident, MONITORING, impact=Impact.CRITICAL)
    set_severity(session, incident, 2)
    assert incident.impact is Impact.CRITICAL


def test_a_copy_is_in_no_session_and_leaves_the_incident_alone(
    scenario: Scenario, session: Session
) -> None:
    kept = declare(scenario)
    copy = detached_copy(kept)
    copy.title = "Another"
    assert (inspect(copy).transient, kept.title) == (True, "Payments fail")


def test_a_drill_is_internal_whatever_it_was_declared_as(
    scenario: Scenario, session: Session
) -> None:
    drill = declared(session, declaration(scenario, drill=Drill()), NOON)
    assert (drill.is_internal, drill.is_drill) == (True, True)


def test_an_incident_is_no_maintenance(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    assert locked(session, code, kind=Kind.INCIDENT).code == code
    with pytest.raises(Invalid, match="This maintenance does not exist"):
        locked(session, code, kind=Kind.MAINTENANCE)
    session.rollback()
