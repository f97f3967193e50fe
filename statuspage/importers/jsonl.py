"""Incidents from JSON lines: one published incident or maintenance a line.

Read of each: ``title``, ``url`` (its last part is the incident's code, its host the origin),
``id``, ``entry_id``, ``impact``, ``components`` (names), ``started_at``, ``scheduled_for``,
``scheduled_until``, ``status`` (of the incident itself) and ``updates``, each with ``at``,
``status`` and ``message``.  A status of ``Update`` keeps the one before it.  Start and end are
``started_at`` and the updates' own times: when an entry was published is mostly when it was over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core.enums import Impact, Kind, MaintenanceStatus
from statuspage.core.richtext import clean_line
from statuspage.importers.endings import PlannedWindow, begins_at, settle_end, settle_window
from statuspage.importers.published import (
    ImportProblem,
    PublishedIncident,
    PublishedUpdate,
    UnusableHistory,
    Wrong,
    derive_effects,
    ended_at,
    read_any_time,
    read_body,
    read_impact,
    read_kind,
    read_status,
    read_time,
    read_title,
    settle_updates,
    watched_from,
)
from statuspage.importers.store import IncidentImportReport, Progress, is_code, store_incidents
from statuspage.models.columns import TITLE_LIMIT


@needs(Permission.IMPORT)
def import_history(
    data: bytes,
    *,
    actor: Actor,
    source: str = "",
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> IncidentImportReport:
    """Take in the incidents of a file in UTF-8, all of them or none; no one is emailed.

    Raises :class:`UnusableHistory` with every bad line named.  With ``skip_bad`` those incidents
    are left out instead and named in the report; a file that is cut or is not JSON lines is never
    taken.
    """
    notes: list[ImportProblem] = []
    problems: list[ImportProblem] = []
    incidents: dict[tuple[str, str], PublishedIncident] = {}
    for line, row in _read_lines(data):
        reasons: list[str] = []
        try:
            incident = _read_incident(f"line {line}", row, reasons)
        except Wrong as wrong:
            problems.append(ImportProblem(f"line {line}", str(wrong)))
            continue
        notes.extend(ImportProblem(incident.where, reason) for reason in reasons)
        twin = incidents.pop((incident.origin, incident.code), None)
        if twin is not None:
            notes.append(
                ImportProblem(
                    incident.where, f"the same incident as in {twin.where}; this one counts"
                )
            )
        incidents[incident.origin, incident.code] = incident
    if problems and not skip_bad:
        raise UnusableHistory(problems)
    report = store_incidents(
        list(incidents.values()), actor=actor, source=source, notes=notes, progress=progress
    )
    return replace(report, skipped=tuple(problems))


def _read_lines(data: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The object on each line; :class:`UnusableHistory` for a file that is broken anywhere."""
    rows: list[tuple[int, Mapping[str, Any]]] = []
    problems: list[ImportProblem] = []
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    last = max((number for number, line in enumerate(lines, start=1) if line.strip()), default=0)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            problems.append(ImportProblem(f"line {number}", f"byte {error.start + 1} is not UTF-8"))
        except json.JSONDecodeError as error:
            cut = "; the file is cut here" if number == last and not data.endswith(b"\n") else ""
            what = error.msg.removesuffix(" starting at")
            reason = f"this is not JSON, column {error.colno}: {what}{cut}"
            problems.append(ImportProblem(f"line {number}", reason))
        except RecursionError:
            problems.append(ImportProblem(f"line {number}", "this is nested too deeply"))
        else:
            if isinstance(row, dict):
                rows.append((number, row))
            else:
                problems.append(
                    ImportProblem(f"line {number}", "this is not an incident: no JSON object")
                )
    if problems:
        raise UnusableHistory(problems)
    if not rows:
        raise UnusableHistory([ImportProblem("line 1", "there is no incident in this file")])
    yield from rows


