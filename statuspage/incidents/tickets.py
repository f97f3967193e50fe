"""Incidents as tickets: a JSON file each, out and in, by the schema beside this module.

What a ticket says beyond an incident's own fields is kept with the incident as it came.  Imported
tickets are internal, and nobody is notified of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import CLOSED, ComponentStatus, IncidentStatus, Kind, Visibility
from statuspage.core.links import current_links
from statuspage.core.richtext import clean, clean_line
from statuspage.incidents.classification import as_tag
from statuspage.messages.incident_facts import told_in_tickets
from statuspage.models import (
    Component,
    Incident,
    IncidentComponent,
    IncidentTag,
    IncidentUpdate,
    SeverityLevel,
)
from statuspage.models.columns import new_code

SCHEMA_TEXT: Final = Path(__file__).with_name("ticket.schema.json").read_text(encoding="utf-8")
SCHEMA: Final[dict[str, Any]] = json.loads(SCHEMA_TEXT)
ORIGIN: Final = "ticket"
MOST_BYTES: Final = 1024 * 1024

TEXTS: Final = tuple(name for name, part in SCHEMA["properties"].items() if "$ref" in part)
"""What is kept of a ticket as it came."""

_ALIASES: Final = {
    "open": IncidentStatus.INVESTIGATING,
    "in_progress": IncidentStatus.IDENTIFIED,
    "closed": IncidentStatus.RESOLVED,
}


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or clock.read_exact(value) is not None


_FORMATS: Final = FormatChecker(formats=())
_FORMATS.checks("date-time")(_is_moment)
_VALIDATOR: Final = Draft202012Validator(SCHEMA, format_checker=_FORMATS)


@dataclass(slots=True)
class TicketReport:
    """What an import did; each of ``problems`` names a file, the field and what is wrong."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)


def as_ticket(incident: Incident) -> dict[str, Any]:
    """An incident as a ticket; what nobody recorded is empty."""
    known = told_in_tickets(incident)
    kept = {name: incident.ticket.get(name) or known.get(name) or "" for name in TEXTS}
    return {
        "id": incident.origin_id if incident.origin == ORIGIN else incident.number or incident.code,
        "title": incident.title,
        "severity": incident.severity_name or "",
        "service": ", ".join(row.component.name for row in incident.affected)[:200],
        "status": incident.status,
        "tags": incident.tags,
        **kept,
        "timestamps": {
            "started": _written(incident.started_at),
            "resolved": _written(incident.resolved_at),
        },
    }


def export_tickets(session: Session, folder: Path) -> int:
    """Write every incident that is no drill into a file of the folder; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = (
        select(Incident)
        .where(Incident.kind == Kind.INCIDENT, Incident.is_drill.is_(False))
        .order_by(Incident.id)
        .options(
            selectinload(Incident.tagged),
            selectinload(Incident.affected).joinedload(IncidentComponent.component),
        )
    )
    count = 0
    for incident in session.scalars(chosen):
        ticket = as_ticket(incident)
        text = json.dumps(ticket, ensure_ascii=False, indent=2)
        (folder / f"{ticket['id']}.json").write_text(f"{text}\n", encoding="utf-8")
        count += 1
    return count


@needs(Permission.IMPORT)
def import_tickets(folder: Path, *, actor: Actor) -> TicketReport:
    """Take in the tickets of a folder, each file on its own; what is wrong with one is reported.

    A ticket that was imported before is updated; one of an incident of this service is left alone.
    """
    report = TicketReport()
    for path in sorted(folder.glob("*.json")):
        ticket, problems = read_ticket(path, severity.severity_levels(current_session()))
        if problems:
            report.problems += problems
            continue
        with writing() as session:
            outcome = _keep(session, ticket)
            if outcome != "unchanged":
                audit.record(
                    session, actor, "incident.import_ticket", subject_kind="ticket",
                    subject=ticket["id"], after={"title": ticket["title"], "outcome": outcome},
                )  # fmt: skip
        setattr(report, outcome, getattr(report, outcome) + 1)
    return report


def read_ticket(path: Path, levels: list[SeverityLevel]) -> tuple[dict[str, Any], list[str]]:
    """The ticket of a file, and what is wrong with it: the file, the field and why."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}, [f"{path.name}: is larger than {MOST_BYTES:,} bytes"]
        ticket = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return {}, [f"{path.name}: cannot be read as JSON: {error}"]
    problems = list(_problems(path.name, ticket))
    if not problems and _level(ticket["severity"], levels) is None:
        names = ", ".join(level.name for level in levels)
        problems = [f"{path.name}: severity: is none of {names}"]
    return ticket, problems


