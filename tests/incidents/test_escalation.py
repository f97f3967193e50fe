"""Who is called at which moment, by the scheme, the promise and the people of an incident."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import IncidentRole, Step
from statuspage.incidents.escalation import Ladder, escalation, ladders, steps_of
from statuspage.models import Contact, SeverityLevel
from tests.announcing import Scenario, declare, post
from tests.factories import NOON


@pytest.fixture
def people(scenario: Scenario, session: Session) -> dict[IncidentRole, int]:
    with writing() as session:
        alice, charlie = Contact(name="Alice"), Contact(name="Charlie")
        session.add_all([alice, charlie, Contact(name="Max", role="Management")])
        session.flush()
        return {IncidentRole.COMMANDER: alice.id, IncidentRole.COMMS_LEAD: charlie.id}


def climb(session: Session, *steps: tuple[int, str]) -> None:
    """Have the worst level escalate like that."""
    with writing() as session:
        level = session.scalars(select(SeverityLevel).filter_by(rank=1)).one()
        level.escalation = [{"after_minutes": after, "to": to} for after, to in steps]


def told(ladder: Ladder) -> list[tuple[float, Step, list[str]]]:
    """The minute after noon, the step and who is called, of each of its steps."""
    return [
        ((one.at - NOON) / timedelta(minutes=1), one.step, [who.name for who in one.people])
        for one in ladder.steps
    ]


def test_a_level_escalates_soonest_first_and_no_level_never() -> None:
    level = SeverityLevel(
        escalation=[{"after_minutes": 30, "to": "b"}, {"after_minutes": 5, "to": "a"}]
    )
    assert (steps_of(level), steps_of(None)) == ([(5, "a"), (30, "b")], [])


@pytest.mark.parametrize(("promised", "ahead"), [(3, 1), (20, 4), (90, 10)])
def test_a_promise_is_recalled_a_fifth_of_its_time_ahead_and_once_more_as_long_after(
    scenario: Scenario,
    people: dict[IncidentRole, int],
    session: Session,
    promised: int,
    ahead: int,
) -> None:
    climb(session, (600, "management"))
    due_at = NOON + timedelta(minutes=promised)
    incident = declare(scenario, roles=people, next_update_at=due_at)
    promise, scheme, note = ladders(session, incident)
    assert told(promise) == [
        (promised - ahead, Step.UPDATE_DUE, ["Charlie"]),
        (promised, Step.OVERDUE, ["Alice", "Charlie"]),
        (promised + ahead, Step.OVERDUE, ["Max"]),
    ]
    assert told(scheme) == [(600, Step.ESCALATED, ["Max"])]
    assert told(note) == [(15, Step.NOTE_DUE, [])]


def test_where_nobody_leads_the_communication_the_commander_is_reminded(
    scenario: Scenario, people: dict[IncidentRole, int], session: Session
) -> None:
    del people[IncidentRole.COMMS_LEAD]
    due_at = NOON + timedelta(minutes=20)
    promise, *_ = ladders(session, declare(scenario, roles=people, next_update_at=due_at))
    assert told(promise)[0] == (16, Step.UPDATE_DUE, ["Alice"])


def test_who_is_called_by_two_roles_at_once_is_called_once(
    scenario: Scenario, people: dict[IncidentRole, int], session: Session
) -> None:
    people[IncidentRole.COMMS_LEAD] = people[IncidentRole.COMMANDER]
    climb(session, (10, "commander"), (10, "comms_lead"), (20, "technical_lead"))
    assert told(escalation(session, declare(scenario, roles=people))) == [
        (10, Step.ESCALATED, ["Alice"]), (20, Step.ESCALATED, []),
    ]  # fmt: skip


def test_a_reopened_incident_escalates_anew(
    scenario: Scenario, people: dict[IncidentRole, int], session: Session
) -> None:
    incident = declare(scenario, roles=people)
    before = escalation(session, incident).key
    post(incident.code, "resolved")
    session.refresh(incident)
    assert escalation(session, incident).key != before
