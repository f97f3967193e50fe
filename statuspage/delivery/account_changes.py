"""Changes of an account of which its owner gets notice by mail: password, role, being disabled."""

from __future__ import annotations

from sqlalchemy.orm import Session

from statuspage.access import (
    accounts,
    passkeys,
    passwords,
    second_factor,
    sign_in_limits,
    sign_ins,
)
from statuspage.access.audit import COMMAND_LINE, Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.delivery import account_mail, invitations
from statuspage.models import Account, Passkey


@needs(Permission.OWN_ACCOUNT)
def change_password(
    account_id: int,
    *,
    present: str,
    new: str,
    address: str,
    actor: Actor,
    user_agent: str = "",
) -> str:
    """Replace a password by its owner; ends every sign-in and returns a fresh token for this one.

    Raises :class:`~statuspage.access.sign_in_limits.SignInThrottled` and :class:`Invalid`.
    """
    account = current_session().get_one(Account, account_id)
    email, name, hashed = account.email, account.name, account.password_hash
    has_factor = second_factor.has_second_factor(account)
    limits = sign_in_limits.limits_of_change(email)
    sign_in_limits.count_try(limits, address=address)
    if not passwords.matches(hashed, present):
        raise Invalid("present", "This isn’t your current password")
    new_hash = passwords.hash_password(
        passwords.read_password(
            new, email=email, name=name, has_second_factor=has_factor, field="new"
        )
    )
    with writing() as session:
        account = session.get_one(Account, account_id)
        if account.password_hash != hashed:
            raise Invalid("present", "Your password has just been changed elsewhere")
        account.password_hash, account.password_is_temporary = new_hash, False
        sign_in_limits.take_back(session, limits)
        invitations.withdraw_open(session, email)
        token = sign_ins.begin_again(
            session, account, actor=actor, address=address, user_agent=user_agent
        )
        account_mail.queue_change_notice(
            session, email, how="by whoever was signed in and knew the one before"
        )
        accounts.record(session, actor, "account.change_password", email)
    return token


@needs(Permission.PEOPLE)
def reset_password(email: str, *, actor: Actor = COMMAND_LINE) -> str:
    """Give an account a random password, end its sign-ins and enable it; returns the password.

    Its second factor is taken away as well.
    Counted tries are forgotten, so the operator always gets in.  The owner gets
    notice by mail.
    """
    email, password = accounts.read_address(email), passwords.random_password()
    hashed = passwords.hash_password(password)
    with writing() as session:
        account = accounts.by_email(session, email)
        if account is None:
            raise Invalid("email", f"There is no account {email}")
        account.password_hash, account.disabled_at = hashed, None
        account.password_is_temporary = True
        second_factor.clear(session, account)
        sign_ins.end_all(session, account.id)
        invitations.withdraw_open(session, email)
        sign_in_limits.forget_everybody(session)
        account_mail.queue_change_notice(
            session, email, how="by a command on the machine of the service"
        )
        accounts.record(session, actor, "account.reset_password", email)
    return password


@needs(Permission.OWN_ACCOUNT)
def confirm_second_factor(
    code: str, *, address: str, actor: Actor, user_agent: str = ""
) -> tuple[str, list[str]]:
    """Have the proposed authenticator app count; returns a token for this browser, and the codes.

    Every other session ends, and the owner is notified.  Raises
    :class:`~statuspage.access.sign_in_limits.SignInThrottled` and :class:`Invalid`.
    """
    with writing() as session:
        account = session.get_one(Account, actor.account_id, with_for_update=True)
        codes = second_factor.confirm(session, account, code)
        token = sign_ins.begin_again(
            session, account, actor=actor, address=address, user_agent=user_agent
        )
        account_mail.queue_factor_notice(session, account.email, what="was set up")
        accounts.record(session, actor, "account.add_second_factor", account.email)
    return token, codes


@needs(Permission.OWN_ACCOUNT)
def remove_second_factor(*, address: str, actor: Actor, user_agent: str = "") -> str:
    """Sign in by password alone again; returns a token for this browser.

    :class:`Invalid` where the settings require a second factor of that role.
    """
    with writing() as session:
        account = session.get_one(Account, actor.account_id, with_for_update=True)
        if second_factor.is_required(account.role) and not account.has_passkey:
            raise Invalid("form", "Your role needs a second factor")
        second_factor.remove_app(session, account)
        token = sign_ins.begin_again(
            session, account, actor=actor, address=address, user_agent=user_agent
        )
        account_mail.queue_factor_notice(session, account.email, what="was removed")
        accounts.record(session, actor, "account.remove_second_factor", account.email)
    return token


