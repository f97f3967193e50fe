"""Reminders that a review or an action item is due, or overdue: to its owner, by chat and mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import SYSTEM
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import ActionState, Kind, ReviewState, Step
from statuspage.core.links import current_links
from statuspage.incidents.announcement import incident_facts
from statuspage.incidents.apply_update import locked
from statuspage.incidents.notify_staff import send_to_colleagues
from statuspage.incidents.review.documents import review_of
from statuspage.messages.compose import Text
from statuspage.messages.tokens import disarm
from statuspage.models import ActionItem, Contact, Incident, Page, Review
from statuspage.models.columns import LINE_LIMIT

DAY: Final = timedelta(days=1)
MORNING: Final = 9
ACTION_DAYS: Final = (-DAY, 0 * DAY, DAY, 7 * DAY)
"""When the owner of an action item is reminded, counted from the day that it is due."""


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


def remind_of_actions() -> int:
    """Remind owners of what is due: a day ahead, on the day, a day and a week late; how many.

    At nine in the page's zone, each day once.  Where no worker ran on such a day, once it runs.
    The worker's duty.
    """
    session, moment = current_session(), clock.now()
    page = session.scalars(select(Page).limit(1)).one_or_none()
    if page is None or page.is_demo:
        return 0
    today = moment.astimezone(page.zone)
    if today.hour < MORNING:
        return 0
    chosen = select(ActionItem).where(
        ActionItem.state == ActionState.OPEN,
        ActionItem.due_on <= today.date() - ACTION_DAYS[0],
        or_(ActionItem.reminded_on.is_(None), ActionItem.reminded_on < today.date()),
    )
    found = [item.id for item in session.scalars(chosen) if _is_asked_for(item, today)]
    session.rollback()
    return sum(_remind_of(item_id, today) for item_id in found)


def _is_asked_for(item: ActionItem, today: datetime) -> bool:
    """Whether a day of its reminders has come since the last one, or since it was added."""
    if item.state is not ActionState.OPEN or item.due_on is None:
        return False
    reached = [day for ahead in ACTION_DAYS if (day := item.due_on + ahead) <= today.date()]
    if not reached:
        return False
    if item.reminded_on is not None:
        return reached[-1] > item.reminded_on
    return reached[-1] >= item.created_at.astimezone(today.tzinfo).date()


def _remind_of(item_id: int, moment: datetime) -> bool:
    today = moment.date()
    with writing() as session:
        item = session.get_one(ActionItem, item_id, with_for_update=True)
        if not _is_asked_for(item, moment) or item.due_on is None:
            return False
        item.reminded_on = today
        late = (today - item.due_on).days
        said = (
            f"overdue by {late} {'day' if late == 1 else 'days'}" if late > 0
            else f"due {clock.show_date(item.due_on)}"
        )  # fmt: skip
        owner = _present(item.owner)
        people = {owner: "Owner of the action item"} if owner else _people(session, item.incident)
        text = Text(
            f"Action item {said}: {item.text}"[:LINE_LIMIT],
            f"{item.incident.severity_name or 'Incident'}: {item.incident.title}\n"
            f"{item.text}\nOwner: {_named(owner)}\nPriority: {item.priority.label.lower()}\n"
            f"{f'Ticket: {item.link}' if item.link else ''}",
        )
        address = f"{current_links().base}/admin/action-items/{item.id}"
        _send(session, item.incident, text, Step.ACTION_DUE, people, address=address,
              key=f"action:{item.id}:{today.isoformat()}")  # fmt: skip
        return True


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
    text = Text(
        f"Review {said}: {incident.title}",
        f"{incident.severity_name or 'Incident'} · review: {review.state.label.lower()}\n"
        f"The review is {said}.\nOwner: {_named(_owner(session, incident))}",
    )
    address = f"{current_links().admin_incident(incident.code)}/review"
    _send(session, incident, text, Step.REVIEW_DUE, people, address=address,
          key=f"review:{incident.id}:{moment.timestamp():.0f}")  # fmt: skip


def _send(
    session: Session,
    incident: Incident,
    text: Text,
    step: Step,
    people: Mapping[Contact, str],
    *,
    address: str,
    key: str,
) -> None:
    facts = incident_facts(incident, Step.REVIEW)
    facts = replace(facts, internal=replace(facts.internal, admin_url=address))
    body = disarm(f"{text.body.rstrip()}\n\nOpen it: {address}")
    send_to_colleagues(
        session, incident, Text(disarm(text.subject), body), facts, step=step, step_key=key,
        people=people,
    )  # fmt: skip
    audit.record(
        session, SYSTEM, "incident.notify", subject_kind="incident", subject=incident.code,
        after={"about": step.label, "asked": [contact.name for contact in people]},
    )  # fmt: skip


def _people(session: Session, incident: Incident) -> Mapping[Contact, str]:
    """The owner of the review; where there is none, the commander, else the communications lead."""
    if owner := _owner(session, incident):
        return {owner: "Owner of the review"}
    found = _present(incident.commander) or _present(incident.comms_lead)
    return {found: "No owner is assigned"} if found else {}


def _owner(session: Session, incident: Incident) -> Contact | None:
    owner = incident.review_owner_id
    return _present(session.get(Contact, owner)) if owner else None


def _present(contact: Contact | None) -> Contact | None:
    """A contact, unless they were taken off the list: whoever left is not asked for anything."""
    return contact if contact and contact.removed_at is None else None


def _named(owner: Contact | None) -> str:
    return owner.name if owner else "unassigned"
