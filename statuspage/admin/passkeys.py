"""One's own passkeys, signing in with one, and confirming with one.

A browser makes and uses them by script (``static/passkeys.js``); without it the other factors work.
"""

from __future__ import annotations

from typing import Final

from flask import request, session
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from statuspage.access import passkeys as verbs
from statuspage.access import second_factor as factors
from statuspage.admin import auth
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, local_target, page, refused, the_page
from statuspage.admin.forms import Form, LineField, NameField
from statuspage.admin.marked_texts import _
from statuspage.admin.sign_in import PASSKEY_CHALLENGE, let_in
from statuspage.admin.step_up import ProofForm, confirm_page, go_on
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.delivery import account_changes
from statuspage.delivery.account_mail import queue_sign_in_notice
from statuspage.models import Account
from statuspage.public import http

_NEW: Final = N_("new passkey")
_TOO_OLD: Final = N_("This page was too old. Try again.")


class PasskeyForm(Form):
    """What the browser made, and what to call it."""

    name = LineField(
        N_("Name"),
        needed=N_("Enter a name"),
        render_kw={"placeholder": N_("Security key, phone, …")},
    )
    credential = HiddenField()


class PasskeyNameForm(Form):
    """What a passkey is called."""

    name = NameField(N_("Name"), needed=N_("Enter a name"))


@admin.get("/me/passkeys")
def passkeys() -> ResponseReturnValue:
    """One's passkeys, and what a new one is made of."""
    account, database = _mine(), current_session()
    options = ""
    if verbs.can_be_used():
        service = the_page()
        options, session[_NEW] = verbs.offer(
            database, account, service=service.name if service else _("Status page")
        )
    return page(
        "admin/passkeys.html",
        form=PasskeyForm(None),
        passkeys=verbs.of_account(database, account.id),
        options=options,
        is_required=factors.is_required(account.role),
    )


@admin.post("/me/passkeys")
def add_passkey() -> ResponseReturnValue:
    """Keep the passkey that the browser made."""
    form = PasskeyForm.read()
    challenge = session.pop(_NEW, "")
    try:
        if not challenge:
            raise Invalid("form", _TOO_OLD)
        token, codes = account_changes.add_passkey(
            form.credential.data or "",
            challenge=challenge,
            name=form.name.data or "",
            address=http.present_address(),
            user_agent=request.headers.get("User-Agent", ""),
            actor=actor(),
        )
    except Invalid as error:
        return refused(error.reason, "admin.passkeys")
    answer = (
        page("admin/recovery_codes.html", codes=codes)
        if codes
        else done(_("Your passkey was added; other browsers were signed out."), "admin.passkeys")
    )
    auth.remember(answer, token)
    return answer


@admin.post("/me/passkeys/<int:passkey_id>/name")
def rename_passkey(passkey_id: int) -> ResponseReturnValue:
    """Call a passkey something else."""
    try:
        verbs.rename_passkey(passkey_id, name=PasskeyNameForm.read().name.data or "", actor=actor())
    except Invalid as error:
        return refused(f"{error.reason}.", "admin.passkeys")
    return done(_("The name was saved."), "admin.passkeys")


@admin.post("/me/passkeys/<int:passkey_id>/remove")
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Remove a passkey."""
    try:
        token = account_changes.remove_passkey(
            passkey_id,
            address=http.present_address(),
            user_agent=request.headers.get("User-Agent", ""),
            actor=actor(),
        )
    except Invalid as error:
        return refused(f"{error.reason}.", "admin.passkeys")
    answer = done(_("The passkey was removed."), "admin.passkeys")
    if token is not None:
        auth.remember(answer, token)
    return answer


@admin.post("/login/passkey")
@auth.open_to_strangers
def sign_in_with_passkey() -> ResponseReturnValue:
    """Sign in with a passkey: instead of the password, or after it."""
    challenge = session.pop(PASSKEY_CHALLENGE, "")
    try:
        if not challenge:
            raise Invalid("form", _TOO_OLD)
        token, account = verbs.sign_in_with(
            request.form.get("credential", ""),
            challenge=challenge,
            address=http.present_address(),
            browser=auth.known_browser(),
            user_agent=request.headers.get("User-Agent", ""),
            notify=queue_sign_in_notice,
        )
    except Invalid as error:
        return refused(error.reason, "admin.sign_in")
    target = request.form.get("next", "")
    return let_in(token, account.email, local_target(target))


@admin.post("/confirm/passkey")
def confirm_with_passkey() -> ResponseReturnValue:
    """Confirm with a passkey who sits there; the form that waits is carried along."""
    form, challenge = ProofForm.read(), session.pop(PASSKEY_CHALLENGE, "")
    with form.refusals():
        if not challenge:
            raise Invalid("form", _TOO_OLD)
        token = verbs.prove_with(
            request.form.get("credential", ""),
            challenge=challenge,
            address=http.present_address(),
            actor=actor(),
        )
        return go_on(token, form.next.data or "", form.waiting.data or "")
    return confirm_page(form)


def _mine() -> Account:
    return current_session().get_one(Account, actor().account_id)