@needs(Permission.OWN_ACCOUNT)
def add_passkey(
    answer: str, *, challenge: str, name: str, address: str, actor: Actor, user_agent: str = ""
) -> tuple[str, list[str]]:
    """Keep a passkey; returns a token for this browser, and recovery codes with the first factor.

    Every other session ends, and the owner is notified.  Raises :class:`Invalid`.
    """
    with writing() as session:
        account = session.get_one(Account, actor.account_id, with_for_update=True)
        is_first = not second_factor.has_second_factor(account)
        kept = passkeys.add(
            session, account, answer, challenge=challenge, name=name, user_agent=user_agent
        )
        codes = second_factor.renew_codes(session, account) if is_first else []
        token = sign_ins.begin_again(
            session, account, actor=actor, address=address, user_agent=user_agent
        )
        account_mail.queue_factor_notice(session, account.email, what="has a new passkey")
        accounts.record(
            session, actor, "account.add_passkey", account.email, after={"name": kept.name}
        )
    return token, codes


@needs(Permission.OWN_ACCOUNT)
def remove_passkey(
    passkey_id: int, *, address: str, actor: Actor, user_agent: str = ""
) -> str | None:
    """Remove a passkey of one's own; returns a token for this browser, None where it was gone.

    :class:`Invalid` for the last factor where the settings require one.
    """
    with writing() as session:
        account = session.get_one(Account, actor.account_id, with_for_update=True)
        kept = session.get(Passkey, passkey_id)
        if kept is None or kept.account_id != account.id:
            return None
        name = kept.name
        session.delete(kept)
        session.flush()
        session.expire(account, ["has_passkey"])
        has_none = not second_factor.has_second_factor(account)
        if has_none and second_factor.is_required(account.role):
            raise Invalid("form", "Your role needs a second factor: add another first")
        second_factor.drop_codes(session, account)
        token = sign_ins.begin_again(
            session, account, actor=actor, address=address, user_agent=user_agent
        )
        account_mail.queue_factor_notice(session, account.email, what="lost a passkey")
        accounts.record(
            session, actor, "account.remove_passkey", account.email, before={"name": name}
        )
    return token


@needs(Permission.OWN_ACCOUNT)
def renew_recovery_codes(*, actor: Actor) -> list[str]:
    """Ten new recovery codes; those from before work no longer, and the owner is notified."""
    with writing() as session:
        account = session.get_one(Account, actor.account_id, with_for_update=True)
        if not second_factor.has_second_factor(account):
            raise Invalid("form", "Set up an authenticator app or a passkey first")
        codes = second_factor.renew_codes(session, account)
        account_mail.queue_factor_notice(session, account.email, what="has new recovery codes")
        accounts.record(session, actor, "account.renew_recovery_codes", account.email)
    return codes


@needs(Permission.PEOPLE)
def disable(account_id: int, *, actor: Actor) -> None:
    """Keep somebody out, at once; :class:`Invalid` for the last admin."""
    with writing() as session:
        account = _active(session, account_id, as_admin=False)
        if account is None:
            return
        account.disabled_at = clock.now()
        sign_ins.end_all(session, account.id)
        if account.id != actor.account_id:
            account_mail.queue_disabled_notice(session, account.email, by=actor.name)
        invitations.withdraw_open(session, account.email)
        accounts.record(session, actor, "account.disable", account.email)


@needs(Permission.PEOPLE)
def change_role(account_id: int, role: AccountRole, *, actor: Actor) -> None:
    """Give somebody another role and end their sign-ins; :class:`Invalid` for the last admin."""
    with writing() as session:
        account = _active(session, account_id, as_admin=role is AccountRole.ADMIN)
        if account is None:
            raise Invalid("account", "This account is disabled; enable it first")
        _give_role(session, account, role, actor)


def take_role(session: Session, account: Account, role: AccountRole, *, actor: Actor) -> None:
    """Give an account the role that single sign-on says, within the caller's transaction.

    :class:`Invalid` for the last admin.
    """
    if account.role is not role:
        _active(session, account.id, as_admin=role is AccountRole.ADMIN)
        _give_role(session, account, role, actor)


def _give_role(session: Session, account: Account, role: AccountRole, actor: Actor) -> None:
    if account.role is role:
        return
    before, account.role = account.role, role
    sign_ins.end_all(session, account.id)
    account_mail.queue_role_notice(session, account.email, role=role, by=actor.name)
    accounts.record(
        session, actor, "account.change_role", account.email, {"role": before}, {"role": role}
    )


def _active(session: Session, account_id: int, *, as_admin: bool) -> Account | None:
    """The account, where it can sign in; :class:`Invalid` where it alone administers the page.

    All are locked, in one order, so that two people cannot take the role from each other and leave
    nobody.
    """
    active = session.scalars(
        accounts.active_accounts().order_by(Account.id).with_for_update()
    ).all()
    account = next((row for row in active if row.id == account_id), None)
    admins = [row for row in active if row.role is AccountRole.ADMIN]
    if admins == [account] and not as_admin:
        raise Invalid("account", "This is the last admin: make somebody else an admin first")
    return account
