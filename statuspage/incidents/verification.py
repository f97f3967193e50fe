"""Whether a fix holds: looked at 5, 15, 30 and 60 minutes after monitoring began.

Each look is a note for colleagues, so it stands in the timeline and in the review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import select

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import IncidentStatus, NoteKind
from statuspage.core.errors import Invalid
from statuspage.incidents.notes import NewNote, add_note
from statuspage.models import Incident, IncidentNote

MARKS: Final = tuple(timedelta(minutes=number) for number in (5, 15, 30, 60))


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which somebody looks: so long after monitoring began, and who did by then."""

    after: timedelta
    due_at: datetime
    verified: IncidentNote | None

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return self.verified is None and self.due_at <= clock.now()


def marks_of(incident: Incident, notes: Sequence[IncidentNote]) -> list[Mark]:
    """The marks of an incident that is monitored, by its notes; none for any other."""
    begun = incident.monitoring_at
    if incident.status != IncidentStatus.MONITORING or begun is None:
        return []
    seen = [note for note in notes if note.kind is NoteKind.VERIFIED]
    spans = pairwise([*(begun + after for after in MARKS), datetime.max.replace(tzinfo=UTC)])
    return [
        Mark(
            after,
            first,
            next((note for note in seen if first <= note.happened_at < following), None),
        )
        for after, (first, following) in zip(MARKS, spans, strict=True)
    ]


def is_asked_for(marks: Sequence[Mark]) -> bool:
    """Whether nobody has looked since the mark that came last."""
    reached = [mark for mark in marks if mark.due_at <= clock.now()]
    return bool(reached) and reached[-1].is_due


@needs(Permission.NOTE)
def verify(incident_code: str, *, actor: Actor) -> IncidentNote:
    """Note that the fix holds at the mark that came last; pressed twice it is one note.

    Raises :class:`Invalid` before the first mark, and for an incident that is not monitored.
    """
    session = current_session()
    incident = session.scalars(select(Incident).filter_by(code=incident_code)).one_or_none()
    reached = [mark for mark in marks_of(incident, ()) if mark.is_due] if incident else []
    if not reached:
        raise Invalid("incident", "There is no fix to verify yet.")
    last = reached[-1]
    minutes = last.after // timedelta(minutes=1)
    note = NewNote(NoteKind.VERIFIED, f"The fix holds {minutes} minutes after monitoring began.")
    key = f"verified-{incident_code}-{last.due_at.timestamp():.0f}"
    return add_note(incident_code, note, form_key=key, actor=actor)
