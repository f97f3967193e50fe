"""Invitations: mailed links by which somebody makes an account or chooses a new password.

The token of a link is made of the mail's delivery, and kept as a SHA-256 hash only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from statuspage.access import (
    accounts,
    passwords,
    second_factor,
    sign_in_limits,
    sign_ins,
    throttle,
)
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, open_to_everybody
from statuspage.core import address as addresses
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.core.links import account_token
from statuspage.core.paths import COMMAND
from statuspage.delivery import account_mail
from statuspage.models import Account, Contact, Invitation
from statuspage.models.columns import hash_token

INVITATION_LASTS = timedelta(days=7)
PASSWORD_LINK_LASTS = timedelta(days=1)
RESET_LINK_LASTS = timedelta(minutes=30)
RESET_WINDOW = timedelta(hours=1)
RESETS_BY_CLIENT = 10
RESETS_BY_ACCOUNT = 3


def open_invitations(session: Session) -> list[Invitation]:
    """Invitations that can still be accepted, newest first."""
    return list(
        session.scalars(
            select(Invitation).where(*_open_invitation()).order_by(Invitation.id.desc())
        )
    )


def find_invitation(session: Session, token: str) -> Invitation | None:
    """The open invitation that the token belongs to, if there is one."""
    return session.scalars(
        select(Invitation).where(Invitation.token_hash == hash_token(token), *_open_invitation())
    ).one_or_none()


@needs(Permission.PEOPLE)
def invite(email: str, role: AccountRole, *, actor: Actor) -> tuple[Invitation, str]:
    """Mail somebody a link by which they make an account in that role; returns its token too.

    An older invitation to the same address stops working.  The token is not kept.
    :class:`Invalid` for an address that has an account.
    """
    email = accounts.read_address(email)
    with writing() as session:
        if accounts.by_email(session, email) is not None:
            raise Invalid("email", "There is an account with this address: see below")
        delivery_id = account_mail.queue_invitation(
            session, email, by=actor.name, lasts=INVITATION_LASTS
        )
        invitation, token = _offer(
            session, email, delivery_id, role=role, lasts=INVITATION_LASTS, actor=actor
        )
        accounts.record(session, actor, "account.invite", email, after={"role": role})
    return invitation, token


@needs(Permission.PEOPLE)
def request_new_password(account_id: int, *, actor: Actor) -> Invitation:
    """Mail an account's owner a link by which they choose a new password; nobody else has it.

    Their present password works until then, and an older link stops working.  :class:`Invalid` for
    an account that is disabled, and for one whose address takes no mail.
    """
    with writing() as session:
        account = session.get_one(Account, account_id)
        email = account.email
        if account.disabled_at is not None:
            raise Invalid("account", "This account is disabled; enable it first")
        if not sign_ins.takes_password(email):
            raise Invalid("account", "Passwords don’t sign in here: single sign-on is required")
        _refuse_unreachable(session, email)
        delivery_id = account_mail.queue_password_link(
            session, email, by=actor.name, lasts=PASSWORD_LINK_LASTS
        )
        invitation, _ = _offer(
            session, email, delivery_id, role=account.role, lasts=PASSWORD_LINK_LASTS, actor=actor
        )
        accounts.record(session, actor, "account.request_new_password", email)
    return invitation


@open_to_everybody
def request_reset(email: str, *, client: str) -> None:
    """Mail the owner of an account, where there is one, a link to choose a new password.

    Nothing says whether there is: what cannot be done is done silently.  The link works once, for
    half an hour.  ``client`` is the address that asks.
    """
    try:
        email = accounts.read_address(email)
    except Invalid:
        return
    with writing() as session:
        waits = [
            throttle.count_try(session, what, whose, limit=most, window=RESET_WINDOW)
            for what, whose, most in (
                ("reset client", throttle.network(client), RESETS_BY_CLIENT),
                ("reset account", email, RESETS_BY_ACCOUNT),
            )
        ]
        account = accounts.by_email(session, email)
        is_barred = account_mail.barred_because(session, email) is not None
        if any(waits) or account is None or account.disabled_at is not None or is_barred:
            return
        if not sign_ins.takes_password(email):
            return
        delivery_id = account_mail.queue_password_link(
            session, email, by="Somebody who opened the sign-in page", lasts=RESET_LINK_LASTS
        )
        asker = replace(accounts.as_actor(account), name="the sign-in page", address=client)
        _offer(session, email, delivery_id, role=account.role, lasts=RESET_LINK_LASTS, actor=asker)
        accounts.record(session, asker, "account.request_reset", email)


@needs(Permission.PEOPLE)
def withdraw_invitation(invitation_id: int, *, actor: Actor) -> None:
    """Make an open invitation's link stop working."""
    with writing() as session:
        invitation = session.get(Invitation, invitation_id)
        if invitation is None or invitation.accepted_at or invitation.withdrawn_at:
            return
        invitation.withdrawn_at = clock.now()
        accounts.record(session, actor, "account.withdraw_invitation", invitation.email)


