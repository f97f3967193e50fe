"""Notes for colleagues on an incident: progress, decisions, hypotheses and observations.

A note is no update.  It changes nothing of the incident, so it conflicts with nobody who is writing
one, and it has a table of its own that no public read knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import writing
from statuspage.core.enums import Audience, NoteKind, Step
from statuspage.core.errors import Invalid
from statuspage.delivery import queue, superseded
from statuspage.incidents.announcement import incident_facts
from statuspage.incidents.inputs import CLOCK_TOLERANCE, check_body
from statuspage.messages.compose import Text, finish
from statuspage.messages.tokens import disarm
from statuspage.models import Incident, IncidentNote, Message


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note as it is typed; without ``happened_at`` it is of now."""

    kind: NoteKind
    body: str
    happened_at: datetime | None = None
    in_chat: bool = False


@needs(Permission.NOTE)
def add_note(incident_code: str, note: NewNote, *, form_key: str, actor: Actor) -> IncidentNote:
    """Keep a note, and notify colleagues in chat where it says so; raises :class:`Invalid`."""
    check_body("body", note.body, needed=True)
    moment = clock.now()
    if note.happened_at is not None and note.happened_at > moment + CLOCK_TOLERANCE:
        raise Invalid("happened_at", "A note cannot be of the future.")
    with writing() as session:
        earlier = session.scalars(select(IncidentNote).filter_by(form_key=form_key)).one_or_none()
        if earlier is not None:
            return earlier
        incident = session.scalars(select(Incident).filter_by(code=incident_code)).one_or_none()
        if incident is None:
            raise Invalid("incident", "This incident does not exist.")
        kept = IncidentNote(
            incident_id=incident.id,
            kind=note.kind,
            body=note.body,
            author=actor.name,
            account_id=actor.account_id,
            happened_at=note.happened_at or moment,
            noted_at=moment,
            in_chat=note.in_chat,
            form_key=form_key,
        )
        session.add(kept)
        session.flush()
        if note.in_chat:
            _post_to_chat(session, incident, kept)
        superseded.end_note_reminders(session, incident.id)
        audit.record(
            session, actor, "incident.note", subject_kind=incident.kind.value,
            subject=incident.code, after={"kind": note.kind, "body": note.body},
        )  # fmt: skip
        return kept


@needs(Permission.NOTE)
def acknowledge(incident_code: str, *, actor: Actor) -> IncidentNote:
    """Note that somebody has taken the incident on; the first one counts, and is returned again.

    Raises :class:`Invalid`.
    """
    note = NewNote(NoteKind.ACKNOWLEDGED, f"{actor.name} has taken this on.")
    return add_note(incident_code, note, form_key=f"acknowledged-{incident_code}", actor=actor)


def acknowledged_by(
    session: Session, incident: Incident, *, all_notes: Sequence[IncidentNote] | None = None
) -> IncidentNote | None:
    """The first note that somebody has taken the incident on; ``all_notes`` where they were read,
    the newest first.
    """
    if all_notes is not None:
        found = [note for note in all_notes if note.kind is NoteKind.ACKNOWLEDGED]
        return found[-1] if found else None
    chosen = select(IncidentNote).filter_by(incident_id=incident.id, kind=NoteKind.ACKNOWLEDGED)
    order = IncidentNote.happened_at, IncidentNote.id
    return session.scalars(chosen.order_by(*order).limit(1)).one_or_none()


def notes_of(
    session: Session, incident: Incident, *, most: int | None = None
) -> list[IncidentNote]:
    """The notes of an incident, the newest first."""
    return newest_notes(session, incident, most=most)[0]


def newest_notes(
    session: Session, incident: Incident, *, most: int | None
) -> tuple[list[IncidentNote], int]:
    """The newest notes of an incident, and the id of whichever was added last, 0 for none.

    That one may be of an earlier moment, and so not be among them.
    """
    last = func.max(IncidentNote.id).over()
    chosen = select(IncidentNote, last).where(IncidentNote.incident_id == incident.id)
    order = IncidentNote.happened_at.desc(), IncidentNote.id.desc()
    rows = session.execute(chosen.order_by(*order).limit(most)).all()
    return [row[0] for row in rows], rows[0][1] if rows else 0


def note_due_at(
    session: Session, incident: Incident, *, all_notes: Sequence[IncidentNote] | None = None
) -> datetime | None:
    """When colleagues are to note next how it goes; None where the severity does not ask for it.

    An update is told to colleagues too, so it counts as a note.  ``all_notes`` where they were
    read, or the newest of them.
    """
    level = severity.level_of(session, incident.severity_rank)
    if not incident.is_open or level is None or level.note_minutes is None:
        return None
    told = [update.posted_at for update in incident.updates]
    if all_notes is not None:
        told += [note.noted_at for note in all_notes]
    else:
        newest = select(func.max(IncidentNote.noted_at)).filter_by(incident_id=incident.id)
        told += filter(None, session.scalars(newest))
    return max(told, default=incident.created_at) + timedelta(minutes=level.note_minutes)


def _post_to_chat(session: Session, incident: Incident, note: IncidentNote) -> None:
    facts = incident_facts(incident, Step.UPDATE)
    about = f"{incident.severity_name or 'Incident'}: {incident.title}"
    text = Text(about, disarm(f"{about}\n{note.kind.label} by {note.author}\n\n{note.body}"))
    finished = finish(text, audience=Audience.INTERNAL, step=Step.NOTE, facts=facts)
    message = Message(
        incident_id=incident.id,
        step=Step.NOTE,
        audience=Audience.INTERNAL,
        subject=finished.subject,
        body=finished.body,
        text=finished.text,
        html=finished.html,
    )
    session.add(message)
    session.flush()
    rooms = current_settings().chat_rooms
    queue.queue_chat(session, message, step_key=f"note:{note.id}", rooms=rooms)
