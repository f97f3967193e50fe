"""The meeting about a review: its attendees are told once of each change, and can keep it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, IncidentRole
from statuspage.core.errors import Invalid
from statuspage.incidents.review import documents, meeting
from statuspage.incidents.review.meeting import AGENDA, MeetingDetails
from statuspage.models import Contact, Delivery, Incident, Message, ReviewMeeting
from tests.announcing import ACTOR, Scenario, declare, resolve
from tests.factories import NOON

TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def incident(scenario: Scenario, session: Session) -> Incident:
    with writing() as writes:
        dana = Contact(name="Dana", email="dana@example.com")
        writes.add_all([dana, Contact(name="Emre")])
        writes.flush()
        key = dana.id
    code = declare(scenario, roles={IncidentRole.COMMANDER: key}).code
    resolve(code)
    documents.begin(code, actor=ACTOR)
    return session.scalars(select(Incident).filter_by(code=code)).one()


def details(session: Session) -> MeetingDetails:
    people = session.scalars(select(Contact.id).order_by(Contact.name)).all()
    return MeetingDetails(TOMORROW, place="Room 4; second floor", attendees=people)


def mailed(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    rows = session.execute(
        select(Delivery.address, Message.subject)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.audience == Audience.INTERNAL, Delivery.channel == Channel.EMAIL)
        .where(Message.subject.startswith("Review meeting"))
        .order_by(Delivery.id)
    )
    return [(row[0], row[1]) for row in rows]


def test_who_had_a_role_is_proposed(incident: Incident, session: Session) -> None:
    dana = session.scalars(select(Contact).filter_by(name="Dana")).one()
    assert meeting.proposed_attendees(incident) == [dana.id]


def test_attendees_are_told_of_each_change_and_of_nothing_twice(
    incident: Incident, session: Session, frozen: Traveller
) -> None:
    planned = details(session)
    meeting.plan(incident.code, planned, actor=ACTOR)
    meeting.plan(incident.code, planned, actor=ACTOR)
    moved = replace(planned, begins_at=TOMORROW + timedelta(hours=1))
    meeting.plan(incident.code, moved, actor=ACTOR)
    meeting.cancel(incident.code, actor=ACTOR)
    meeting.cancel(incident.code, actor=ACTOR)
    title = incident.title
    assert mailed(session) == [
        ("dana@example.com", f"Review meeting planned: {title}"),
        ("dana@example.com", f"Review meeting moved or changed: {title}"),
        ("dana@example.com", f"Review meeting cancelled: {title}"),
    ]
    assert session.scalars(select(ReviewMeeting)).all() == []


def test_the_calendar_file_is_the_meeting(
    incident: Incident, session: Session, frozen: Traveller
) -> None:
    meeting.plan(incident.code, details(session), actor=ACTOR)
    session.rollback()
    planned = session.scalars(select(ReviewMeeting)).one()
    written = Calendar.from_ical(meeting.as_calendar(session, incident, planned))
    (event,) = written.walk("VEVENT")
    assert (event["DTSTART"].dt, event["DURATION"].dt, event["SEQUENCE"]) == (
        TOMORROW, timedelta(hours=1), 0,
    )  # fmt: skip
    assert event["SUMMARY"] == f"Review: {incident.title}"
    assert event["LOCATION"] == "Room 4; second floor"
    assert event["DESCRIPTION"].startswith(AGENDA)
    assert str(event["ATTENDEE"]) == "mailto:dana@example.com"
    assert event["ATTENDEE"].params["CN"] == "Dana"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"begins_at": NOON - timedelta(minutes=1)}, "begins_at"), ({"minutes": 0}, "minutes")],
)
def test_what_cannot_be_planned_is_said_at_its_field(
    incident: Incident,
    session: Session,
    frozen: Traveller,
    changes: dict[str, object],
    field: str,
) -> None:
    wrong = replace(details(session), **changes)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        meeting.plan(incident.code, wrong, actor=ACTOR)
    assert refused.value.field == field


def test_a_meeting_needs_a_review(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    with pytest.raises(Invalid, match="Start the review first"):
        meeting.plan(code, details(session), actor=ACTOR)