@open_to_everybody
def accept_invitation(token: str, *, name: str, password: str) -> Account:
    """Make the invited account, or give the one that is there its new name and password.

    An account that is disabled stays so: enabling it is an act of its own.  Raises
    :class:`Invalid`; for field ``token`` where the link does not work (any more).
    """
    invitation = find_invitation(current_session(), token)
    if invitation is None:
        raise _dead_link()
    email, name = invitation.email, accounts.read_name(name)
    known = accounts.by_email(current_session(), email)
    has_factor = known is not None and second_factor.has_second_factor(known)
    # Nothing is held in the database while a service that knows breaches is waited for.
    current_session().rollback()
    hashed = passwords.hash_password(
        passwords.read_password(password, email=email, name=name, has_second_factor=has_factor)
    )
    with writing() as session:
        used = session.scalars(
            update(Invitation)
            .where(Invitation.token_hash == hash_token(token), *_open_invitation())
            .values(accepted_at=clock.now())
            .returning(Invitation.id)
        ).all()
        account = accounts.by_email(session, email)
        if not used or (account is not None and account.disabled_at is not None):
            raise _dead_link()
        is_new = account is None
        if account is None:
            account = Account(
                email=email, role=invitation.role, contact_id=_contact_id(session, email)
            )
            session.add(account)
        account.name, account.password_hash = name, hashed
        account.password_is_temporary = False
        session.flush()
        sign_ins.end_all(session, account.id)
        sign_in_limits.forget_account(session, email)
        if not is_new:
            account_mail.queue_change_notice(
                session, email, how="by the link that was emailed to you"
            )
        action = "account.accept_invitation" if is_new else "account.choose_new_password"
        accounts.record(session, accounts.as_actor(account), action, email)
    return account


def _open_invitation() -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > clock.now(),
    )


def take_open(session: Session, email: str) -> Invitation | None:
    """Accept the newest open invitation of an address, within the caller's transaction."""
    found = session.scalars(
        select(Invitation)
        .where(Invitation.email == email, *_open_invitation())
        .order_by(Invitation.id.desc())
    ).first()
    if found is not None:
        found.accepted_at = clock.now()
    return found


def withdraw_open(session: Session, email: str) -> None:
    """Make the open links of an address stop working, within the caller's transaction."""
    session.execute(
        update(Invitation)
        .where(Invitation.email == email, *_open_invitation())
        .values(withdrawn_at=clock.now())
    )


def _offer(
    session: Session,
    email: str,
    delivery_id: int,
    *,
    role: AccountRole,
    lasts: timedelta,
    actor: Actor,
) -> tuple[Invitation, str]:
    """Let the link in that mail, and no older one, choose the password of an address."""
    token = account_token(current_settings().secret_key, delivery_id)
    withdraw_open(session, email)
    invitation = Invitation(
        email=email,
        role=role,
        token_hash=hash_token(token),
        expires_at=clock.now() + lasts,
        invited_by_id=actor.account_id,
    )
    session.add(invitation)
    return invitation, token


def _refuse_unreachable(session: Session, email: str) -> None:
    reason = account_mail.barred_because(session, email)
    if reason is not None:
        command = f"{COMMAND} reset-password {email}"
        raise Invalid("account", f"Nothing is emailed to {email}: {reason}. Run: {command}")


def _dead_link() -> Invalid:
    return Invalid("token", "This link no longer works; request a new one")


def _contact_id(session: Session, email: str) -> int | None:
    """The contact with that address, so that an account and its person find each other."""
    known = session.execute(
        select(Contact.id, Contact.email)
        .where(Contact.removed_at.is_(None), Contact.email != "")
        .order_by(Contact.id)
    )
    return next((id_ for id_, theirs in known if addresses.identity_of(theirs) == email), None)
