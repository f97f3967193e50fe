"""The mails about a resolution: what still waits can be cancelled, and sent after all."""

from __future__ import annotations

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, refused, show_time
from statuspage.admin.marked_texts import _, ngettext
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
    notice = ngettext(
        "%(num)s email is cancelled. The update stays published.",
        "%(num)s emails are cancelled. The update stays published.",
        kept,
    )
    if gone:
        notice += _(" %(gone)s had already been sent.", gone=f"{gone:,}")
    return done(notice, "admin.incident", code=code)


@admin.post("/incidents/<code>/mails/send")
def send_after_all(code: str) -> ResponseReturnValue:
    """Send the cancelled mails after all, once to each."""
    try:
        sent = cancel_window.send_after_all(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.incident", code=code)
    notice = ngettext("%(num)s email is being sent.", "%(num)s emails are being sent.", sent)
    return done(notice, "admin.incident", code=code)


def describe_cancel_window(code: str) -> str:
    """What is said once a resolution is published whose mails wait; empty where none does."""
    incident = current_session().scalars(select(Incident).filter_by(code=code)).one()
    mails = cancel_window.mails_of_resolution(current_session(), incident)
    if mails.due_at is None or mails.due_at <= clock.now():
        return ""
    until = show_time(mails.due_at, seconds=True)
    return _(" The emails wait until %(until)s; until then you can cancel them.", until=until)
