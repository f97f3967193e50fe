"""Signing in and out, and accepting an invitation."""

from __future__ import annotations

from math import ceil
from typing import Final

from flask import Response, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from statuspage.access import accounts, passkeys, second_factor, sign_in_limits, sign_ins
from statuspage.admin import auth, provider
from statuspage.admin.base import admin, done, local_target, page, refused
from statuspage.admin.forms import Form, LineField, NameField, SecretField
from statuspage.admin.marked_texts import _
from statuspage.core.config import current_settings
from statuspage.core.db import current_session as database
from statuspage.core.languages import N_
from statuspage.delivery import invitations
from statuspage.delivery.account_mail import queue_sign_in_notice
from statuspage.models import Account
from statuspage.public import http

# What the session keeps between the password and the second factor.
_WAITING: Final = "waiting"
_TARGET: Final = "target"
PASSKEY_CHALLENGE: Final = "passkey"
"""Where the session keeps what a passkey must sign."""


class SignInForm(Form):
    """Who, and by which password."""

    email = LineField(
        N_("Email address"),
        needed=N_("Enter your email address"),
        render_kw={"autocomplete": "username", "inputmode": "email", "autocapitalize": "none"},
    )
    password = SecretField(
        N_("Password"), needed=N_("Enter your password"), autocomplete="current-password"
    )
    next = HiddenField()


class ForgottenForm(Form):
    """Whose password is forgotten."""

    email = LineField(
        N_("Email address"),
        needed=N_("Enter your email address"),
        render_kw={"autocomplete": "username", "inputmode": "email", "autocapitalize": "none"},
    )


class CodeForm(Form):
    """A code of an authenticator app, or a recovery code."""

    code = LineField(
        N_("Code"),
        needed=N_("Enter the code"),
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "autofocus": True},
    )


class AcceptForm(Form):
    """What an invited person says about themselves."""

    name = NameField(
        N_("Your name"), needed=N_("Enter your name"), render_kw={"autocomplete": "name"}
    )
    password = SecretField(
        N_("Password"), needed=N_("Choose a password"), autocomplete="new-password"
    )


@admin.route("/login", methods=["GET", "POST"])
@auth.open_to_strangers
def sign_in() -> ResponseReturnValue:
    """Let somebody in, and lead them to where they wanted to go."""
    form = SignInForm.read(next=request.args.get("next", ""))
    if auth.signed_in() is not None and request.method == "GET" and "again" not in request.args:
        return redirect(local_target(form.next.data or ""))
    if form.is_accepted():
        with form.refusals():
            try:
                token, account = sign_ins.sign_in(
                    form.email.data,
                    form.password.data,
                    address=http.present_address(),
                    browser=auth.known_browser(),
                    user_agent=request.headers.get("User-Agent", ""),
                    notify=queue_sign_in_notice,
                )
            except sign_in_limits.SignInThrottled as error:
                return _throttled(form, error)
            return _after_password(token, account, local_target(form.next.data or ""))
    return _sign_in_page(form, any_account=accounts.any_account(database()))


@admin.route("/login/code", methods=["GET", "POST"])
@auth.open_to_strangers
def sign_in_code() -> ResponseReturnValue:
    """The second factor, after the password."""
    waiting = session.get(_WAITING, "")
    found = sign_ins.find_waiting(database(), waiting) if waiting else None
    if found is None:
        return redirect(url_for("admin.sign_in"), 303)
    account_id, has_passkey = found.account_id, found.account.has_passkey
    form = CodeForm.read()
    if form.is_accepted():
        with form.refusals():
            target = session.get(_TARGET, "") or url_for("admin.dashboard")
            token, account = sign_ins.finish_sign_in(
                waiting,
                form.code.data,
                address=http.present_address(),
                browser=auth.known_browser(),
                notify=queue_sign_in_notice,
            )
            return let_in(token, account.email, target)
    return page(
        "admin/sign_in_code.html",
        form=form,
        passkey_options=ask_for_passkey(account_id) if has_passkey else "",
        target=session.get(_TARGET, ""),
    )


