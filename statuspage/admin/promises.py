"""The deadlines of an incident: what is promised, what the scheme asks for, what remains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, refused, show_time
from statuspage.admin.deliveries import in_words
from statuspage.admin.forms import PostForm, read_number
from statuspage.admin.marked_texts import _, ngettext
from statuspage.configuration import contacts, severity
from statuspage.configuration.severity import VENDOR
from statuspage.core import clock, richtext
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.enums import Audience, ComponentStatus, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.delivery import report
from statuspage.incidents import (
    checklist,
    drill_score,
    escalation,
    lifecycle,
    promises,
    reminders,
)
from statuspage.incidents.announcement import of_update
from statuspage.incidents.drafts import drafts, text_at_once
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.messages.incident_facts import slips_of
from statuspage.models import Contact, Incident
from statuspage.recipients.drill_recipients import drill_recipients_on

USUAL_PROMISE_MINUTES: Final = 30
MOST_PROMISES: Final = 20


@dataclass(frozen=True, slots=True)
class Call:
    """Whom the scheme calls in while it is not resolved, and when."""

    place: int
    at: datetime
    who: str


def of(incident: Incident) -> dict[str, Any]:
    """What the incident screen shows of its deadlines."""
    session, moment = current_session(), clock.now()
    updates = sorted(incident.updates, key=lambda update: (update.posted_at, update.id))
    level = severity.level_of(session, incident.severity_rank)
    worst = severity.level_of(session, incident.worst_rank)
    closing = checklist.closing_of(session, incident)
    owner = session.get(Contact, incident.review_owner_id) if incident.review_owner_id else None
    record = promises.record_of(incident, moment)
    reviewed = [latest for latest in updates if latest.status == IncidentStatus.POSTMORTEM]
    return {
        "expected_slips": slips_of(incident),
        "record": record,
        "kept": record.promises[: -MOST_PROMISES - 1 : -1],
        "unpromised": updates[-1].no_promise_because if updates else "",
        "first_post": updates[0].posted_at if updates else None,
        "respond_minutes": worst.respond_minutes if worst else None,
        "resolve_by": _resolve_by(incident, level.resolve_minutes if level else None),
        "calls": _calls(incident) if incident.is_open else [],
        "next_call": reminders.next_call(session, incident),
        "reviewed_at": reviewed[0].posted_at if reviewed else None,
        "review_owner": owner,
        "closing": closing,
        "closing_hints": _hints(incident) if closing else {},
        "score": drill_score.score_of(session, incident)
        if incident.is_drill and not incident.is_open
        else None,
        "sealed": drill_recipients_on(incident),
        "contacts": contacts.contacts(session) if closing else [],
    }


def quiet(incident: Incident) -> tuple[str, str, str]:
    """What the one press says, when it promises the next update, and why subscribers get no email.

    Empty where it cannot, and where they do.
    """
    update = _no_change(incident)
    try:
        announcement = of_update(incident, update)
        text = text_at_once(announcement)
    except Invalid:
        return "", "", ""
    if text is None or not update.next_update_at:
        return "", "", ""
    promised = show_time(update.next_update_at)
    why = announcement.left_out.get(Audience.SUBSCRIBER, "") if incident.tells_outsiders else ""
    return richtext.to_text(text.body), promised, why


def promised_by_no_change(incident: Incident) -> str:
    """When “No change yet” promises the next update, as a time of day."""
    return show_time(_next_promise(incident))


@admin.post("/incidents/<code>/no-change")
def no_change(code: str) -> ResponseReturnValue:
    """Say honestly that there is no progress yet, and when the next update comes.

    Pressed on the dashboard, it leads back there.
    """
    incident = _found(code)
    form = PostForm.read()
    is_on_dashboard = "dashboard" in request.form
    endpoint = "admin.dashboard" if is_on_dashboard else "admin.incident"
    values = {} if is_on_dashboard else {"code": code}
    if _was_just_said(incident):
        return refused(_("That was just posted. Nothing was sent."), endpoint, **values)
    try:
        seen = read_number(request.form.get("seen_version")) or None
        submission = Submission(actor(), form.form_key.data or "", seen)
        lifecycle.post_update(code, _no_change(incident), submission)
    except Invalid as error:
        # What it lacks is filled in at the incident.
        return refused(error.reason, "admin.incident", code=code)
    except Conflict:
        return refused(
            _("Someone else posted an update, so nothing was sent. Read it first."),
            "admin.incident",
            code=code,
        )
    return done(
        _("%(title)s: posted that there is no change yet.", title=incident.title),
        endpoint,
        **values,
    )


@admin.post("/incidents/<code>/closing")
def close_incident(code: str) -> ResponseReturnValue:
    """Mark as done some of what remains after the end, or say that it is not done after all."""
    _found(code)
    try:
        if undone := request.form.get("undo"):
            checklist.untick(code, undone, actor=actor())
            return done(_("Marked as not done."), "admin.incident", code=code)
        incident = checklist.tick_off(
            code,
            request.form.getlist("done"),
            actor=actor(),
            review_owner_id=read_number(request.form.get("review_owner")) or None,
        )
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    closing = checklist.closing_of(current_session(), incident)
    left = closing.left if closing else 0
    remaining = ngettext("Noted. %(num)s thing remains.", "Noted. %(num)s things remain.", left)
    notice = remaining if left else _("Noted. Closing checklist complete.")
    return done(notice, "admin.incident", code=code)


def _found(code: str) -> Incident:
    return current_session().scalars(select(Incident).filter_by(code=code)).one()


def _no_change(incident: Incident) -> NewUpdate:
    status = IncidentStatus(incident.status)
    return NewUpdate(status, next_update_at=_next_promise(incident), no_change=True)


def _next_promise(incident: Incident) -> datetime:
    level = severity.level_of(current_session(), incident.severity_rank)
    moment = clock.now()
    return severity.promise_next_update(level, moment) or (
        moment + timedelta(minutes=USUAL_PROMISE_MINUTES)
    ).replace(second=0, microsecond=0)


def _was_just_said(incident: Incident) -> bool:
    """Whether the last update says the very same, which a second click would repeat."""
    newest = max(incident.updates, key=lambda update: update.id)
    made = drafts(of_update(incident, _no_change(incident))) if incident.is_open else []
    first = made[0].finished if made else None
    return first is not None and first.body == newest.body


def _resolve_by(incident: Incident, minutes: int | None) -> datetime | None:
    return incident.started_at + timedelta(minutes=minutes) if minutes is not None else None


def _calls(incident: Incident) -> list[Call]:
    steps = escalation.escalation(current_session(), incident).steps
    has_vendor = any(VENDOR in step.to for step in steps)
    outside = escalation.vendors(current_session(), incident) if has_vendor else []
    return [
        Call(step.place, step.at, ", ".join(_who(to, step, outside) for to in step.to))
        for step in steps
    ]


@admin.post("/incidents/<code>/escalate")
def escalate_incident(code: str) -> ResponseReturnValue:
    """Call the next step of the escalation now."""
    _found(code)
    try:
        place = read_number(request.form.get("place"))
        said = reminders.escalate(code, place, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    return done(said, "admin.incident", code=code)


def _who(to: str, step: escalation.EscalationStep, outside: list[str]) -> str:
    names = ", ".join(outside if to == VENDOR else [contact.name for contact in step.people])
    return f"{severity.ESCALATED_TO.get(to, to)} ({names or 'nobody named'})"


def _hints(incident: Incident) -> dict[str, str]:
    """What the service knows itself of what is to be ticked off."""
    troubled = [
        row.component.name
        for row in incident.affected
        if row.component.status is not ComponentStatus.OPERATIONAL
    ]
    sentences = [
        in_words(counts)
        for message, counts in report.tallies(current_session(), incident.id)
        if message.audience is Audience.CUSTOMER
    ]
    return {
        "stable": _("Nothing has come back for an hour."),
        "root_cause": _("Record it as confirmed, or say so here."),
        "components": _("Not operational: %(troubled)s", troubled=", ".join(troubled)),
        "fix": _("The error rate, the metrics and a test of what was broken."),
        "alerts": _("In the monitoring tool."),
        "page": _("As visitors see it."),
        "customers": sentences[0] if sentences else _("No emails were delivered."),
        "channel": incident.chat_channel or _("The chat that this service posts to."),
    }
