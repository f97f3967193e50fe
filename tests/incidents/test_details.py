"""An incident's title, start and roles: corrected, noted by name, and nobody is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core.conflict import Conflict
from statuspage.core.db import writing
from statuspage.core.enums import IncidentRole
from statuspage.core.errors import Invalid
from statuspage.incidents.details import Details, change_details
from statuspage.models import Contact, Delivery, Incident, revision
from tests.announcing import ACTOR, Scenario, declare, resolve
from tests.configuration_edits import count_entries, last_entry
from tests.factories import NOON


@pytest.fixture
def incident(scenario: Scenario) -> Incident:
    return declare(scenario)


def as_is(incident: Incident) -> Details:
    return Details(incident.title, incident.started_at)


def test_a_role_is_noted_by_its_name_and_nobody_is_told(
    incident: Incident, session: Session
) -> None:
    with writing() as session:
        kim = Contact(name="Kim")
        session.add(kim)
    queued = session.scalar(select(func.count(Delivery.id)))
    roles = {IncidentRole.COMMANDER: kim.id}
    change_details(incident.code, replace(as_is(incident), roles=roles), actor=ACTOR)
    entry = last_entry(session)
    assert (entry.before, entry.after) == ({"commander_id": None}, {"commander_id": "Kim"})
    assert session.scalar(select(func.count(Delivery.id))) == queued


def test_what_does_not_differ_is_no_change(incident: Incident, session: Session) -> None:
    before = count_entries(session), revision.current_number(session)
    change_details(incident.code, as_is(incident), actor=ACTOR)
    assert (count_entries(session), revision.current_number(session)) == before


def test_only_a_public_title_is_shown_anew(scenario: Scenario, session: Session) -> None:
    hidden, shown = declare(scenario, visibility="internal"), declare(scenario)
    before = revision.current_number(session)
    moved = []
    for each in (hidden, shown):
        change_details(each.code, replace(as_is(each), title="Cards fail"), actor=ACTOR)
        moved.append(revision.current_number(session) - before)
    assert moved == [0, 1]


def test_a_start_lies_neither_ahead_nor_after_the_end(incident: Incident) -> None:
    resolve(incident.code)
    for started_at, reason in (
        (NOON + timedelta(hours=1), "can’t start in the future"),
        (NOON + timedelta(minutes=1), "after it was resolved"),
    ):
        with pytest.raises(Invalid, match=reason):
            change_details(
                incident.code, replace(as_is(incident), started_at=started_at), actor=ACTOR
            )


def test_what_a_colleague_changed_meanwhile_is_not_replaced(incident: Incident) -> None:
    with pytest.raises(Conflict):
        change_details(
            incident.code, replace(as_is(incident), title="Mine"), actor=ACTOR,
            seen_version=incident.version - 1,
        )  # fmt: skip
