"""Correcting a mail: seen before it goes, and sent to exactly those who got it wrong."""

from __future__ import annotations

from hashlib import sha256

from flask import request
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused
from statuspage.admin.forms import Form, LineField, NameField, ProseField
from statuspage.admin.marked_texts import _
from statuspage.admin.previews import show_mail
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.delivery import report
from statuspage.delivery.report import Tally
from statuspage.incidents import mail_corrections
from statuspage.incidents.mail_corrections import Correction
from statuspage.models import Message


class MailCorrectionForm(Form):
    """What a mail should have said; ``shown`` identifies the text that was shown last."""

    note = ProseField(N_("What was wrong"), needed=N_("Say that something was wrong"))
    subject = NameField(N_("Subject"), needed=N_("Enter a subject"))
    body = ProseField(N_("Corrected text"), needed=N_("Write what people should read"))
    because = LineField(N_("Send anyway because"))
    shown = HiddenField()

    def correction(self) -> Correction:
        """The correction as typed."""
        return Correction(self.subject.data, self.body.data, self.note.data, self.because.data)

    def mark(self) -> str:
        """A short name for what is typed, equal as long as it is the same."""
        typed = repr((self.subject.data, self.body.data, self.note.data))
        return sha256(typed.encode()).hexdigest()[:16]


@admin.route("/messages/<int:message_id>/correct", methods=["GET", "POST"])
def correct_message(message_id: int) -> ResponseReturnValue:
    """Write the correction of a mail, look at it, and send it; nothing is sent unseen."""
    session = current_session()
    wrong = session.get_one(Message, message_id)
    if not mail_corrections.may_be_corrected(session, wrong):
        reason = _("There’s nothing to correct: no one got it, or it has been corrected already.")
        return refused(reason, "admin.message", message_id=message_id)
    form = MailCorrectionForm.read(mail_corrections.as_sent(session, wrong))
    draft = None
    if form.is_accepted():
        with form.refusals():
            if "send" in request.form and form.shown.data == form.mark():
                return _send(wrong, form)
            draft = mail_corrections.preview_correction(wrong, form.correction())
            form.shown.data = form.mark()
    mail = show_mail(draft.mail, draft.reader) if draft and draft.reader else None
    return page("admin/correct_message.html", form=form, message=wrong, draft=draft, mail=mail)


def _send(wrong: Message, form: MailCorrectionForm) -> ResponseReturnValue:
    message_id, update_id = wrong.id, wrong.update_id
    is_cancelled, incident = wrong.cancelled_at is not None, wrong.incident
    told = mail_corrections.send_correction(message_id, form.correction(), actor=actor())
    done_so_far = _notice(report.tally(current_session(), told.id), is_cancelled=is_cancelled)
    others = (
        mail_corrections.correctable(current_session(), update_id) if update_id is not None else []
    )
    if others:
        notice = _(
            "%(done)s The %(other)s said the same: put it right too, or leave it.",
            done=done_so_far,
            other=others[0].title.lower(),
        )
        return done(notice, "admin.correct_message", message_id=others[0].id)
    if is_cancelled and incident is not None:
        return done(done_so_far, "admin.incident", code=incident.code)
    return done(done_so_far, "admin.message", message_id=told.id)


def _notice(told: Tally, *, is_cancelled: bool) -> str:
    """What a correction has done, in words."""
    sentences = [_("The correction is being sent.")] if told.total else []
    if is_cancelled:
        sentences.append(
            _(
                "The cancelled emails have the corrected text now; they’re sent only if you "
                "send them after all."
            )
        )
    return " ".join(sentences) or _("Anyone still waiting gets the corrected text.")
