"""What remains after an incident: what applies to it, and how it is ticked off and taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.incidents.checklist import CALM, REVIEW, closing_of, tick_off, untick
from statuspage.models import Contact, Incident
from tests.announcing import ACTOR, Scenario, declare, post, reopen, resolve
from tests.configuration_edits import count_entries, last_entry
from tests.factories import NOON


@pytest.fixture
def over(scenario: Scenario, session: Session) -> Incident:
    incident = declare(scenario)
    resolve(incident.code)
    session.refresh(incident)
    return incident


def done(session: Session, incident: Incident) -> dict[str, str]:
    """Who did each that is done."""
    closing = closing_of(session, incident)
    assert closing is not None
    return {item.name: item.done_by for item in closing.items if item.done_at == NOON}


def test_nothing_is_asked_of_an_open_incident(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    assert closing_of(session, incident) is None
    with pytest.raises(Invalid, match="still open"):
        tick_off(incident.code, ["channel"], actor=ACTOR)


def test_it_is_asked_for_after_an_hour_of_calm(
    over: Incident, session: Session, frozen: Traveller
) -> None:
    closing = closing_of(session, over)
    assert closing is not None
    assert (closing.from_at, closing.is_asked_for) == (NOON + CALM, False)
    known = {item.name for item in closing.items if item.known}
    assert "page" in known
    assert closing.left == len(closing.items) - len(known)
    frozen.shift(timedelta(hours=1))
    assert closing.is_asked_for


def test_nobody_is_asked_about_what_did_not_concern_the_incident(
    scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario, severity_rank=4, components={})
    resolve(incident.code)
    session.refresh(incident)
    incident.review_due_at = None
    closing = closing_of(session, incident)
    assert closing is not None
    assert {"components", REVIEW}.isdisjoint(item.name for item in closing.items)
    session.rollback()


def test_what_is_ticked_says_by_whom_and_ticking_it_again_changes_nothing(
    over: Incident, session: Session
) -> None:
    tick_off(over.code, ["channel", "nonsense"], actor=ACTOR)
    entries = count_entries(session)
    tick_off(over.code, ["channel"], actor=ACTOR)
    assert (done(session, over), count_entries(session)) == ({"channel": "Ada"}, entries)
    untick(over.code, "channel", actor=ACTOR)
    assert done(session, over) == {}
    assert last_entry(session).after == {"Colleagues were notified in chat": "not done after all"}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["monitoring"], "The fix was monitored for 30 minutes before the end."),
        # It did not hold, and what ended it was not monitored.
        (["monitoring", "identified"], ""),
    ],
)
def test_a_fix_that_did_not_hold_was_not_monitored(
    scenario: Scenario, session: Session, frozen: Traveller, steps: list[str], expected: str
) -> None:
    code = declare(scenario).code
    for step in steps:
        post(code, step)
        frozen.shift(timedelta(minutes=30))
    resolve(code)
    session.expire_all()
    incident = session.query(Incident).filter_by(code=code).one()
    closing = closing_of(session, incident)
    assert closing is not None
    assert {item.known for item in closing.items if item.name == "fix"} == {expected}


def test_after_a_reopening_the_same_owner_is_named_again(
    over: Incident, session: Session, frozen: Traveller
) -> None:
    with writing() as transaction:
        kim = Contact(name="Kim")
        transaction.add(kim)
    tick_off(over.code, [], actor=ACTOR, review_owner_id=kim.id)
    reopen(over.code)
    resolve(over.code)
    session.refresh(over)
    assert done(session, over) == {}
    tick_off(over.code, [], actor=ACTOR, review_owner_id=kim.id)
    assert done(session, over) == {REVIEW: "Ada"}


def test_the_review_is_ticked_by_naming_its_owner_alone(over: Incident, session: Session) -> None:
    tick_off(over.code, [REVIEW], actor=ACTOR)
    assert done(session, over) == {}
    with pytest.raises(Invalid, match="Pick one of the contacts"):
        tick_off(over.code, [], actor=ACTOR, review_owner_id=4711)
    with writing() as session:
        kim = Contact(name="Kim")
        session.add(kim)
    tick_off(over.code, [], actor=ACTOR, review_owner_id=kim.id)
    assert (done(session, over), over.review_owner_id) == ({REVIEW: "Ada"}, kim.id)
    untick(over.code, REVIEW, actor=ACTOR)
    assert (done(session, over), over.review_owner_id) == ({}, None)
