"""The channels: by which provider each is sent, what is wrong with it, and a test of it."""

from __future__ import annotations

import secrets

from flask import abort, request
from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor, signed_in
from statuspage.admin.base import admin, done, page, refused
from statuspage.admin.marked_texts import _
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.enums import Audience
from statuspage.core.errors import Invalid
from statuspage.delivery import channel_state, channel_trial, nightly_trial
from statuspage.delivery.queue import MAILED


@admin.get("/delivery")
def delivery_channels() -> ResponseReturnValue:
    """How each channel stands."""
    return page(
        "admin/delivery_channels.html",
        channels=channel_state.channel_states(current_session()),
        nightly=nightly_trial.nightly_state(current_session()),
        form_key=secrets.token_urlsafe(16),
        cannot_mail=current_settings().mail_channel == "file",
    )


@admin.post("/delivery/test-mail")
def test_mail() -> ResponseReturnValue:
    """Send a test of a mail to the signed-in account's own address."""
    person = signed_in()
    audience = request.form.get("audience", "")
    if person is None or audience not in MAILED:
        abort(400)
    try:
        message_id = channel_trial.send_test_mail(
            Audience(audience), email=person.email, name=person.name, form_key=_form_key(),
            actor=actor(),
        )  # fmt: skip
    except Invalid as error:
        return refused(f"{error.reason}.", "admin.delivery_channels")
    notice = _("A test is on its way to %(email)s.", email=person.email)
    return done(notice, "admin.message", message_id=message_id)


@admin.post("/delivery/test-room")
def test_room() -> ResponseReturnValue:
    """Send a test to a chat room."""
    try:
        message_id = channel_trial.send_test_to_room(
            request.form.get("room", ""), form_key=_form_key(), actor=actor()
        )
    except Invalid as error:
        return refused(f"{error.reason}.", "admin.delivery_channels")
    return done(_("A test is on its way to the chat room."), "admin.message", message_id=message_id)


def _form_key() -> str:
    """What the form carries, so that sending it twice queues one test."""
    return request.form.get("form_key", "")[:64] or secrets.token_urlsafe(16)
