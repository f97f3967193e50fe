"""A fix is looked at 5, 15, 30 and 60 minutes after monitoring began, each time in one note."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.core.enums import IncidentStatus, NoteKind
from statuspage.core.errors import Invalid
from statuspage.incidents.notes import notes_of
from statuspage.incidents.verification import marks_of, verify
from statuspage.models import Incident
from tests.announcing import ACTOR, Scenario, declare, post


def marks(code: str) -> list[tuple[int, bool, str | None]]:
    current_session().expire_all()
    incident = current_session().query(Incident).filter_by(code=code).one()
    found = marks_of(incident, notes_of(current_session(), incident))
    return [
        (mark.after // timedelta(minutes=1), mark.is_due, mark.verified and mark.verified.author)
        for mark in found
    ]


def test_each_mark_is_due_in_turn_and_settled_by_one_note(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    code = declare(scenario).code
    assert marks(code) == []
    post(code, IncidentStatus.MONITORING)
    assert [due for _, due, _ in marks(code)] == [False] * 4
    frozen.shift(timedelta(minutes=5))
    assert marks(code)[0] == (5, True, None)
    first, again = verify(code, actor=ACTOR), verify(code, actor=ACTOR)
    assert first.id == again.id
    assert (first.kind, first.body) == (
        NoteKind.VERIFIED, "The fix holds 5 minutes after monitoring began.",
    )  # fmt: skip
    frozen.shift(timedelta(minutes=30))
    # The second mark went by; the third is settled by this look.
    verify(code, actor=ACTOR)
    assert marks(code) == [
        (5, False, "Ada"),
        (15, True, None),
        (30, False, "Ada"),
        (60, False, None),
    ]


def test_what_is_not_monitored_or_too_new_has_nothing_to_verify(
    scenario: Scenario, frozen: Traveller
) -> None:
    code = declare(scenario).code
    with pytest.raises(Invalid, match="no fix to verify"):
        verify(code, actor=ACTOR)
    post(code, IncidentStatus.MONITORING)
    with pytest.raises(Invalid, match="no fix to verify"):
        verify(code, actor=ACTOR)
    with pytest.raises(Invalid, match="no fix to verify"):
        verify("nothing", actor=ACTOR)


def test_a_fix_that_did_not_hold_begins_its_marks_again(
    scenario: Scenario, frozen: Traveller
) -> None:
    code = declare(scenario).code
    post(code, IncidentStatus.MONITORING)
    frozen.shift(timedelta(minutes=6))
    verify(code, actor=ACTOR)
    post(code, IncidentStatus.IDENTIFIED)
    assert marks(code) == []
    frozen.shift(timedelta(minutes=1))
    post(code, IncidentStatus.MONITORING)
    assert marks(code) == [
        (5, False, None),
        (15, False, None),
        (30, False, None),
        (60, False, None),
    ]
