"""What alerts suggest: a list, each with its alerts, and what a person does with it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import abort, request
from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused
from statuspage.admin.marked_texts import _
from statuspage.configuration import severity
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.intake import alert_sources, problem_reports
from statuspage.intake import suggestions as verbs
from statuspage.models import Incident, Suggestion

MOST_OPEN_SHOWN: Final = 100
MOST_PAST: Final = 50
MOST_ALERTS: Final = 100


def respond_by(suggestion: Suggestion) -> datetime | None:
    """When somebody is to respond to a suggestion at the latest, for the screens that show one."""
    return verbs.respond_by(current_session(), suggestion)


@admin.get("/suggestions")
def suggestions() -> ResponseReturnValue:
    """Those that wait for somebody, and the last of those that do not."""
    session = current_session()
    waiting = verbs.open_suggestions(session, most=MOST_OPEN_SHOWN + 1)
    return page(
        "admin/suggestions.html",
        waiting=waiting[:MOST_OPEN_SHOWN],
        has_more=len(waiting) > MOST_OPEN_SHOWN,
        past=verbs.past_suggestions(session, most=MOST_PAST),
        levels=severity.severity_levels(session),
        respond_by=respond_by,
        visitor_counts=problem_reports.visitor_counts(session),
        has_source=bool(alert_sources.alert_sources(session)),
    )


@admin.get("/suggestions/<code>")
def suggestion(code: str) -> ResponseReturnValue:
    """One suggestion: its alerts, and what to do with it."""
    session = current_session()
    found = verbs.find_suggestion(session, code) or abort(404)
    incidents = session.scalars(verbs.open_incidents().order_by(Incident.started_at.desc()))
    return page(
        "admin/suggestion.html",
        suggestion=found,
        respond_by=respond_by,
        alerts=verbs.alerts_of(session, found, most=MOST_ALERTS),
        levels=severity.severity_levels(session),
        incidents=incidents.all(),
    )


@admin.post("/suggestions/<code>/dismiss")
def dismiss_suggestion(code: str) -> ResponseReturnValue:
    """Dismiss it until its alerts have resolved and fire again."""
    try:
        verbs.dismiss(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.suggestions")
    notice = _("Dismissed. It comes back if its alerts resolve and then fire again.")
    return done(notice, "admin.suggestions")


@admin.post("/suggestions/<code>/add")
def add_suggestion(code: str) -> ResponseReturnValue:
    """Have its alerts belong to an open incident."""
    incident_code = request.form.get("incident", "")
    try:
        verbs.add_to_incident(code, incident_code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.suggestion", code=code)
    return done(_("The alerts belong to this incident now."), "admin.incident", code=incident_code)
