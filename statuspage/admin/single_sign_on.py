"""Single sign-on: to the provider and back, to sign in or to confirm who sits there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from flask import redirect, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from statuspage.access.identity import Identity, Pending
from statuspage.admin import auth, provider
from statuspage.admin.base import admin, local_target, page, refused
from statuspage.admin.marked_texts import _
from statuspage.admin.sign_in import let_in
from statuspage.admin.step_up import ProofForm, go_on
from statuspage.core.config import current_settings
from statuspage.core.errors import Invalid
from statuspage.delivery import single_sign_on as verbs
from statuspage.public import http

# What the session keeps until the browser comes back; once.
_PENDING: Final = "provider"
# A cookie holds 4 KB.
_MOST_CARRIED: Final = 2_000


@admin.get("/sso")
@auth.open_to_strangers
def single_sign_on() -> ResponseReturnValue:
    """Lead somebody to the provider; only from a page of ours, so that no other site starts it."""
    _require_provider()
    if not auth.is_own():
        return refused(_("Choose how to sign in."), "admin.sign_in")
    try:
        url, pending = provider.begin()
    except Invalid as error:
        return refused(error.reason, "admin.sign_in")
    _keep(pending, target=request.args.get("next", ""))
    return redirect(url, 303)


@admin.get("/sso/callback")
@auth.open_to_strangers
def single_sign_on_callback() -> ResponseReturnValue:
    """Take what the provider says of whoever comes back."""
    _require_provider()
    kept: dict[str, Any] | None = session.pop(_PENDING, None)
    if kept is None:
        return refused(_("Too much time has passed. Sign in again."), "admin.sign_in")
    pending = Pending(**kept["pending"])
    try:
        identity = provider.finish(request.args, pending)
        if pending.is_proof:
            return _take_proof(identity, kept["target"], kept["waiting"])
        token, account = verbs.sign_in_as(
            identity,
            address=http.present_address(),
            browser=auth.known_browser(),
            user_agent=request.headers.get("User-Agent", ""),
        )
    except Invalid as error:
        return refused(error.reason, "admin.sign_in")
    return let_in(token, account.email, local_target(kept["target"]))


@admin.post("/confirm/sso")
def confirm_with_provider() -> ResponseReturnValue:
    """Have the provider ask again who sits there; the form that waits is carried along."""
    _require_provider()
    form, person = ProofForm.read(), auth.signed_in()
    waiting = form.waiting.data or ""
    if len(waiting) > _MOST_CARRIED:
        return refused(
            _(
                "This form is too long to be sent on after you confirm. Confirm it’s you here, "
                "then go back and send the form again."
            ),
            "admin.confirm_identity",
        )
    try:
        url, pending = provider.begin(is_proof=True, hint=person.email if person else "")
    except Invalid as error:
        return refused(error.reason, "admin.confirm_identity")
    _keep(pending, target=form.next.data or "", waiting=waiting)
    # A redirect after a form is held to the page's policy, which names no other site.
    return page("admin/leave.html", url=url, title=_("Confirm it’s you"), action=_("Continue"))


def _take_proof(identity: Identity, target: str, waiting: str) -> ResponseReturnValue:
    person = auth.signed_in()
    if person is None:
        raise Invalid("form", _("Your sign-in has ended. Sign in again."))
    token = verbs.prove_by(
        identity,
        sign_in_id=person.sign_in_id,
        address=http.present_address(),
        actor=auth.actor(),
    )
    return go_on(token, target, waiting)


def _keep(pending: Pending, *, target: str, waiting: str = "") -> None:
    session[_PENDING] = {"pending": asdict(pending), "target": target, "waiting": waiting}


def _require_provider() -> None:
    if current_settings().oidc_issuer is None:
        raise NotFound
