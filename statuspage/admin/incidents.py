"""All incidents: those that are open first, then the latest."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import selectinload

from statuspage.admin.base import admin, page
from statuspage.admin.forms import read_number
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import Kind, Visibility
from statuspage.delivery import control
from statuspage.models import Incident, IncidentComponent

PAGE_SIZE: Final = 25
FILTERS: Final[dict[str, tuple[str, ColumnElement[bool]]]] = {
    "": ("All", true()),
    "open": ("Open", Incident.resolved_at.is_(None)),
    "resolved": ("Resolved", Incident.resolved_at.is_not(None)),
    "internal": (
        "Internal",
        (Incident.visibility == Visibility.INTERNAL) & Incident.is_drill.is_(False),
    ),
    "drills": ("Drills", Incident.is_drill.is_(True)),
}


@admin.get("/incidents")
def incidents() -> ResponseReturnValue:
    """A page of incidents, filtered."""
    asked = request.args.get("show", "")
    show = asked if asked in FILTERS else ""
    number = max(1, request.args.get("page", 1, type=read_number))
    found = (
        current_session()
        .scalars(
            select(Incident)
            .where(Incident.kind == Kind.INCIDENT, FILTERS[show][1])
            .order_by(Incident.resolved_at.is_not(None), Incident.started_at.desc(), Incident.id)
            .options(
                selectinload(Incident.affected).joinedload(IncidentComponent.component),
                selectinload(Incident.commander),
                selectinload(Incident.comms_lead),
            )
            .limit(PAGE_SIZE + 1)
            .offset((number - 1) * PAGE_SIZE)
        )
        .all()
    )
    return page(
        "admin/incidents.html",
        incidents=found[:PAGE_SIZE],
        filters={name: label for name, (label, _) in FILTERS.items()},
        show=show,
        number=number,
        has_more=len(found) > PAGE_SIZE,
        held_up=control.held_up(current_session()),
        moment=clock.now(),
    )
