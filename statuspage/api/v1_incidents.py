"""Incidents and maintenances over v1: listed, created, updated, resolved, taken off the page."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, select, true

from statuspage.api import callers, v1_objects
from statuspage.api.v1_changes import IncidentBody, create, read_incident_body, update
from statuspage.api.v1_requests import (
    MissingRecord,
    answer,
    page_number,
    per_page,
    route,
    sent_object,
)
from statuspage.api.v1_values import read_flag, read_moment, read_text
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import (
    CLOSED,
    RUNNING,
    Audience,
    IncidentStatus,
    KeyScope,
    Kind,
    MaintenanceStatus,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.incidents import incident_search, lifecycle, maintenance
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.tool_data import keep_for_tool
from statuspage.messages.compose import Text
from statuspage.models import Incident, IncidentUpdate
from statuspage.public import queries

_MAINTENANCE = Incident.kind == Kind.MAINTENANCE
_PLANNED = Incident.status == MaintenanceStatus.SCHEDULED.value


def _listed(which: ColumnElement[bool]) -> ResponseReturnValue:
    """A page of the public's incidents, newest first; ``q`` finds words in title and texts."""
    session = current_session()
    chosen = select(Incident).where(Incident.visibility == Visibility.PUBLIC, which)
    if text := request.args.get("q", "").strip()[:200]:
        chosen = chosen.where(incident_search.tells(text, in_public=True))
    size = per_page()
    rows = session.scalars(
        chosen.order_by(Incident.created_at.desc(), Incident.id.desc())
        .offset((page_number() - 1) * size)
        .limit(size)
    ).all()
    return answer(v1_objects.incident_objects(session, rows))


@route("/incidents", "GET", KeyScope.READ)
def list_incidents() -> ResponseReturnValue:
    """Incidents and maintenances."""
    return _listed(true())


@route("/incidents/unresolved", "GET", KeyScope.READ)
def list_unresolved() -> ResponseReturnValue:
    """Incidents that are not over."""
    return _listed(and_(Incident.kind == Kind.INCIDENT, Incident.status.not_in(CLOSED)))


@route("/incidents/scheduled", "GET", KeyScope.READ)
def list_scheduled() -> ResponseReturnValue:
    """Maintenances that are not over."""
    return _listed(and_(_MAINTENANCE, Incident.status.not_in(CLOSED)))


@route("/incidents/upcoming", "GET", KeyScope.READ)
def list_upcoming() -> ResponseReturnValue:
    """Maintenances that have not begun."""
    return _listed(and_(_MAINTENANCE, _PLANNED))


@route("/incidents/active_maintenance", "GET", KeyScope.READ)
def list_active_maintenances() -> ResponseReturnValue:
    """Maintenances that go on now."""
    return _listed(and_(_MAINTENANCE, Incident.status.in_(RUNNING)))


@route("/incidents/<id:code>", "GET", KeyScope.READ)
def get_incident(code: str) -> ResponseReturnValue:
    """One incident."""
    return answer(_document(_incident(code)))


@route("/incidents", "POST", KeyScope.PUBLISH)
def create_incident() -> ResponseReturnValue:
    """Declare an incident, schedule a maintenance, or record what is over."""
    made = create(_body(), actor=callers.caller().actor)
    return answer(_document(_incident(made)), 201)


@route("/incidents/<id:code>", "PATCH", KeyScope.PUBLISH)
@route("/incidents/<id:code>", "PUT", KeyScope.PUBLISH)
def update_incident(code: str) -> ResponseReturnValue:
    """Post an update, resolve, reopen, move a maintenance, or only rename."""
    update(_incident(code), _body(), actor=callers.caller().actor)
    return get_incident(code)


@route("/incidents/<id:code>", "DELETE", KeyScope.PUBLISH)
def remove_incident(code: str) -> ResponseReturnValue:
    """Take an incident off the page, or cancel a maintenance; what was sent stays sent."""
    incident, actor = _incident(code), callers.caller().actor
    shown = _document(incident)
    if incident.kind is Kind.INCIDENT:
        lifecycle.hide(code, actor=actor)
        return answer(shown)
    if incident.status != MaintenanceStatus.SCHEDULED:
        raise Invalid("status", "Only a maintenance that has not started can be removed.")
    maintenance.cancel(code, Submission(actor, uuid4().hex))
    return get_incident(code)


