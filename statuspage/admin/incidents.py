"""All incidents: those that are open first, then the latest; searched and filtered."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session, selectinload

from statuspage.admin.base import admin, page
from statuspage.admin.day_range import DayRange, asked_days
from statuspage.admin.forms import read_number
from statuspage.configuration import contacts, severity
from statuspage.configuration.components import component_names
from statuspage.configuration.page_settings import cause_categories
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import Kind, Visibility
from statuspage.core.languages import N_
from statuspage.core.richtext import clean_line
from statuspage.delivery import control
from statuspage.incidents import incident_search
from statuspage.incidents.classification import as_tag, known_tags
from statuspage.incidents.incident_search import IncidentFilter
from statuspage.models import Incident, IncidentComponent
from statuspage.models.columns import TITLE_LIMIT
from statuspage.models.incident import TAG_LIMIT
from statuspage.models.page import the_page

PAGE_SIZE: Final = 25
KEPT: Final = ("text", "severity", "component", "person", "tag", "cause_category", "since", "until")
FILTERS: Final[dict[str, tuple[str, ColumnElement[bool]]]] = {
    "": (N_("All"), true()),
    "open": (N_("Open"), Incident.resolved_at.is_(None)),
    "resolved": (N_("Resolved"), Incident.resolved_at.is_not(None)),
    "internal": (
        N_("Internal"),
        (Incident.visibility == Visibility.INTERNAL) & Incident.is_drill.is_(False),
    ),
    "drills": (N_("Drills"), Incident.is_drill.is_(True)),
}


@admin.get("/incidents")
def incidents() -> ResponseReturnValue:
    """A page of incidents, filtered."""
    session = current_session()
    asked = request.args.get("show", "")
    show = asked if asked in FILTERS else ""
    number = max(1, request.args.get("page", 1, type=read_number))
    days = asked_days()
    wanted = _asked(days)
    found = session.scalars(
        select(Incident)
        .where(
            Incident.kind == Kind.INCIDENT, FILTERS[show][1], *incident_search.conditions(wanted)
        )
        .order_by(Incident.resolved_at.is_not(None), Incident.started_at.desc(), Incident.id)
        .options(
            selectinload(Incident.affected).joinedload(IncidentComponent.component),
            selectinload(Incident.commander),
            selectinload(Incident.comms_lead),
            selectinload(Incident.tagged),
        )
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    return page(
        "admin/incidents.html",
        incidents=found[:PAGE_SIZE],
        filters={name: label for name, (label, _) in FILTERS.items()},
        show=show,
        number=number,
        has_more=len(found) > PAGE_SIZE,
        wanted=wanted,
        kept={name: request.args.get(name) or None for name in KEPT},
        wrong=days.wrong,
        levels=severity.severity_levels(session),
        components=component_names(session, also=frozenset(filter(None, [wanted.component_id]))),
        people=contacts.contacts(session),
        tags=sorted({*known_tags(session), wanted.tag} - {""}),
        causes=_causes(session, wanted.cause_category),
        held_up=control.held_up(session),
        moment=clock.now(),
    )


def _asked(days: DayRange) -> IncidentFilter:
    return IncidentFilter(
        text=clean_line(request.args.get("text", ""))[:200],
        severity_rank=_number("severity"),
        component_id=_number("component"),
        contact_id=_number("person"),
        tag=as_tag(request.args.get("tag", ""))[:TAG_LIMIT],
        cause_category=clean_line(request.args.get("cause_category", ""))[:TITLE_LIMIT],
        since=days.since,
        until=days.until,
    )


def _causes(session: Session, asked: str) -> list[str]:
    """The categories of the settings, and whichever others incidents have or are asked for."""
    used = session.scalars(select(Incident.cause_category).distinct())
    known = cause_categories(the_page(session))
    return [one for one in dict.fromkeys([*known, *sorted(used), asked]) if one]


def _number(name: str) -> int | None:
    return read_number(request.args.get(name)) or None
