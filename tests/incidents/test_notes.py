"""Notes for colleagues: they are kept, told to chat where asked, and change nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access.permissions import Forbidden
from statuspage.core.db import writing
from statuspage.core.enums import Audience, NoteKind, Step
from statuspage.core.errors import Invalid
from statuspage.incidents.notes import (
    NewNote,
    acknowledge,
    acknowledged_by,
    add_note,
    note_due_at,
    notes_of,
)
from statuspage.models import AuditEntry, Delivery, Incident, IncidentNote, Message, revision
from tests.announcing import ACTOR, Scenario, declare, post
from tests.factories import NOON


def note(code: str, body: str = "We roll back.", **values: object) -> IncidentNote:
    made = NewNote(NoteKind.DECISION, body, **values)  # type: ignore[arg-type]
    return add_note(code, made, form_key=uuid4().hex, actor=ACTOR)


def test_a_note_is_kept_with_its_author_kind_and_time(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    note(incident.code, "It began with the release.", happened_at=NOON - timedelta(minutes=5))
    note(incident.code)
    assert [
        (one.body, one.kind, one.author, one.happened_at) for one in notes_of(session, incident)
    ] == [
        ("We roll back.", NoteKind.DECISION, "Ada", NOON),
        ("It began with the release.", NoteKind.DECISION, "Ada", NOON - timedelta(minutes=5)),
    ]
    entry = session.scalars(select(AuditEntry).filter_by(action="incident.note")).first()
    assert entry is not None
    assert entry.after == {"kind": "decision", "body": "It began with the release."}


def test_a_note_changes_nothing_that_others_see(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    before = (incident.version, revision.current_number(session), len(incident.updates))
    code = incident.code
    note(code)
    incident = session.scalars(select(Incident).filter_by(code=code)).one()
    assert (
        incident.version, revision.current_number(session), len(incident.updates)
    ) == before  # fmt: skip


def test_a_note_is_posted_to_chat_only_where_it_says_so(
    scenario: Scenario, session: Session
) -> None:
    code = declare(scenario).code
    note(code, "Kept.")
    told = note(code, "Told [[name]].", in_chat=True)
    message = session.scalars(select(Message).filter_by(step=Step.NOTE)).one()
    assert message.audience is Audience.INTERNAL
    assert "Decision by Ada" in message.text
    assert "Kept." not in message.text
    rows = session.execute(
        select(Delivery.channel, Delivery.step_key).filter_by(message_id=message.id)
    )
    assert rows.all() == [("chat", f"note:{told.id}")]


def test_an_update_does_not_take_the_place_of_a_note(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    note(code, in_chat=True)
    post(code, "identified")
    chosen = select(Delivery.state).where(Delivery.step_key.startswith("note:"))
    assert session.scalars(chosen).all() == ["pending"]


def test_the_first_to_acknowledge_counts(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    assert acknowledged_by(session, incident) is None
    first = acknowledge(incident.code, actor=ACTOR)
    again = acknowledge(incident.code, actor=replace(ACTOR, name="Bo"))
    assert (again.id, again.author, again.kind) == (first.id, "Ada", NoteKind.ACKNOWLEDGED)
    # Whoever notes that it was earlier is believed.
    made = NewNote(NoteKind.ACKNOWLEDGED, "Kim did.", NOON - timedelta(minutes=5))
    earlier = add_note(incident.code, made, form_key="own", actor=ACTOR)
    found = acknowledged_by(session, incident)
    assert found is not None
    assert found.id == earlier.id


def test_the_same_form_makes_one_note(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    made = NewNote(NoteKind.PROGRESS, "Half of it is back.")
    for _ in range(2):
        add_note(incident.code, made, form_key="one form", actor=ACTOR)
    assert len(notes_of(session, incident)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"body": ""}, "body"),
        ({"body": "x" * 20_000}, "body"),
        ({"happened_at": NOON + timedelta(hours=1)}, "happened_at"),
    ],
)
def test_what_cannot_be_a_note_is_refused(
    scenario: Scenario, change: dict[str, object], field: str
) -> None:
    made = replace(NewNote(NoteKind.PROGRESS, "Fine."), **change)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        add_note(declare(scenario).code, made, form_key="x", actor=ACTOR)
    assert refused.value.field == field


def test_who_may_not_write_notes_is_refused(scenario: Scenario) -> None:
    code = declare(scenario).code
    with pytest.raises(Forbidden):
        add_note(
            code, NewNote(NoteKind.PROGRESS, "x"), form_key="x",
            actor=replace(ACTOR, permissions=frozenset()),
        )  # fmt: skip


def test_the_severity_says_when_the_next_note_is_due(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    incident = declare(scenario, severity_rank=1)
    assert note_due_at(session, incident) == NOON + timedelta(minutes=15)
    frozen.shift(timedelta(minutes=10))
    kept = note(incident.code)
    due_at = note_due_at(session, incident)
    assert due_at == note_due_at(session, incident, all_notes=[kept])
    assert due_at == NOON + timedelta(minutes=25)
    small = declare(scenario, severity_rank=3)
    assert note_due_at(session, small) is None


def test_nothing_is_due_once_it_is_over(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    post(code, "resolved")
    with writing() as session:
        incident = session.scalars(select(Incident).filter_by(code=code)).one()
        assert note_due_at(session, incident) is None
