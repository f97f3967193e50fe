"""The meeting at which a review is talked over: its time, who comes, its agenda, a calendar file.

Attendees are told by mail when it is planned, moved or cancelled, and colleagues in chat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from icalendar import Calendar, Event, vCalAddress
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import IncidentRole, Kind, Step
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.incidents.announcement import incident_facts
from statuspage.incidents.apply_update import locked
from statuspage.incidents.notify_staff import send_to_colleagues
from statuspage.incidents.review.documents import review_of
from statuspage.messages.compose import Text
from statuspage.messages.tokens import disarm
from statuspage.models import Contact, Incident, Review, ReviewMeeting
from statuspage.models.columns import LINE_LIMIT

AGENDA: Final = """\
Timeline: what happened, and what was decided when (10 minutes)
Root cause, contributing factors, and why it was not caught (15 minutes)
What went well (10 minutes)
What could go better (15 minutes)
Action items, each with an owner and a date (10 minutes)"""
LONGEST: Final = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class MeetingDetails:
    """A meeting as it is planned; ``attendees`` are the ids of contacts."""

    begins_at: datetime
    minutes: int = 60
    place: str = ""
    attendees: Sequence[int] = ()
    agenda: str = AGENDA


def meeting_of(session: Session, review: Review) -> ReviewMeeting | None:
    """The meeting about a review."""
    return session.get(ReviewMeeting, review.id)


def attendees_of(session: Session, meeting: ReviewMeeting) -> list[Contact]:
    """Who is to come, by name."""
    chosen = select(Contact).where(Contact.id.in_(meeting.attendees))
    return list(session.scalars(chosen.order_by(Contact.name, Contact.id)))


def proposed_attendees(incident: Incident) -> list[int]:
    """The ids of those who had a role in the incident."""
    people = (incident.person(role) for role in IncidentRole)
    return list(dict.fromkeys(person.id for person in people if person))


@needs(Permission.DRAFT)
def plan(code: str, details: MeetingDetails, *, actor: Actor) -> None:
    """Plan the meeting about a review, or move it, and tell those who are to come.

    Raises :class:`Invalid`.
    """
    if details.begins_at <= clock.now():
        raise Invalid("begins_at", "Choose a time in the future.")
    if not 0 < details.minutes <= LONGEST // timedelta(minutes=1):
        raise Invalid("minutes", "Choose a length of up to 8 hours.")
    with writing() as session:
        incident, review = _locked(session, code)
        known = set(session.scalars(select(Contact.id).where(Contact.removed_at.is_(None))))
        details = replace(details, attendees=[one for one in details.attendees if one in known])
        meeting = meeting_of(session, review)
        before = _details(meeting) if meeting else None
        if before == details:
            return
        if meeting is None:
            meeting = ReviewMeeting(review=review, sequence=0)
            session.add(meeting)
        else:
            meeting.sequence += 1
        for name, value in asdict(details).items():
            setattr(meeting, name, value)
        meeting.updated_at = clock.now()
        session.flush()
        _tell(session, incident, meeting, "moved or changed" if before else "planned")
        _record(session, actor, incident, {"begins_at": details.begins_at.isoformat()})


@needs(Permission.DRAFT)
def cancel(code: str, *, actor: Actor) -> None:
    """Cancel the meeting, and tell those who were to come."""
    with writing() as session:
        incident, review = _locked(session, code)
        meeting = meeting_of(session, review)
        if meeting is None:
            return
        if meeting.begins_at > clock.now():
            _tell(session, incident, meeting, "cancelled")
        session.delete(meeting)
        _record(session, actor, incident, {"cancelled": True})


def as_calendar(session: Session, incident: Incident, meeting: ReviewMeeting) -> bytes:
    """The meeting as iCalendar (RFC 5545), to be added to a calendar."""
    calendar, event = Calendar(), Event()
    calendar.add("prodid", "-//statuspage//review//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    event.add("uid", f"review-{incident.code}@{urlsplit(current_links().base).hostname}")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", meeting.updated_at.replace(microsecond=0))
    event.add("dtstart", meeting.begins_at.replace(microsecond=0))
    event.add("duration", timedelta(minutes=meeting.minutes))
    event.add("summary", f"Review: {incident.title}")
    event.add("description", f"{meeting.agenda}\n\n{_address(incident)}".strip())
    event.add("url", _address(incident))
    if meeting.place:
        event.add("location", meeting.place)
    for contact in attendees_of(session, meeting):
        if contact.email:
            person = vCalAddress(f"mailto:{contact.email}")
            person.params["CN"] = contact.name
            event.add("attendee", person, encode=False)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _details(meeting: ReviewMeeting) -> MeetingDetails:
    return MeetingDetails(
        meeting.begins_at, meeting.minutes, meeting.place, meeting.attendees, meeting.agenda
    )


def _locked(session: Session, code: str) -> tuple[Incident, Review]:
    incident = locked(session, code, kind=Kind.INCIDENT)
    review = review_of(session, incident)
    if review is None:
        raise Invalid("review", "Start the review first.")
    return incident, review


def _address(incident: Incident) -> str:
    return f"{current_links().admin_incident(incident.code)}/review"


def _tell(session: Session, incident: Incident, meeting: ReviewMeeting, what: str) -> None:
    facts = incident_facts(incident, Step.REVIEW_DUE)
    when = clock.show(meeting.begins_at, facts.public.zone)
    people = attendees_of(session, meeting)
    lines = [
        f"{when}, {meeting.minutes} minutes",
        f"Where: {meeting.place}" if meeting.place else "",
        f"Attendees: {', '.join(contact.name for contact in people)}" if people else "",
        f"\nAgenda:\n{meeting.agenda}" if meeting.agenda and what != "cancelled" else "",
        f"\nReview, and the meeting for your calendar: {_address(incident)}",
    ]
    text = Text(
        disarm(f"Review meeting {what}: {incident.title}"[:LINE_LIMIT]),
        disarm("\n".join(filter(None, lines))),
    )
    send_to_colleagues(
        session, incident, text, facts, step=Step.REVIEW_DUE,
        step_key=f"meeting:{meeting.review_id}:{meeting.sequence}:{what}",
        people=dict.fromkeys(people, "Attendee of the review meeting"),
    )  # fmt: skip


def _record(session: Session, actor: Actor, incident: Incident, after: dict[str, object]) -> None:
    audit.record(
        session, actor, "incident.review_meeting", subject_kind="incident",
        subject=incident.code, after=after,
    )  # fmt: skip
