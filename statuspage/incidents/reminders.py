"""Calling colleagues when a clock of an incident runs out: by chat and mail, through the outbox.

Each step of a ladder (:mod:`statuspage.incidents.escalation`) notifies once, whoever ticks and
however often: the incident is locked while it is looked at what was queued for it already.  Where
several steps have been reached since, as after a pause of the worker, one reminder says to all how
late it is by now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import SYSTEM, Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.severity import ESCALATED_TO, VENDOR
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import CLOSED, Channel, Kind, NoteKind
from statuspage.core.errors import Invalid
from statuspage.delivery import queue, superseded
from statuspage.incidents.announcement import incident_facts
from statuspage.incidents.apply_update import locked
from statuspage.incidents.escalation import EscalationStep, escalation, ladders, opened_at, vendors
from statuspage.incidents.notify_staff import call_colleagues
from statuspage.messages.facts import Facts
from statuspage.messages.template_variables import phrase
from statuspage.models import Contact, Delivery, Incident, IncidentNote, Message, Page
from statuspage.recipients.drill_recipients import drill_recipients_on


@dataclass(frozen=True, slots=True)
class Reminder:
    """The steps that have been reached and not been notified, as one; the last decides the text."""

    ladder: str
    steps: tuple[EscalationStep, ...]

    @property
    def key(self) -> str:
        """What its deliveries carry, so that it is sent once."""
        return f"{self.ladder}{self.steps[-1].place}"

    @property
    def people(self) -> dict[Contact, str]:
        """Whom it asks, each once, and as what."""
        found: dict[Contact, str] = {}
        for step in self.steps:
            why = ", ".join(ESCALATED_TO.get(to, to.capitalize()) for to in step.to)
            for contact in step.people:
                found.setdefault(contact, why)
        return found


def notify_due() -> int:
    """Remind colleagues of what has come due; how many reminders.  The worker's duty."""
    session = current_session()
    if session.scalar(select(Page.is_demo)):
        # The demo's people are made up.
        return 0
    codes = session.scalars(
        select(Incident.code).where(
            Incident.kind == Kind.INCIDENT,
            Incident.resolved_at.is_(None),
            Incident.status.not_in(CLOSED),
            Incident.origin.is_(None),
        )
    ).all()
    return sum(_notify(code) for code in codes)


def _notify(code: str) -> int:
    moment = clock.now()
    seen = current_session().scalars(select(Incident).filter_by(code=code)).one()
    if not any(_due(current_session(), seen, moment)):
        return 0
    current_session().rollback()
    with writing() as session:
        incident = locked(session, code, kind=Kind.INCIDENT)
        reminders = list(_due(session, incident, moment)) if incident.is_open else []
        for reminder in reminders:
            _queue(session, incident, reminder, moment)
        return len(reminders)


def _due(session: Session, incident: Incident, moment: datetime) -> Iterator[Reminder]:
    notified = _notified(session, incident)
    for ladder in ladders(session, incident):
        last = max((place for key, place in notified if key == ladder.key), default=-1)
        reached = tuple(step for step in ladder.steps if step.at <= moment and step.place > last)
        reminder = Reminder(ladder.key, reached) if reached else None
        if reminder and _reaches_anybody(incident, reminder):
            yield reminder


@needs(Permission.NOTE)
def escalate(code: str, place: int, *, actor: Actor) -> str:
    """Call the next step of the escalation, which has that place, now, and note whom.

    Raises :class:`Invalid` where another comes next by now, or none.
    """
    moment = clock.now()
    with writing() as session:
        incident = locked(session, code, kind=Kind.INCIDENT)
        reminder = next_call(session, incident)
        if reminder is None or reminder.steps[0].place != place:
            raise Invalid("escalation", "This has been escalated already. See who comes next.")
        said = f"Escalated to {', '.join(called(session, incident, reminder))}."
        session.add(
            IncidentNote(
                incident_id=incident.id, kind=NoteKind.DECISION, body=said, author=actor.name,
                account_id=actor.account_id, happened_at=moment, noted_at=moment,
            )
        )  # fmt: skip
        _queue(session, incident, reminder, moment, actor=actor)
        return said


def next_call(session: Session, incident: Incident) -> Reminder | None:
    """The step of the escalation that was not called yet and comes next."""
    if not incident.is_open:
        return None
    ladder = escalation(session, incident)
    if not ladder.steps:
        return None
    notified = _notified(session, incident)
    last = max((place for key, place in notified if key == ladder.key), default=-1)
    left = [step for step in ladder.steps if step.place > last]
    return Reminder(ladder.key, (left[0],)) if left else None


def called(session: Session, incident: Incident, reminder: Reminder) -> list[str]:
    """Whom a reminder asks, in words: people, vendors by how they are reached, or else roles."""
    found = [
        f"{contact.name} (@{contact.chat_handle.lstrip('@')})" if contact.chat_handle
        else contact.name
        for contact in reminder.people
    ]  # fmt: skip
    if any(VENDOR in step.to for step in reminder.steps):
        found += vendors(session, incident)
    return found or [ESCALATED_TO.get(to, to).lower() for to in reminder.steps[-1].to]


def _reaches_anybody(incident: Incident, reminder: Reminder) -> bool:
    """Whether a reminder would be queued to anybody; else it would be made again at every look."""
    found = filter(None, map(queue.mailbox_of, reminder.people))
    reached = [
        *((Channel.CHAT, room) for room in current_settings().chat_rooms),
        *((Channel.EMAIL, mailbox.identity) for mailbox in found),
    ]
    drill = drill_recipients_on(incident)
    return any(drill is None or drill.lets(*where) for where in reached)


def _notified(session: Session, incident: Incident) -> set[tuple[str, int]]:
    """The ladders and places that reminders of an incident were queued for."""
    keys = session.scalars(
        select(Delivery.step_key)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.incident_id == incident.id, Message.step.in_(sorted(superseded.REMINDERS)))
        .distinct()
    )
    split = (key.rpartition(":") for key in keys)
    return {(f"{ladder}:", int(place)) for ladder, _, place in split}


def _queue(
    session: Session,
    incident: Incident,
    reminder: Reminder,
    moment: datetime,
    *,
    actor: Actor = SYSTEM,
) -> None:
    step, facts = reminder.steps[-1].step, _facts(session, incident, reminder, moment)
    message = call_colleagues(
        session, incident, facts, step=step, step_key=reminder.key, people=reminder.people
    )
    superseded.supersede_reminders(session, message, step_key=reminder.key, about=reminder.ladder)
    audit.record(
        session, actor, "incident.notify", subject_kind="incident", subject=incident.code,
        after={"about": step.label, "asked": [contact.name for contact in reminder.people]},
    )  # fmt: skip


def _facts(session: Session, incident: Incident, reminder: Reminder, moment: datetime) -> Facts:
    facts = incident_facts(incident, reminder.steps[-1].step)
    due_at = incident.next_update_at
    is_named = reminder.people or any(VENDOR in step.to for step in reminder.steps)
    asked = called(session, incident, reminder) if is_named else []
    internal = replace(
        facts.internal,
        asked=phrase(asked),
        late_by=moment - due_at if due_at and due_at < moment else None,
        open_for=moment - opened_at(incident),
    )
    return replace(facts, internal=internal)
