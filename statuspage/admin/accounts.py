"""Accounts and invitations, and one's own account."""

from __future__ import annotations

from flask import Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from statuspage.access import accounts as verbs
from statuspage.access import sign_ins
from statuspage.access.permissions import ROLE_MEANINGS
from statuspage.admin import auth
from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, page_zone, refused
from statuspage.admin.forms import (
    Form,
    LanguageField,
    MailField,
    NameField,
    SecretField,
    TermField,
    TermRadioField,
)
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import TheirZoneField
from statuspage.core.config import current_settings
from statuspage.core.db import current_session
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.core.links import current_links
from statuspage.delivery import account_changes, invitations
from statuspage.incidents import handover
from statuspage.models import Account
from statuspage.public import http


class InviteForm(Form):
    """Whom to invite."""

    email = MailField(
        N_("Email address"), needed=N_("Enter the email address of the person you’re inviting")
    )
    role = TermRadioField(N_("Role"), AccountRole, default=AccountRole.RESPONDER)


class RoleForm(Form):
    """The role of an account."""

    role = TermField(N_("Role"), AccountRole)


class NameForm(Form):
    """The name that one acts under."""

    name = NameField(
        N_("Your name"), needed=N_("Enter your name"), render_kw={"autocomplete": "name"}
    )


class TimesForm(Form):
    """How times are shown to whoever is signed in, and typed by them."""

    time_zone = TheirZoneField(N_("Time zone"))
    date_language = LanguageField(N_("Language of dates"))


class PasswordForm(Form):
    """A new password, proven by the present one."""

    present = SecretField(
        N_("Current password"),
        needed=N_("Enter your current password"),
        autocomplete="current-password",
    )
    new = SecretField(
        N_("New password"), needed=N_("Choose a new password"), autocomplete="new-password"
    )


@admin.route("/accounts", methods=["GET", "POST"])
def accounts() -> ResponseReturnValue:
    """Who may sign in; sent, the form mails somebody an invitation.

    Where no mail is set up, the link of a new account is shown, this once; that of an account which
    is there never is.
    """
    form = InviteForm.read()
    link = ""
    if form.is_accepted():
        with form.refusals():
            invitation, token = invitations.invite(
                form.email.data, AccountRole(form.role.data), actor=actor()
            )
            if current_settings().mail_channel != "file":
                return done(
                    _("%(email)s was invited by email.", email=invitation.email), "admin.accounts"
                )
            link = current_links().account(token)
    session = current_session()
    return page(
        "admin/accounts.html",
        form=form,
        link=link,
        accounts=verbs.all_accounts(session),
        last_sign_ins=sign_ins.last_sign_ins(session),
        invitations=invitations.open_invitations(session),
        roles=list(AccountRole),
        meanings=ROLE_MEANINGS,
    )


