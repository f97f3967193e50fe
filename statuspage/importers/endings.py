"""How an incident of somebody else ends, and when: one rule for everything that is imported.

What its publisher says of the incident itself counts before what the last update says, because an
update is easily published with a status that nobody checked.  What had no update for long is over:
a past that was forgotten must not open a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from statuspage.core import clock
from statuspage.core.enums import CLOSED, RUNNING, IncidentStatus, Kind, MaintenanceStatus, Term
from statuspage.importers.published import PublishedUpdate, ended_at

FORGOTTEN_AFTER = timedelta(days=7)
"""An incident of which nothing says whether it ended is over after so long without an update."""

ABANDONED_AFTER = timedelta(days=365)
"""An incident that its publisher still calls open is over after so long without an update."""


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """When a maintenance was to begin and to end; there is no end without an earlier beginning."""

    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """An incident's status, when it ended, and when it was cancelled; None where it was not."""

    status: str
    resolved_at: datetime | None = None
    cancelled_at: datetime | None = None


def settle_window(
    begins: datetime | None, ends: datetime | None, notes: list[str]
) -> PlannedWindow:
    """The window of a maintenance without an end that is not after its beginning."""
    if begins is None or ends is None or ends > begins:
        return PlannedWindow(begins, ends if begins else None)
    if ends < begins:
        notes.append("its planned end lies before its beginning and was left out")
    return PlannedWindow(begins)


def settle_end(
    updates: Sequence[PublishedUpdate],
    *,
    kind: Kind,
    status: str,
    resolved_at: datetime | None,
    window: PlannedWindow,
    notes: list[str],
) -> Ending:
    """How an incident with these updates ends.

    ``status`` and ``resolved_at`` are what its publisher says of the incident itself, empty and
    None where nothing is said.  ``notes`` get a line wherever the sources contradict each other.
    """
    last = updates[-1].status
    own = status if status in CLOSED or status in _steps(kind) else ""
    if own in CLOSED:
        if last not in CLOSED:
            notes.append(f"no update says that it ended; its own status, {own}, does")
        return _over(updates, kind, own, resolved_at, window)
    if last in CLOSED and (not own or resolved_at):
        return _over(updates, kind, last, resolved_at, window)
    if not own and resolved_at:
        notes.append("no update says that it ended; resolved_at does")
        return _over(updates, kind, "", max(resolved_at, updates[-1].at), window)
    silence = clock.now() - max(filter(None, (updates[-1].at, window.begins, window.ends)))
    if silence > (ABANDONED_AFTER if own else FORGOTTEN_AFTER):
        notes.append("nothing says that it ended; it counts as over with its last update")
        return _over(updates, kind, "", None, window)
    if own and last in CLOSED:
        notes.append(f"its last update says {last}, but its own status is {own}, which counts")
    elif not own and last != MaintenanceStatus.SCHEDULED:
        notes.append("nothing says that it ended; it stays open")
    return Ending(own or last)


def begins_at(
    started_at: datetime | None,
    updates: Sequence[PublishedUpdate],
    ended: datetime | None,
    notes: list[str],
) -> datetime:
    """When an incident began: nothing that is known of it may have happened before."""
    if started_at and ended and started_at > ended:
        notes.append("its start lies after its end; it counts as begun with what came first")
    return min(filter(None, (started_at, updates[0].at, ended)))


def _over(
    updates: Sequence[PublishedUpdate],
    kind: Kind,
    status: str,
    resolved_at: datetime | None,
    window: PlannedWindow,
) -> Ending:
    """The end of an incident that is over, with the status that says so where one of its
    kind does.
    """
    if status not in _steps(kind):
        over = IncidentStatus.RESOLVED if kind is Kind.INCIDENT else MaintenanceStatus.COMPLETED
        status = over.value
    has_run = any(update.status in RUNNING for update in updates)
    end = resolved_at or ended_at(updates)
    if end is None:
        # A window that nobody spoke of again was used.
        planned = (window.begins, window.ends) if not has_run else ()
        return Ending(status, max(filter(None, (updates[-1].at, *planned))))
    is_cancelled = window.begins is not None and end < window.begins and not has_run
    return Ending(status, end, end if is_cancelled else None)


def _steps(kind: Kind) -> frozenset[str]:
    words: type[Term] = IncidentStatus if kind is Kind.INCIDENT else MaintenanceStatus
    return frozenset(word.value for word in words)