@route("/incidents/<id:code>/incident_updates/<id:update_code>", "PATCH", KeyScope.PUBLISH)
@route("/incidents/<id:code>/incident_updates/<id:update_code>", "PUT", KeyScope.PUBLISH)
def correct_update(code: str, update_code: str) -> ResponseReturnValue:
    """Correct the text of an update; nobody is notified."""
    sent = sent_object("incident_update")
    saved = _update(_incident(code), update_code)
    body, shown_at = read_text(sent, "body"), read_moment(sent, "display_at")
    if shown_at is not None and saved.happened_at != shown_at:
        raise Invalid("display_at", "The time of an update cannot be changed.")
    read_flag(sent, "deliver_notifications", default=False)
    if body is not None:
        lifecycle.correct_update(update_code, body=body, actor=callers.caller().actor)
    shown = _document(_incident(code))["incident_updates"]
    return answer(next(one for one in shown if one["id"] == update_code))


def _update(incident: Incident, update_code: str) -> IncidentUpdate:
    for row in incident.updates:
        if row.code == update_code and row.visibility is Visibility.PUBLIC:
            return row
    raise MissingRecord("incident update")


# --- post-mortem ---------------------------------------------------------------------------------


@route("/incidents/<id:code>/postmortem", "GET", KeyScope.READ)
def get_postmortem(code: str) -> ResponseReturnValue:
    """The post-mortem: its draft, and what is published."""
    incident = _incident(code)
    zone = queries.read_site(current_session()).zone
    found = v1_objects.postmortem_object(incident, _document(incident), zone)
    if found is None:
        raise MissingRecord("post-mortem")
    return answer(found)


@route("/incidents/<id:code>/postmortem", "PUT", KeyScope.DRAFT)
def draft_postmortem(code: str) -> ResponseReturnValue:
    """Keep a draft; nobody but tools reads it."""
    _incident(code)
    body = read_text(sent_object("postmortem"), "body_draft")
    if body is None:
        raise Invalid("body_draft", "Send the text")
    kept = {"postmortem": {"body": body, "at": clock.now().isoformat()}}
    keep_for_tool(code, kept, actor=callers.caller().actor)
    return get_postmortem(code)


@route("/incidents/<id:code>/postmortem", "DELETE", KeyScope.DRAFT)
def discard_postmortem(code: str) -> ResponseReturnValue:
    """Discard the draft; what is published stays."""
    if not _incident(code).tool_data.get("postmortem"):
        raise MissingRecord("draft of a post-mortem")
    keep_for_tool(code, {"postmortem": None}, actor=callers.caller().actor)
    return Response(status=204)


@route("/incidents/<id:code>/postmortem/publish", "PUT", KeyScope.PUBLISH)
def publish_postmortem(code: str) -> ResponseReturnValue:
    """Publish the draft as the incident's post-mortem."""
    incident = _incident(code)
    kept = incident.tool_data.get("postmortem") or {}
    if not kept:
        raise Invalid("body_draft", "There is no draft to publish.")
    lifecycle.post_update(
        code,
        NewUpdate(IncidentStatus.POSTMORTEM, tool_data={"postmortem": None}),
        Submission(
            callers.caller().actor, uuid4().hex, texts={Audience.PUBLIC: Text("", kept["body"])}
        ),
    )
    return get_postmortem(code)


@route("/incidents/<id:code>/postmortem/revert", "PUT", KeyScope.PUBLISH)
def revert_postmortem(code: str) -> ResponseReturnValue:
    """Refused: what was published is corrected, and not taken back."""
    _incident(code)
    raise Invalid("postmortem", "A published post-mortem is corrected, and not taken back.")


def _body() -> IncidentBody:
    return read_incident_body(current_session(), sent_object("incident"))


def _incident(code: str) -> Incident:
    found = v1_objects.public_incident(current_session(), code)
    if found is None:
        raise MissingRecord("incident")
    return found


def _document(incident: Incident) -> dict[str, Any]:
    return v1_objects.incident_objects(current_session(), [incident])[0]
