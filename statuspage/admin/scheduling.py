"""Scheduled updates on the screen of an incident: set for a time, edited, cancelled."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, show_moment
from statuspage.admin.drafting import typed_again
from statuspage.admin.forms import read_number
from statuspage.admin.marked_texts import _
from statuspage.admin.update_form import Posting
from statuspage.core.db import current_session
from statuspage.incidents import saved_drafts, scheduled
from statuspage.incidents.scheduled import PlannedPost, scheduled_on, status_of_scheduled
from statuspage.models import Incident, ScheduledUpdate


@admin.post("/incidents/<code>/scheduled/cancel")
def cancel_scheduled(code: str) -> ResponseReturnValue:
    """Have a scheduled update not posted at all."""
    current_session().scalars(select(Incident.id).filter_by(code=code)).one()
    was_there = scheduled.cancel(code, actor=actor())
    notice = _("The scheduled update is cancelled.") if was_there else _("No update is scheduled.")
    return done(notice, "admin.incident", code=code)


def schedule_post(posting: Posting) -> ResponseReturnValue:
    """Schedule what the form would post; raises as the verb does."""
    incident, form = posting.incident, posting.form
    planned = PlannedPost(
        form.publish_at.data,
        posting.update,
        reopens=posting.reopens,
        publishes=posting.publishes,
        form=typed_again(),
        replaces=read_number(form.scheduled.data),
    )
    code, at = incident.code, show_moment(planned.publish_at)
    scheduled.schedule(code, planned, form.submission())
    saved_drafts.discard_draft(code, actor=actor())
    return done(
        _("Scheduled for %(at)s. Nothing has been sent yet.", at=at), "admin.incident", code=code
    )


def edited(incident: Incident) -> ScheduledUpdate | None:
    """The scheduled update that the form is to be filled with; None where nobody asks for it."""
    if request.method == "POST" or "scheduled" not in request.args:
        return None
    found = scheduled_on(current_session(), incident)
    return found[0] if found else None


def shown_schedule(incident: Incident) -> dict[str, Any]:
    """What the screen shows of the scheduled update."""
    found = scheduled_on(current_session(), incident)
    if found is None:
        return {"scheduled": None}
    return {
        "scheduled": found[0],
        "scheduled_by": found[1],
        "scheduled_status": status_of_scheduled(found[0]),
    }
