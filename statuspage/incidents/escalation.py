"""Escalation of an incident: who is asked at which moment, by the scheme and the updates.

Three ladders of steps run while an incident is open, each from its first step:

- the promised update: the comms lead is reminded before it is due, the commander is notified when
  it passes, and the next in line when it stays overdue.  A reminder comes a fifth of the promised
  time ahead, at least one minute and at most ten; the next in line is notified as long after it
  was due.
- the level's escalation: whoever it names, so long after the declaration or the last reopening.
- the internal note: the chat and the scribe, when the level asks for notes and nobody has written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from statuspage.configuration import contacts, incident_templates, on_call, owners, severity
from statuspage.configuration.severity import VENDOR
from statuspage.core.enums import IncidentRole, Step
from statuspage.incidents import notes
from statuspage.incidents.notify_staff import newest_update
from statuspage.models import Contact, Incident, SeverityLevel

SHARE: Final = 5
LEAST, MOST = timedelta(minutes=1), timedelta(minutes=10)
NEAR, MISSED, STILL_MISSED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """A moment that calls somebody: its place in the ladder, and who they are by ``to``."""

    place: int
    at: datetime
    step: Step
    to: tuple[str, ...]
    people: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs in the order of their time; ``key`` names the promise, or the time it is open."""

    key: str
    steps: Sequence[EscalationStep]


def ladders(session: Session, incident: Incident) -> list[Ladder]:
    """What calls whom while an open incident goes on."""
    level = severity.level_of(session, incident.severity_rank)
    found = [escalation(session, incident)]
    if incident.next_update_at is not None:
        found.insert(0, _promise(session, incident, level, incident.next_update_at))
    if (note_due := notes.note_due_at(session, incident)) is not None:
        found.append(_note(session, incident, note_due))
    return [ladder for ladder in found if ladder.steps]


def opened_at(incident: Incident) -> datetime:
    """When it was declared, or opened again."""
    reopened = [update.posted_at for update in incident.updates if update.reopens]
    return max(reopened, default=incident.created_at)


def steps_of(level: SeverityLevel | None) -> list[tuple[int, str]]:
    """After how many minutes a level is escalated, and to whom; soonest first."""
    steps = level.escalation if level else []
    return sorted((step["after_minutes"], step["to"]) for step in steps)


def _promise(
    session: Session, incident: Incident, level: SeverityLevel | None, due_at: datetime
) -> Ladder:
    update = newest_update(incident)
    ahead = min(MOST, max(LEAST, (due_at - update.posted_at) / SHARE))
    commander, comms_lead = IncidentRole.COMMANDER.value, IncidentRole.COMMS_LEAD.value
    # Where nobody leads the communication, the commander does.
    first = comms_lead if incident.comms_lead_id else commander
    moments = (
        (NEAR, due_at - ahead, Step.UPDATE_DUE, (first,)),
        (MISSED, due_at, Step.OVERDUE, (commander, comms_lead)),
        (STILL_MISSED, due_at + ahead, Step.OVERDUE, (_next_in_line(session, incident, level),)),
    )
    return Ladder(
        f"promise:{update.id}:",
        [
            EscalationStep(place, at, step, to, _people(session, incident, to))
            for place, at, step, to in moments
        ],
    )


def _next_in_line(session: Session, incident: Incident, level: SeverityLevel | None) -> str:
    """The first of the escalation who has not been asked already; else the technical lead."""
    asked = set(
        _people(session, incident, (IncidentRole.COMMANDER.value, IncidentRole.COMMS_LEAD.value))
    )
    for _, to in steps_of(level):
        people = _people(session, incident, (to,))
        if people and not asked.issuperset(people):
            return to
    return IncidentRole.TECHNICAL_LEAD.value


def escalation(session: Session, incident: Incident) -> Ladder:
    """Whom the scheme calls in, and when, for as long as an incident is open."""
    level = severity.level_of(session, incident.severity_rank)
    opened = opened_at(incident)
    by_time: dict[int, list[str]] = {}
    for after, to in steps_of(level):
        by_time.setdefault(after, []).append(to)
    if _calls_management(session, incident) and "management" not in by_time.get(0, ()):
        by_time.setdefault(0, []).append("management")
    return Ladder(
        f"escalation:{incident.id}:{incident.resolutions}:",
        [
            EscalationStep(
                after,
                opened + timedelta(minutes=after),
                Step.ESCALATED,
                tuple(to),
                _people(session, incident, tuple(to)),
            )
            for after, to in sorted(by_time.items())
        ],
    )


def vendors(session: Session, incident: Incident) -> list[str]:
    """Whom to call at the vendors of what is affected; they are called by people, never by us."""
    affected = owners.owned(session, [row.component_id for row in incident.affected])
    return [
        f"{one.component.name}: {one.component.vendor_contact}"
        for one in affected
        if one.component.vendor_contact
    ]


def _calls_management(session: Session, incident: Incident) -> bool:
    if not incident.template_key:
        return False
    found = incident_templates.find_template(session, incident.template_key)
    return found is not None and found.details.calls_management


def _note(session: Session, incident: Incident, due_at: datetime) -> Ladder:
    """The next note.  Its place is its time, so that each due time reminds once."""
    to = (IncidentRole.SCRIBE.value,)
    people = _people(session, incident, to)
    step = EscalationStep(int(due_at.timestamp()), due_at, Step.NOTE_DUE, to, people)
    return Ladder(f"note_due:{incident.id}:", [step])


def _people(session: Session, incident: Incident, to: Sequence[str]) -> tuple[Contact, ...]:
    """Who that is, each once: who holds the role on the incident, or whose own role says so."""
    found: list[Contact] = []
    for one in to:
        if one == "on_call":
            found += on_call.on_call_now(session)
        elif one == "owner":
            owned = owners.owned(session, [row.component_id for row in incident.affected])
            found += [owner for part in owned if (owner := part.first)]
        elif one in contacts.BY_ROLE:
            found += contacts.contacts_by_role(session, one)
        elif one != VENDOR and (holder := incident.person(IncidentRole(one))) is not None:
            found.append(holder)
    return tuple(dict.fromkeys(found))