@admin.post("/accounts/<int:account_id>/new-password")
def request_new_password(account_id: int) -> ResponseReturnValue:
    """Mail an account's owner a link by which they choose a new password."""
    try:
        invitation = invitations.request_new_password(account_id, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.accounts")
    notice = _(
        "A link to choose a new password is being emailed to %(email)s.", email=invitation.email
    )
    if current_settings().mail_channel == "file":
        notice += _(
            " Email isn’t set up; the link is in %(data_dir)s.",
            data_dir=current_settings().data_dir / "mail",
        )
    return done(notice, "admin.accounts")


@admin.post("/accounts/<int:account_id>/role")
def change_role(account_id: int) -> ResponseReturnValue:
    """Give somebody another role."""
    form = RoleForm.read()
    if not form.is_accepted():
        return refused(_("Pick a role from the list."), "admin.accounts")
    role = AccountRole(form.role.data)
    try:
        account_changes.change_role(account_id, role, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.accounts")
    return done(
        _("The role is %(role)s now, and the account is signed out.", role=role.label),
        "admin.accounts",
    )


@admin.post("/accounts/invitations/<int:invitation_id>/withdraw")
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    """Make an invitation's link stop working."""
    invitations.withdraw_invitation(invitation_id, actor=actor())
    return done(_("The invitation’s link no longer works."), "admin.accounts")


@admin.post("/accounts/<int:account_id>/disable")
def disable_account(account_id: int) -> ResponseReturnValue:
    """Keep somebody out, at once."""
    try:
        account_changes.disable(account_id, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.accounts")
    said = _("The account is disabled and signed out everywhere.")
    if handover.of_account(current_session(), _account(account_id)).is_empty:
        return done(said, "admin.accounts")
    return done(said, "admin.open_work", account_id=account_id)


@admin.get("/accounts/<int:account_id>/open-work")
def open_work(account_id: int) -> ResponseReturnValue:
    """What somebody has taken on that colleagues must take over when they leave."""
    account = _account(account_id)
    return page(
        "admin/open_work.html",
        account=account,
        handover=handover.of_account(current_session(), account),
    )


@admin.post("/accounts/<int:account_id>/sign-out")
def sign_out_account(account_id: int) -> ResponseReturnValue:
    """End every session of somebody."""
    sign_ins.sign_out_everywhere(account_id, actor=actor())
    return done(_("The account is signed out everywhere."), "admin.accounts")


@admin.post("/accounts/<int:account_id>/enable")
def enable_account(account_id: int) -> ResponseReturnValue:
    """Let somebody in again."""
    verbs.enable(account_id, actor=actor())
    return done(_("The account can sign in again."), "admin.accounts")


@admin.route("/me", methods=["GET", "POST"])
def me() -> ResponseReturnValue:
    """One's own account; sent, the form changes the name."""
    name_form = NameForm.read(_me())
    if name_form.is_accepted():
        with name_form.refusals():
            verbs.rename(_my_id(), name=name_form.name.data, actor=actor())
            return done(_("Your name was saved."), "admin.me")
    return _my_page(name_form=name_form)


@admin.post("/me/times")
def change_times() -> ResponseReturnValue:
    """Choose the zone and the language that one's own times are shown in."""
    form = TimesForm.read()
    if form.is_accepted():
        with form.refusals():
            verbs.change_times(
                time_zone=form.time_zone.data,
                date_language=form.date_language.data,
                actor=actor(),
            )
            return done(_("Your dates and times were saved."), "admin.me")
    return _my_page(times_form=form)


@admin.post("/me/password")
def change_password() -> ResponseReturnValue:
    """Change one's own password; every other browser is signed out."""
    form = PasswordForm.read()
    if form.is_accepted():
        with form.refusals():
            token = account_changes.change_password(
                _my_id(),
                present=form.present.data,
                new=form.new.data,
                address=http.present_address(),
                user_agent=request.headers.get("User-Agent", ""),
                actor=actor(),
            )
            answer = done(
                _("Your password was changed; other browsers were signed out."), "admin.me"
            )
            auth.remember(answer, token)
            return answer
    return _my_page(password_form=form)


def _my_page(
    *,
    name_form: NameForm | None = None,
    times_form: TimesForm | None = None,
    password_form: PasswordForm | None = None,
) -> Response:
    sent = name_form or times_form or password_form
    times_form = times_form or TimesForm(None, _me())
    times_form.time_zone.offer(page_zone().key)
    answer = page(
        "admin/me.html",
        form=name_form or NameForm(None, _me()),
        times_form=times_form,
        password_form=password_form or PasswordForm(None),
        sessions=sign_ins.open_sign_ins(current_session(), _my_id()),
    )
    answer.status_code = 422 if sent is not None and sent.is_refused else 200
    return answer


def _account(account_id: int) -> Account:
    account = current_session().get(Account, account_id)
    if account is None:
        raise NotFound
    return account


def _me() -> Account:
    return current_session().get_one(Account, _my_id())


def _my_id() -> int:
    account_id = actor().account_id
    if account_id is None:
        raise RuntimeError("the admin is used by accounts only")
    return account_id
