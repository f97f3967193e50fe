"""The mails about a resolution: what still waits can be cancelled, and sent after all."""

from __future__ import annotations

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, refused, show_time
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.incidents.resolution import cancel_window
from statuspage.models import Incident


@admin.post("/incidents/<code>/mails/cancel")
def cancel_mails(code: str) -> ResponseReturnValue:
    """Cancel the mails about the resolution that have not gone yet; the update stays."""
    try:
        cancelled = cancel_window.cancel_mails(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    kept, gone = cancelled.kept_back, cancelled.gone
    emails = "email is" if kept == 1 else "emails are"
    notice = f"{kept:,} {emails} cancelled. The update stays published."
    if gone:
        notice += f" {gone:,} had already been sent."
    return done(notice, "admin.incident", code=code)


@admin.post("/incidents/<code>/mails/send")
def send_after_all(code: str) -> ResponseReturnValue:
    """Send the cancelled mails after all, once to each."""
    try:
        sent = cancel_window.send_after_all(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    return done(f"{sent:,} {'email is' if sent == 1 else 'emails are'} being sent.",
                "admin.incident", code=code)  # fmt: skip


def describe_cancel_window(code: str) -> str:
    """What is said once a resolution is published whose mails wait; empty where none does."""
    incident = current_session().scalars(select(Incident).filter_by(code=code)).one()
    mails = cancel_window.mails_of_resolution(current_session(), incident)
    if mails.due_at is None or mails.due_at <= clock.now():
        return ""
    until = show_time(mails.due_at, seconds=True)
    return f" The emails wait until {until}; until then you can cancel them."
