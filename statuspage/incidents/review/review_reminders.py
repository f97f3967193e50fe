"""Reminders that a review is due, and overdue: to its owner, by chat and mail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import SYSTEM
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Kind, ReviewState, Step
from statuspage.core.links import current_links
from statuspage.delivery import queue
from statuspage.incidents.announcement import incident_facts
from statuspage.incidents.apply_update import locked
from statuspage.incidents.review.documents import review_of
from statuspage.messages.compose import Text, finish_for_colleagues
from statuspage.messages.tokens import disarm
from statuspage.models import Contact, Incident, Message, Page, Review

DAY: Final = timedelta(days=1)


def steps(incident: Incident) -> list[datetime]:
    """When its owner is reminded: a day ahead, or halfway; when due; a day and three days late."""
    due, resolved = incident.review_due_at, incident.resolved_at
    if due is None or resolved is None:
        return []
    return [due - min(DAY, (due - resolved) / 2), due, due + DAY, due + 3 * DAY]


def remind_due() -> int:
    """Send the reminders whose time has come; how many.  The worker's duty."""
    session, moment = current_session(), clock.now()
    if session.scalar(select(Page.is_demo)):
        return 0
    soon = session.execute(
        select(Incident, Review.reminded_until)
        .join(Review, Review.incident_id == Incident.id)
        .where(Review.state != ReviewState.APPROVED, Incident.review_due_at <= moment + DAY)
    )
    codes = [
        incident.code
        for incident, reminded_until in soon
        if _reached(incident, reminded_until, moment)
    ]
    session.rollback()
    return sum(_remind(code, moment) for code in codes)


def _remind(code: str, moment: datetime) -> bool:
    with writing() as session:
        incident = locked(session, code, kind=Kind.INCIDENT)
        review = review_of(session, incident)
        if review is None or review.state is ReviewState.APPROVED:
            return False
        reached = _reached(incident, review.reminded_until, moment)
        if not reached or incident.review_due_at is None:
            return False
        # Not by the row, whose version would tell its editors of a change.
        kept = update(Review).where(Review.id == review.id).values(reminded_until=moment)
        session.execute(kept.execution_options(synchronize_session=False))
        _queue(session, incident, review, due_at=incident.review_due_at, moment=moment)
        return True


def _reached(incident: Incident, until: datetime | None, moment: datetime) -> bool:
    return any(at <= moment and (until is None or at > until) for at in steps(incident))


def _queue(
    session: Session, incident: Incident, review: Review, *, due_at: datetime, moment: datetime
) -> None:
    facts = incident_facts(incident, Step.REVIEW)
    people = _people(session, incident)
    zone = facts.public.zone
    said = (
        f"overdue by {clock.show_duration(moment - due_at)}"
        if due_at < moment
        else f"due {clock.show(due_at, zone)}"
    )
    names = ", ".join(contact.name for contact in people) or "unassigned"
    address = f"{current_links().admin_incident(incident.code)}/review"
    text = Text(
        f"Review {said}: {incident.title}",
        disarm(
            f"{incident.severity_name or 'Incident'} · review: {review.state.label.lower()}\n"
            f"The review is {said}.\nOwner: {names}\n\nOpen the review: {address}"
        ),
    )
    finished = finish_for_colleagues(text, step=Step.REVIEW_DUE, facts=facts)
    message = Message(
        incident_id=incident.id,
        step=Step.REVIEW_DUE,
        audience=Audience.INTERNAL,
        subject=finished.subject,
        body=finished.body,
        text=finished.text,
        html=finished.html,
    )
    session.add(message)
    session.flush()
    key = f"review:{incident.id}:{moment.timestamp():.0f}"
    queue.queue_chat(session, message, step_key=key, rooms=current_settings().chat_rooms)
    queue.queue_colleagues(session, message, step_key=key, people=people.items())
    audit.record(
        session, SYSTEM, "incident.notify", subject_kind="incident", subject=incident.code,
        after={"about": Step.REVIEW_DUE.label, "asked": [contact.name for contact in people]},
    )  # fmt: skip


def _people(session: Session, incident: Incident) -> Mapping[Contact, str]:
    """The owner; where there is none, the commander, else the communications lead."""
    owner = incident.review_owner_id and session.get(Contact, incident.review_owner_id)
    if owner:
        return {owner: "Owner of the review"}
    found = incident.commander or incident.comms_lead
    return {found: "The review has no owner"} if found else {}