def _problems(name: str, ticket: object) -> Iterator[str]:
    for error in sorted(_VALIDATOR.iter_errors(ticket), key=lambda one: list(map(str, one.path))):
        place = ".".join(map(str, error.path))
        if error.validator == "required":
            place = error.message.split("'")[1]
            said = "is missing"
        else:
            said = error.message if len(error.message) < 200 else f"breaks “{error.validator}”"
        yield f"{name}: {place or 'the whole file'}: {said}"


def _keep(session: Session, ticket: Mapping[str, Any]) -> str:
    id_ = ticket["id"]
    same = or_(
        (Incident.origin == ORIGIN) & (Incident.origin_id == id_),
        Incident.code == id_,
        Incident.number == id_,
    )
    found = session.scalars(select(Incident).where(same).with_for_update()).first()
    if found is not None and found.origin != ORIGIN:
        return "unchanged"
    values = _values(session, ticket)
    tags = sorted({tag for word in ticket.get("tags", ()) if (tag := as_tag(word))})
    if found is None:
        _add(session, ticket, values, tags)
        return "added"
    before = {name: getattr(found, name) for name in values}
    if before == values and found.tags == tags:
        return "unchanged"
    for name, value in values.items():
        setattr(found, name, value)
    kept = {one.tag: one for one in found.tagged}
    found.tagged = [kept.get(tag) or IncidentTag(tag=tag) for tag in tags]
    return "updated"


def _values(session: Session, ticket: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a ticket says."""
    level = _level(ticket["severity"], severity.severity_levels(session))
    assert level is not None, "it was read with the same levels"
    status = _ALIASES.get(ticket["status"]) or IncidentStatus(ticket["status"])
    times = ticket.get("timestamps", {})
    started = _moment(times.get("started")) or _moment(times.get("resolved")) or clock.now()
    resolved = (_moment(times.get("resolved")) or started) if status.value in CLOSED else None
    return {
        "title": clean_line(ticket["title"]),
        "status": status.value,
        "severity_rank": level.rank,
        "severity_name": level.name,
        "impact": level.impact,
        "worst_rank": level.rank,
        "started_at": started,
        "resolved_at": max(resolved, started) if resolved else None,
        "ticket": {name: _text(ticket[name]) for name in TEXTS if ticket.get(name)},
    }


def _add(
    session: Session, ticket: Mapping[str, Any], values: Mapping[str, Any], tags: list[str]
) -> None:
    moment, code = clock.now(), new_code()
    incident = Incident(
        code=code, kind=Kind.INCIDENT, visibility=Visibility.INTERNAL, origin=ORIGIN,
        origin_id=ticket["id"], number=ticket["id"], created_at=moment, updated_at=moment,
        resolutions=int(values["resolved_at"] is not None),
        entry_id=current_links().incident_entry(code, moment), **values,
    )  # fmt: skip
    incident.tagged = [IncidentTag(tag=tag) for tag in tags]
    session.add(incident)
    session.flush()
    kept = values["ticket"]
    at = values["resolved_at"] or values["started_at"]
    update = new_code()
    session.add(
        IncidentUpdate(
            code=update, incident_id=incident.id, status=values["status"],
            visibility=Visibility.INTERNAL, notifies=False, happened_at=at, posted_at=moment,
            body=kept.get("description") or kept.get("actual") or values["title"],
            entry_id=current_links().update(code, update),
        )
    )  # fmt: skip
    wanted = {one.strip().casefold() for one in ticket.get("service", "").split(",")}
    present = session.scalars(select(Component).where(Component.removed_at.is_(None)))
    session.add_all(
        IncidentComponent(
            incident_id=incident.id, component_id=one.id, status=ComponentStatus.OPERATIONAL
        )
        for one in present
        if one.name.casefold() in wanted
    )


def _level(name: str, levels: list[SeverityLevel]) -> SeverityLevel | None:
    """The level of that name, alone or with words after a dash: ``P0 - Critical``."""
    names = {clean_line(name).casefold(), clean_line(name.partition(" - ")[0]).casefold()}
    return next((level for level in levels if level.name.casefold() in names), None)


def _text(value: str | list[str]) -> str:
    return clean(value if isinstance(value, str) else "\n".join(value))


def _moment(text: str | None) -> datetime | None:
    return clock.read_exact(text) if text else None


def _written(moment: datetime | None) -> str | None:
    return clock.as_utc(moment).isoformat() if moment else None
