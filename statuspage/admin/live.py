"""What an open screen asks every second or two: whether something changed, and who else is there.

Each answer is a few small reads.  The number that it holds is the one that the screen was drawn
with, until somebody changes something that it shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from statuspage.access import presences
from statuspage.admin.auth import signed_in
from statuspage.admin.base import admin
from statuspage.core.db import current_session
from statuspage.core.enums import Kind, status_of
from statuspage.intake import suggestions
from statuspage.models import (
    Account,
    Incident,
    IncidentNote,
    IncidentUpdate,
    ScheduledUpdate,
    revision,
)


@admin.get("/live")
def live() -> ResponseReturnValue:
    """The number of the dashboard."""
    session = current_session()
    open_ones = select(func.count(), func.sum(Incident.version)).where(
        Incident.resolved_at.is_(None), Incident.kind == Kind.INCIDENT
    )
    count, versions = session.execute(open_ones).one()
    number = revision.current_number(session)
    return jsonify(number=_of_all(number, count, versions or 0, suggestions.state_of_open(session)))


@admin.get("/incidents/<code>/live")
def incident_live(code: str) -> ResponseReturnValue:
    """The number of an incident's screen, its newest update, and who else looks at it."""
    return jsonify(_of_one(code))


@admin.post("/incidents/<code>/present")
def incident_present(code: str) -> ResponseReturnValue:
    """The same, after noting that somebody looks at it, or writes."""
    person = signed_in()
    found = select(Incident.id).where(Incident.code == code)
    incident_id = current_session().scalars(found).one()
    if person is not None:
        presences.report(incident_id, person.account_id, writes="writes" in request.form)
    return jsonify(_of_one(code))


def number_of_all(number: int, incidents: Iterable[Incident]) -> str:
    """The number of a dashboard that shows these open incidents at a revision of the page."""
    versions = [incident.version for incident in incidents]
    return _of_all(
        number, len(versions), sum(versions), suggestions.state_of_open(current_session())
    )


def number_of(incident: Incident, scheduled: ScheduledUpdate | None, note_id: int) -> str:
    """The number of an incident's screen, which shows its scheduled update and notes too.

    ``note_id`` is the id of the note that was added last, 0 for none.
    """
    newest = max((update.id for update in incident.updates), default=0)
    if scheduled is None:
        return _of_incident(incident.version, newest, note_id, None, None)
    return _of_incident(incident.version, newest, note_id, scheduled.form_key, scheduled.held_at)


def _of_all(number: int, count: int, versions: int, suggested: str) -> str:
    return f"{number}-{count}-{versions}-{suggested}"


def _of_incident(
    version: int, newest: int, note_id: int, scheduled_by: str | None, held_at: datetime | None
) -> str:
    """Version, newest update, last note, and scheduled update, which each form schedules with its
    own key.
    """
    scheduled = f"{scheduled_by}{'held' if held_at else ''}" if scheduled_by else ""
    return f"{version}-{newest}-{note_id}-{scheduled}"


def _of_one(code: str) -> dict[str, Any]:
    session, person = current_session(), signed_in()
    last_note = select(func.max(IncidentNote.id)).where(IncidentNote.incident_id == Incident.id)
    row = session.execute(
        select(
            Incident.id,
            Incident.version,
            Incident.kind,
            IncidentUpdate.id.label("update_id"),
            last_note.correlate(Incident).scalar_subquery().label("note_id"),
            IncidentUpdate.status,
            Account.name,
            ScheduledUpdate.form_key,
            ScheduledUpdate.held_at,
            suggestions.counted(Incident.id).label("alerts"),
        )
        .outerjoin(IncidentUpdate, IncidentUpdate.incident_id == Incident.id)
        .outerjoin(Account, Account.id == IncidentUpdate.account_id)
        .outerjoin(ScheduledUpdate, ScheduledUpdate.incident_id == Incident.id)
        .where(Incident.code == code)
        .order_by(IncidentUpdate.id.desc())
        .limit(1)
    ).one()
    present = presences.others(session, row.id, but=person.account_id if person else 0)
    return {
        "number": _of_incident(
            row.version, row.update_id or 0, row.note_id or 0, row.form_key, row.held_at
        ),
        "newest": status_of(row.kind, row.status).label if row.status else "",
        "by": row.name or "",
        "alerts": row.alerts or "",
        "others": [{"name": one.name, "writes": one.writes} for one in present],
    }
