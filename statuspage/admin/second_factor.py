"""One's own second factor: an authenticator app, and recovery codes for a lost phone."""

from __future__ import annotations

import segno
from flask import Response, request
from flask.typing import ResponseReturnValue

from statuspage.access import second_factor as factors
from statuspage.admin import auth
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused, the_page
from statuspage.admin.marked_texts import _
from statuspage.admin.sign_in import CodeForm
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.delivery import account_changes
from statuspage.models import Account
from statuspage.public import http


@admin.route("/me/second-factor", methods=["GET", "POST"])
def second_factor() -> ResponseReturnValue:
    """How it stands; while an app is being set up, its secret, and the form for the first code."""
    form = CodeForm.read()
    if form.is_accepted():
        with form.refusals():
            token, codes = account_changes.confirm_second_factor(
                form.code.data,
                address=http.present_address(),
                user_agent=request.headers.get("User-Agent", ""),
                actor=actor(),
            )
            answer = _show_codes(codes)
            auth.remember(answer, token)
            return answer
    account, session = _mine(), current_session()
    secret = factors.proposed_secret(account)
    return page(
        "admin/second_factor.html",
        form=form,
        account=account,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        picture=_picture(account, secret) if secret else "",
        codes_left=factors.codes_left(session, account.id),
        is_required=factors.is_required(account.role),
    )


@admin.post("/me/second-factor/begin")
def begin_second_factor() -> ResponseReturnValue:
    """Make a secret for an app; nothing counts before its first code."""
    try:
        factors.propose_secret(actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.second_factor")
    return done(_("Now add this account to your app."), "admin.second_factor")


@admin.post("/me/second-factor/remove")
def remove_second_factor() -> ResponseReturnValue:
    """Sign in by password alone again."""
    try:
        token = account_changes.remove_second_factor(
            address=http.present_address(),
            user_agent=request.headers.get("User-Agent", ""),
            actor=actor(),
        )
    except Invalid as error:
        return refused(error.reason, "admin.second_factor")
    answer = done(_("Your second factor is removed."), "admin.me")
    auth.remember(answer, token)
    return answer


@admin.post("/me/second-factor/codes")
def renew_recovery_codes() -> ResponseReturnValue:
    """Ten new recovery codes, shown this once."""
    try:
        return _show_codes(account_changes.renew_recovery_codes(actor=actor()))
    except Invalid as error:
        return refused(error.reason, "admin.second_factor")


def _picture(account: Account, secret: str) -> str:
    """What an authenticator app scans, as the address of an image."""
    service = the_page()
    name = service.name if service else _("Status page")
    address = factors.provisioning_address(account, secret, service=name)
    # Black on white in the dark scheme too: apps read no other.
    return segno.make(address).svg_data_uri(scale=5, border=4, light="#fff")


def _show_codes(codes: list[str]) -> Response:
    return page("admin/recovery_codes.html", codes=codes)


def _mine() -> Account:
    return current_session().get_one(Account, actor().account_id)
