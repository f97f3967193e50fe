"""Publishing: one submission makes one update, with its messages, its audit and a new revision."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import SYSTEM
from statuspage.core import clock
from statuspage.core.conflict import Conflict
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Kind, Step
from statuspage.incidents.publish import Publication, Submission, begin, publish
from statuspage.models import AuditEntry, Incident, Message, revision
from tests.announcing import ACTOR, Scenario, declare


def test_an_update_is_announced_audited_and_on_the_page(
    scenario: Scenario, session: Session
) -> None:
    code, before = declare(scenario).code, revision.current_number(session)
    update = post(
        code, Submission(SYSTEM, "form"), Publication("incident.update", Step.INVESTIGATING)
    )
    [entry] = session.scalars(select(AuditEntry).filter_by(action="incident.update"))
    chosen = select(Message.audience).filter_by(update_id=update.id)
    assert set(session.scalars(chosen)) >= {Audience.PUBLIC, Audience.INTERNAL}
    assert (entry.subject, entry.after) == (code, {"body": update.body})
    assert revision.current_number(session) == before + 1


def test_a_given_body_is_posted_without_any_message(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    publication = Publication("incident.merge", Step.RESOLVED, body="It goes on elsewhere.")
    update = post(code, Submission(SYSTEM, "form"), publication)
    assert update.body == "It goes on elsewhere."
    assert session.scalars(select(Message).filter_by(update_id=update.id)).all() == []


def test_the_known_times_in_a_text_are_kept_with_it(scenario: Scenario) -> None:
    declared = declare(scenario)
    due = declared.next_update_at
    assert due is not None
    [update] = declared.updates
    text = clock.show(due, ZoneInfo("UTC"))
    assert text in update.body
    assert update.times == {text: due.isoformat()}


def test_a_form_that_was_used_answers_with_its_update(scenario: Scenario) -> None:
    code = declare(scenario).code
    update = post(
        code, Submission(SYSTEM, "form"), Publication("incident.update", Step.INVESTIGATING)
    )
    with writing() as session:
        again = Submission(ACTOR, "form", seen_version=0)
        assert begin(session, code, again, kind=Kind.INCIDENT)[1] is update


def test_an_author_who_read_an_older_version_is_refused(scenario: Scenario) -> None:
    incident = declare(scenario)
    stale = Submission(ACTOR, "form", seen_version=incident.version - 1)
    with pytest.raises(Conflict), writing() as session:
        begin(session, incident.code, stale, kind=Kind.INCIDENT)


def post(code: str, submission: Submission, publication: Publication):  # type: ignore[no-untyped-def]
    with writing() as session:
        incident = session.scalars(select(Incident).filter_by(code=code)).one()
        return publish(
            session, incident, submission, publication, after=lambda update: {"body": update.body}
        )
