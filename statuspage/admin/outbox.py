"""The outbox: what waits and why, stopping it and letting it go, and mail that lies in files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from flask import Response, abort, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import SelectField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import Form, LineField
from statuspage.admin.marked_texts import _
from statuspage.admin.wordings import framed
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.enums import Channel, Step
from statuspage.core.languages import N_
from statuspage.delivery import control, report
from statuspage.delivery.sent_copy import StoredMail, list_chat, list_mail, read_mail
from statuspage.models import Breaker, Delivery, Message

MOST_FILES: Final = 100
MOST_MESSAGES: Final = 20

_DOORS: Final = {
    "sendgrid": N_("Emails are sent through SendGrid."),
    "smtp": N_("Emails are sent through your SMTP server."),
    "file": N_(
        "No email provider is set up, so emails are written to files that you can read below."
    ),
}
_STOPPABLE: Final = {
    control.EVERYTHING: N_("Everything"),
    Channel.EMAIL.value: Channel.EMAIL.label,
    Channel.CHAT.value: Channel.CHAT.label,
}


class HoldForm(Form):
    """A stop, and why."""

    channel = SelectField(N_("Channel"), choices=_STOPPABLE)
    reason = LineField(N_("Why"), needed=N_("Say why, for anyone who finds sending paused"))


@admin.get("/outbox")
def outbox() -> ResponseReturnValue:
    """What waits, what holds it, and what was written to files."""
    return _show(HoldForm())


@admin.post("/outbox/hold")
def hold_outbox() -> ResponseReturnValue:
    """Stop sending until somebody releases it."""
    form = HoldForm.read()
    if form.is_accepted():
        control.hold(form.channel.data, reason=form.reason.data, actor=actor())
        return done(_("Paused. Waiting messages are kept until you resume."), "admin.outbox")
    return _show(form)


@admin.post("/outbox/release")
def release_outbox() -> ResponseReturnValue:
    """Let it go again."""
    control.release(_channel(request.form.get("channel", "")), actor=actor())
    return done(_("Resumed. Waiting messages are being sent."), "admin.outbox")


@admin.get("/outbox/mail/<delivery_id>")
def written_mail(delivery_id: str) -> ResponseReturnValue:
    """A mail that lies in a file, as its recipient would read it."""
    return page("admin/written_mail.html", mail=_mail(delivery_id))


@admin.get("/outbox/mail/<delivery_id>/html")
def written_mail_html(delivery_id: str) -> ResponseReturnValue:
    """Its HTML alone, for a frame that runs nothing."""
    html = _mail(delivery_id).html.replace("<head>", '<head><base target="_blank">', 1)
    return framed(make_response(html))


def _show(form: HoldForm) -> Response:
    session = current_session()
    settings = current_settings()
    is_file = settings.mail_channel == "file"
    return page(
        "admin/outbox.html",
        form=form,
        queues=report.queues(session),
        waiting=report.waiting_messages(session, most=MOST_MESSAGES),
        holds=control.holds(session),
        breakers=_breakers(session),
        provider=_DOORS[settings.mail_channel],
        mails=_written_mails() if is_file else [],
        writes_mail=is_file,
        notes=list_chat(settings.data_dir, limit=MOST_FILES) if _writes_chat() else [],
        writes_chat=_writes_chat(),
        window=clock.show_duration(timedelta(seconds=settings.cancel_window))
        if settings.cancel_window
        else "",
        held_name=_held_name,
        most=MOST_FILES,
    )


def _writes_chat() -> bool:
    return "" in current_settings().chat_rooms.values()


def _breakers(session: Session) -> list[tuple[str, Breaker, datetime | None]]:
    """Each channel that failed, and until when it is given a rest; None where it is tried again."""
    moment = clock.now()
    return [
        (_held_name(row.channel), row, row.open_until if _is_open(row, moment) else None)
        for row in session.scalars(select(Breaker).order_by(Breaker.channel))
    ]


def _is_open(breaker: Breaker, moment: datetime) -> bool:
    return breaker.open_until is not None and breaker.open_until > moment


def _channel(name: str) -> str:
    if name not in _STOPPABLE:
        abort(400)
    return name


def _held_name(channel: str) -> str:
    return _STOPPABLE.get(channel, channel)


def _mail(delivery_id: str) -> StoredMail:
    found = read_mail(current_settings().data_dir, delivery_id)
    if found is None or _about_accounts([found]):
        abort(404)
    return found


def _written_mails() -> list[StoredMail]:
    mails = list_mail(current_settings().data_dir, limit=MOST_FILES)
    hidden = _about_accounts(mails)
    return [mail for mail in mails if mail.delivery_id not in hidden]


def _about_accounts(mails: Sequence[StoredMail]) -> frozenset[str]:
    """The mails that hold a link to somebody's account: for whoever has the files, not for us."""
    ids = [int(mail.delivery_id) for mail in mails if mail.delivery_id.isdecimal()]
    found = current_session().scalars(
        select(Delivery.id)
        .join(Delivery.message)
        .where(Delivery.id.in_(ids), Message.step == Step.ACCOUNT)
    )
    return frozenset(map(str, found))