@admin.route("/forgotten", methods=["GET", "POST"])
@auth.open_to_strangers
def forgotten_password() -> ResponseReturnValue:
    """Mail a link to a new password; the answer is the same whether there is an account or not."""
    form = ForgottenForm.read()
    if form.is_accepted():
        invitations.request_reset(form.email.data, client=http.present_address())
        return done(
            _(
                "If there is an account with this address, a link is on its way. "
                "It works for 30 minutes."
            ),
            "admin.sign_in",
        )
    return page("admin/forgotten.html", form=form)


@admin.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End this browser's sign-in."""
    person, elsewhere = auth.signed_in(), None
    if person is not None:
        id_token = sign_ins.sign_out(person.token, actor=auth.actor())
        elsewhere = provider.sign_out_address(id_token) if id_token else None
    session.clear()
    if elsewhere:
        answer = page(
            "admin/leave.html",
            url=elsewhere,
            title=_("You’re signed out here"),
            action=_("Sign out"),
        )
    else:
        answer = make_response(redirect(url_for("admin.sign_in"), 303))
    auth.forget(answer)
    return answer


@admin.route("/invitations/<token>", methods=["GET", "POST"])
@auth.open_to_strangers
def invitation(token: str) -> ResponseReturnValue:
    """Show an invitation (a link scanner may open it), and make the account where it is sent."""
    found = invitations.find_invitation(database(), token)
    if found is None:
        return _link_does_not_work()
    email = found.email
    form = AcceptForm.read()
    if form.is_accepted():
        with form.refusals():
            invitations.accept_invitation(token, name=form.name.data, password=form.password.data)
            with form.refusals():
                # The owner of the link is no stranger, whatever others try from this address.
                fresh, account = sign_ins.sign_in(
                    email,
                    form.password.data,
                    address=http.present_address(),
                    browser=sign_in_limits.browser_token(email),
                    user_agent=request.headers.get("User-Agent", ""),
                )
                return _after_password(fresh, account, url_for("admin.dashboard"))
            return refused(_("Your account is ready: sign in with it."), "admin.sign_in")
    return page("admin/invitation.html", form=form, email=email)


@admin.post("/me/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End every sign-in of this account, this one too."""
    actor = auth.actor()
    if actor.account_id is not None:
        sign_ins.sign_out_everywhere(actor.account_id, actor=actor)
    session.clear()
    answer = done(_("You’re signed out everywhere."), "admin.sign_in")
    auth.forget(answer)
    return answer


@admin.post("/me/sessions/<int:sign_in_id>/end")
def end_session(sign_in_id: int) -> ResponseReturnValue:
    """End one of one's own sign-ins, on a lost phone, say."""
    sign_ins.end_sign_in(sign_in_id, actor=auth.actor())
    return done(_("That session has ended."), "admin.me")


def _link_does_not_work() -> Response:
    answer = page("admin/invitation_over.html")
    answer.status_code = 404
    return answer


def _after_password(token: str, account: Account, target: str) -> ResponseReturnValue:
    """Let somebody in, or ask for the second factor of the account."""
    if not second_factor.has_second_factor(account):
        return let_in(token, account.email, target)
    session.clear()
    session[_WAITING], session[_TARGET] = token, target
    return redirect(url_for("admin.sign_in_code"), 303)


def let_in(token: str, email: str, target: str) -> ResponseReturnValue:
    """A fresh session, so that nothing that was planted before the sign-in is believed after it."""
    session.clear()
    answer = make_response(redirect(target, 303))
    auth.remember(answer, token)
    auth.remember_browser(answer, email)
    return answer


def _sign_in_page(form: Form, *, any_account: bool) -> Response:
    settings = current_settings()
    return page(
        "admin/sign_in.html",
        form=form,
        any_account=any_account,
        provider_name=settings.oidc_name if settings.oidc_issuer else "",
        is_required=settings.oidc_required,
        passkey_options="" if settings.oidc_required else ask_for_passkey(None),
    )


def ask_for_passkey(account_id: int | None) -> str:
    """What the browser may have a passkey prove; empty where there is none, or none works."""
    options, session[PASSKEY_CHALLENGE] = passkeys.ask(database(), account_id)
    return options


def _throttled(form: Form, error: sign_in_limits.SignInThrottled) -> ResponseReturnValue:
    form.refuse(error.field, error.reason)
    answer = _sign_in_page(form, any_account=True)
    answer.status_code = 429
    answer.headers["Retry-After"] = str(ceil(error.wait.total_seconds()))
    return answer
