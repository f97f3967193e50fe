"""What is known of an incident: its timeline and its figures."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus, DeliveryState, Milestone, NoteKind
from statuspage.incidents.notes import NewNote, acknowledge, add_note
from statuspage.incidents.review import evidence
from statuspage.incidents.review.evidence import ReviewEntry, read_entry
from statuspage.models import Delivery, Incident
from tests.announcing import ACTOR, Scenario, declare, post, resolve
from tests.factories import NOON

MINUTE = timedelta(minutes=1)


def told(session: Session, scenario: Scenario, frozen: Traveller) -> Incident:
    """Began 11:50, declared at noon, a note, half restored at 12:20, fixed 12:30, over 12:40."""
    code = declare(scenario, next_update_at=NOON + 15 * MINUTE).code
    note = NewNote(NoteKind.DECISION, "We roll back.", NOON + 5 * MINUTE)
    frozen.shift(20 * MINUTE)
    add_note(code, note, form_key=uuid4().hex, actor=ACTOR)
    post(code, "monitoring", components={scenario.checkout: ComponentStatus.DEGRADED_PERFORMANCE})
    frozen.shift(20 * MINUTE)
    resolve(code)
    session.expire_all()
    return session.query(Incident).filter_by(code=code).one()


def test_the_timeline_has_updates_notes_states_and_late_promises(
    session: Session, scenario: Scenario, frozen: Traveller
) -> None:
    incident = told(session, scenario, frozen)
    found = evidence.timeline(session, incident)
    assert [(one.at - NOON, one.source, one.text.split(":")[0], one.mark) for one in found] == [
        (-10 * MINUTE, "Incident", "It started", None),
        (-10 * MINUTE, "Component", "Checkout", None),
        (0 * MINUTE, "Incident", "Declared as SEV1", Milestone.DECLARED),
        (0 * MINUTE, "Public update", "Investigating", Milestone.FIRST_WORD),
        (5 * MINUTE, "Note by Ada", "Decision", None),
        (15 * MINUTE, "Promise", "The promised update was late by 5 minutes", None),
        (20 * MINUTE, "Public update", "Monitoring", Milestone.MITIGATED),
        (20 * MINUTE, "Component", "Checkout", None),
        (40 * MINUTE, "Public update", "Resolved", Milestone.RESOLVED),
        (40 * MINUTE, "Component", "Checkout", None),
    ]
    assert len({one.key for one in found}) == len(found)
    assert [read_entry(one.stored()) for one in found] == found


def test_who_took_it_on_first_is_marked(session: Session, scenario: Scenario) -> None:
    incident = declare(scenario)
    acknowledge(incident.code, actor=ACTOR)
    add_note(incident.code, NewNote(NoteKind.ACKNOWLEDGED, "Me too."), form_key="too", actor=ACTOR)
    found = [one.mark for one in evidence.timeline(session, incident) if "Note" in one.source]
    assert sorted(map(str, found)) == ["None", "acknowledged"]


def test_what_falls_together_has_an_entry_each(
    session: Session, scenario: Scenario, frozen: Traveller
) -> None:
    code = declare(scenario, visibility="internal").code
    frozen.shift(MINUTE)
    resolve(code)
    session.expire_all()
    incident = session.query(Incident).filter_by(code=code).one()
    assert [one.mark for one in evidence.timeline(session, incident) if one.mark] == [
        Milestone.DECLARED, Milestone.RESOLVED,
    ]  # fmt: skip


def test_the_figures_follow_from_the_marks(
    session: Session, scenario: Scenario, frozen: Traveller
) -> None:
    incident = told(session, scenario, frozen)
    with writing() as written:
        written.query(Delivery).update({"state": DeliveryState.DELIVERED})
    entries = [
        *evidence.timeline(session, incident),
        ReviewEntry("own", NOON - 7 * MINUTE, "The alarm rang", "Added", Milestone.DETECTED),
        ReviewEntry("own2", NOON, "Nobody saw it", "Added", Milestone.ACKNOWLEDGED, dropped=True),
    ]
    figures = evidence.figures(session, incident, entries)
    assert list(figures.times) == [
        ("Time to detect", 3 * MINUTE),
        ("Time to acknowledge", None),
        ("Time to the first public update", 10 * MINUTE),
        ("Time to mitigate", 30 * MINUTE),
        ("Time to resolve", 50 * MINUTE),
    ]
    assert list(figures.components) == [("Checkout", 50 * MINUTE)]
    assert (figures.customers, figures.promises.late) == (4, 1)