def _read_incident(where: str, row: Mapping[str, Any], notes: list[str]) -> PublishedIncident:
    origin, code = _read_identity(row)
    title = read_title(row.get("title"), notes)
    impact = read_impact(row.get("impact"))
    raw = row.get("updates") or []
    if not isinstance(raw, list) or not all(isinstance(update, dict) for update in raw):
        raise Wrong("its updates are no list of objects")
    updates = [_read_update(update, place) for place, update in enumerate(raw, start=1)]
    kind = read_kind(impact, (published.status for published in updates))
    settled = settle_updates(updates, kind=kind, notes=notes)
    names = [(name, None) for name in _read_names(row)]
    settled = derive_effects(settled, impact=impact, names=names)
    window = _read_window(row, settled, kind, notes)
    # Where updates say when it ended, that is when: the row's own may be when it was published.
    known = _read_moment(row, "resolved_at")
    ending = settle_end(
        settled,
        kind=kind,
        status=read_status(row.get("status")),
        resolved_at=known and (ended_at(settled) or known),
        window=window,
        notes=notes,
    )
    started_at = _read_moment(row, "started_at")
    return PublishedIncident(
        where=where,
        origin=origin,
        code=code,
        kind=kind,
        title=title,
        impact=Impact.MAINTENANCE if kind is Kind.MAINTENANCE else impact,
        status=ending.status,
        started_at=begins_at(started_at, settled, ending.resolved_at, notes),
        updates=settled,
        entry_id=_read_entry_id(row),
        monitoring_at=watched_from(settled),
        resolved_at=ending.resolved_at,
        scheduled_for=window.begins,
        scheduled_until=window.ends,
        cancelled_at=ending.cancelled_at,
    )


def _read_moment(row: Mapping[str, Any], name: str) -> datetime | None:
    return read_time(row[name], name) if row.get(name) else None


def _read_identity(row: Mapping[str, Any]) -> tuple[str, str]:
    """The origin and the code: of the ``url``; where it has none, the ``id`` as it is."""
    url = row.get("url")
    parts = urlsplit(url) if isinstance(url, str) else None
    code = parts.path.rstrip("/").rpartition("/")[2] if parts else ""
    if parts and parts.hostname and is_code(code):
        return parts.hostname, code
    own = clean_line(str(row.get("id") or ""))
    if not own:
        raise Wrong("it has neither a url that ends in its code nor an id")
    if len(own) > TITLE_LIMIT:
        raise Wrong(f"its id has {len(own)} characters")
    return (parts.hostname if parts and parts.hostname else "history"), own


def _read_entry_id(row: Mapping[str, Any]) -> str | None:
    entry_id = clean_line(str(row.get("entry_id") or ""))
    if len(entry_id) > 500:
        raise Wrong(f"its entry_id has {len(entry_id)} characters")
    return entry_id or None


def _read_update(update: Mapping[str, Any], place: int) -> PublishedUpdate:
    at = read_time(update.get("at"), f"the time of update {place}")
    return PublishedUpdate(
        at=at,
        posted_at=at,
        status=read_status(update.get("status")),
        body=read_body(update.get("message")),
    )


def _read_names(row: Mapping[str, Any]) -> list[str]:
    raw = row.get("components") or []
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        raise Wrong("its components are no list of names")
    names = [clean_line(name) for name in raw]
    if any(len(name) > TITLE_LIMIT for name in names):
        raise Wrong("the name of a component is too long")
    return list(dict.fromkeys(filter(None, names)))


def _read_window(
    row: Mapping[str, Any], updates: tuple[PublishedUpdate, ...], kind: Kind, notes: list[str]
) -> PlannedWindow:
    """When a maintenance was to begin and end, or else when it did."""
    if kind is Kind.INCIDENT:
        return PlannedWindow()
    begun = (p.at for p in updates if p.status != MaintenanceStatus.SCHEDULED)
    start, end = next(begun, None), ended_at(updates)
    if row.get("scheduled_for"):
        start = read_any_time(row["scheduled_for"], "scheduled_for")
    if start is None:
        raise Wrong("a maintenance that has not begun must say scheduled_for")
    if row.get("scheduled_until"):
        return settle_window(start, read_any_time(row["scheduled_until"], "scheduled_until"), notes)
    return settle_window(start, end if end and end > start else None, notes)
