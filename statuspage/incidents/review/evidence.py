"""What the service knows of an incident that is over: its timeline, and the figures behind it.

Entries come from updates, notes, component states and promises.  Each has a key that stays the
same, so that a review which dropped or reworded one knows it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import Audience, ComponentStatus, IncidentStatus, Milestone
from statuspage.core.richtext import first_line
from statuspage.incidents.notes import acknowledged_by, notes_of
from statuspage.incidents.promises import Record, record_of
from statuspage.messages.incident_facts import detected_at, slips_of
from statuspage.models import Delivery, Incident, IncidentUpdate, Message
from statuspage.models.columns import LINE_LIMIT
from statuspage.models.delivery import was_sent

# The update that a milestone is read from, where nobody marked another entry.
_REACHED: Final[Mapping[IncidentStatus, Milestone]] = {
    IncidentStatus.IDENTIFIED: Milestone.CAUSE_KNOWN,
    IncidentStatus.MONITORING: Milestone.MITIGATED,
}


@dataclass(frozen=True, slots=True)
class ReviewEntry:
    """One line of the timeline; ``source`` is where it comes from, ``mark`` what it marks."""

    key: str
    at: datetime
    text: str
    source: str
    mark: Milestone | None = None
    dropped: bool = False

    def stored(self) -> dict[str, Any]:
        """The entry as a review keeps it."""
        mark = self.mark.value if self.mark else ""
        return {
            "key": self.key, "at": self.at.isoformat(), "text": self.text, "source": self.source,
            "mark": mark, "dropped": self.dropped,
        }  # fmt: skip


def read_entry(stored: Mapping[str, Any]) -> ReviewEntry:
    """An entry as a review keeps it."""
    at = clock.as_utc(datetime.fromisoformat(stored["at"]))
    mark = Milestone(stored["mark"]) if stored["mark"] else None
    return ReviewEntry(stored["key"], at, stored["text"], stored["source"], mark, stored["dropped"])


@dataclass(frozen=True, slots=True)
class Figures:
    """The incident in numbers; ``times`` count from its start, None where nobody marked it."""

    times: Sequence[tuple[str, timedelta | None]]
    components: Sequence[tuple[str, timedelta]]
    customers: int
    promises: Record
    slips: int


def timeline(session: Session, incident: Incident) -> list[ReviewEntry]:
    """All that is known of what happened when, the oldest first."""
    updates = sorted(incident.updates, key=lambda update: (update.happened_at, update.id))
    found = [
        ReviewEntry("started", incident.started_at, "It started", "Incident"),
        ReviewEntry(
            "declared", incident.created_at,
            f"Declared as {incident.severity_name}" if incident.severity_name else "Declared",
            "Incident", Milestone.DECLARED,
        ),
        *_detected(incident),
        *_updates(incident, updates),
        *_states(updates),
        *_notes(session, incident),
        *_promises(incident),
    ]  # fmt: skip
    return sorted(found, key=lambda entry: entry.at)


def figures(session: Session, incident: Incident, entries: Iterable[ReviewEntry]) -> Figures:
    """The figures of an incident, with the milestones that its timeline marks."""
    marked = {entry.mark: entry.at for entry in entries if entry.mark and not entry.dropped}
    times = [
        (label, marked[one] - incident.started_at if one in marked else None)
        for one, label in (
            (Milestone.DETECTED, "Time to detect"),
            (Milestone.ACKNOWLEDGED, "Time to acknowledge"),
            (Milestone.FIRST_WORD, "Time to the first public update"),
            (Milestone.MITIGATED, "Time to mitigate"),
            (Milestone.RESOLVED, "Time to resolve"),
        )
    ]
    emailed = select(func.count(func.distinct(Delivery.address))).where(
        Delivery.message_id.in_(
            select(Message.id).filter_by(incident_id=incident.id, audience=Audience.CUSTOMER)
        ),
        was_sent(),
    )
    return Figures(
        times,
        _durations(incident),
        session.scalar(emailed) or 0,
        record_of(incident, clock.now()),
        len(slips_of(incident)),
    )


def _detected(incident: Incident) -> Iterator[ReviewEntry]:
    if at := detected_at(incident):
        mark = Milestone.DETECTED
        yield ReviewEntry(mark.value, at, mark.label, "Incident", mark)


def _updates(incident: Incident, updates: Sequence[IncidentUpdate]) -> Iterator[ReviewEntry]:
    public = [update for update in updates if not _is_internal(update)]
    first_word = public[0].id if public else None
    ends = [update.id for update in updates if update.status == IncidentStatus.RESOLVED]
    reached: set[Milestone] = set()
    for update in updates:
        kind = "Internal update" if _is_internal(update) else "Public update"
        text = f"{update.step.label}: {first_line(update.body)}" if update.body else (
            update.step.label
        )  # fmt: skip
        marks = [Milestone.FIRST_WORD] if update.id == first_word else []
        step = _REACHED.get(IncidentStatus(update.status))
        if step and step not in reached:
            reached.add(step)
            marks.append(step)
        if ends and update.id == ends[-1]:
            marks.append(Milestone.RESOLVED)
        entry = ReviewEntry(f"update:{update.id}", update.happened_at, text[:LINE_LIMIT], kind)
        yield replace(entry, mark=marks[0] if marks else None)
        # An entry marks one thing; what falls together has one each.
        for mark in marks[1:]:
            yield ReviewEntry(f"{mark}:{update.id}", update.happened_at, mark.label, kind, mark)


def _is_internal(update: IncidentUpdate) -> bool:
    return update.visibility == "internal"


def _states(updates: Sequence[IncidentUpdate]) -> Iterator[ReviewEntry]:
    for update, at, name, code, state in _changes(updates):
        yield ReviewEntry(f"state:{update.id}:{code}", at, f"{name}: {state.label}", "Component")


def _changes(
    updates: Sequence[IncidentUpdate],
) -> Iterator[tuple[IncidentUpdate, datetime, str, str, ComponentStatus]]:
    """Each state that the incident gave a component, those of the declaration from its start on."""
    for number, update in enumerate(updates):
        at = update.happened_at if number else update.incident.started_at
        for one in update.affected:
            if one["old_status"] != one["new_status"]:
                yield update, at, one["name"], one["code"], ComponentStatus(one["new_status"])


def _durations(incident: Incident) -> list[tuple[str, timedelta]]:
    """How long each component was not operational by this incident; the longest first."""
    spans: dict[str, list[tuple[datetime, ComponentStatus]]] = defaultdict(list)
    names: dict[str, str] = {}
    updates = sorted(incident.updates, key=lambda update: (update.happened_at, update.id))
    for _, at, name, code, state in _changes(updates):
        spans[code].append((at, state))
        names[code] = name
    end = incident.resolved_at or clock.now()
    total = [(names[code], sum(_down(states, end), timedelta())) for code, states in spans.items()]
    return sorted(total, key=lambda pair: (-pair[1], pair[0]))


def _down(states: Sequence[tuple[datetime, ComponentStatus]], end: datetime) -> Iterator[timedelta]:
    """The stretches of one component's states, until ``end``, that it was not operational."""
    for (at, state), (until, _) in pairwise([*states, (end, ComponentStatus.OPERATIONAL)]):
        if state is not ComponentStatus.OPERATIONAL:
            yield max(until - at, timedelta())


def _notes(session: Session, incident: Incident) -> Iterator[ReviewEntry]:
    acknowledged = acknowledged_by(session, incident)
    for note in notes_of(session, incident):
        text = f"{note.kind.label}: {first_line(note.body, LINE_LIMIT - 40)}"
        mark = Milestone.ACKNOWLEDGED if note is acknowledged else None
        source = f"Note by {note.author}"[:200]
        yield ReviewEntry(f"note:{note.id}", note.happened_at, text, source, mark)


def _promises(incident: Incident) -> Iterator[ReviewEntry]:
    for one in record_of(incident, clock.now()).promises:
        if one.late:
            text = f"The promised update was late by {clock.show_duration(one.late)}"
            yield ReviewEntry(f"promise:{one.due_at.isoformat()}", one.due_at, text, "Promise")
    for slip in slips_of(incident):
        yield ReviewEntry(
            f"slip:{slip.at.isoformat()}", slip.at, "The expected recovery was moved", "Promise"
        )
