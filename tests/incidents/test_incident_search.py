"""Which incidents a search finds, by each thing that it can ask for and by all at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus, IncidentRole, NoteKind
from statuspage.incidents import incident_search
from statuspage.incidents.incident_search import IncidentFilter
from statuspage.incidents.notes import NewNote, add_note
from statuspage.models import Contact, Incident
from tests.announcing import ACTOR, Scenario, declare, resolve
from tests.factories import NOON


@pytest.fixture(autouse=True)
def told(scenario: Scenario, session: Session, frozen: Traveller) -> int:
    """Two incidents: payments failed yesterday and Ana led them, the catalog is slow now."""
    with writing() as session:
        ana = Contact(name="Ana")
        session.add(ana)
        session.flush()
        ana_id = ana.id
    code = declare(scenario, roles={IncidentRole.SCRIBE: ana_id}).code
    add_note(code, NewNote(NoteKind.DECISION, "No 100% rollback."), form_key="n", actor=ACTOR)
    resolve(code)
    frozen.shift(timedelta(days=1))
    declare(
        scenario, title="The catalog is slow", severity_rank=2, users_notice="Pages load slowly.",
        components={scenario.catalog: ComponentStatus.DEGRADED_PERFORMANCE},
        started_at=NOON + timedelta(days=1),
        next_update_at=NOON + timedelta(days=2),
    )  # fmt: skip
    return ana_id


def found(session: Session, **wanted: object) -> list[str]:
    which = incident_search.conditions(IncidentFilter(**wanted))  # type: ignore[arg-type]
    return [one.split()[0] for one in session.scalars(select(Incident.title).where(*which))]


def test_each_word_stands_in_the_title_the_code_an_update_or_a_note(session: Session) -> None:
    code = session.scalars(select(Incident.code).filter_by(severity_rank=2)).one()
    texts = ("", "CATALOG", "declined payments", "declined catalog", "100%", "slowly", code)
    assert [sorted(found(session, text=text)) for text in texts] == [
        ["Payments", "The"], ["The"], ["Payments"], [], ["Payments"], ["The"], ["The"],
    ]  # fmt: skip


def test_what_else_is_asked_for_must_fit_too(
    scenario: Scenario, session: Session, told: int
) -> None:
    assert found(session, severity_rank=1) == ["Payments"]
    assert found(session, component_id=scenario.catalog) == ["The"]
    assert found(session, contact_id=told) == ["Payments"]
    assert found(session, contact_id=told, severity_rank=2) == []


def test_days_keep_what_went_on_in_them(session: Session) -> None:
    later = NOON + timedelta(hours=20)
    assert found(session, until=later) == ["Payments"]
    assert found(session, since=later) == ["The"]
    assert found(session, since=later, until=later + timedelta(hours=1)) == []


def test_the_public_is_told_of_public_updates_alone(session: Session) -> None:
    def public(text: str) -> list[str]:
        return list(session.scalars(select(Incident.title).where(
            incident_search.tells(text, in_public=True)
        )))  # fmt: skip

    assert public("declined") == ["Payments fail"]
    assert public("rollback") == []
