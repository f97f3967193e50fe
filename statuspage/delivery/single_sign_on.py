"""Signing in by the word of an OpenID Connect provider: whose account, in which role.

An account is found by the provider's subject, which is nobody else's ever; the first time by an
email address that the provider vouches for.  The owner gets notice by mail of a new browser.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access import accounts, passwords, sign_ins
from statuspage.access.audit import Actor
from statuspage.access.devices import name_device
from statuspage.access.identity import Identity, Logout
from statuspage.access.permissions import EVERYTHING, Permission, needs, open_to_everybody
from statuspage.core import address as addresses
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.delivery import account_changes, account_mail, invitations
from statuspage.models import Account, LinkedIdentity, SignIn

_PROVIDER = Actor("single sign-on", permissions=EVERYTHING, origin="single sign-on")


@open_to_everybody
def sign_in_as(
    identity: Identity, *, address: str, browser: str = "", user_agent: str = ""
) -> tuple[str, Account]:
    """Sign a browser in whose user the provider names; returns the token for its cookie, and whose.

    Makes the account where somebody is invited, or where the settings allow it.  Raises
    :class:`Invalid` for whoever has none, and for one that the settings keep out.
    """
    role = _mapped_role(identity.groups)
    # Nobody knows it: such an account has no password before its owner asks for one.
    hashed = passwords.hash_password(secrets.token_urlsafe(48))
    with writing() as session:
        account = _find(session, identity) or _make(session, identity, role, hashed)
        if account.disabled_at is not None:
            raise Invalid("form", "Your account is disabled. Ask an admin.")
        if sign_ins.is_emergency(account.email):
            raise Invalid("form", "The emergency account signs in with its password alone.")
        if role is not None:
            account_changes.take_role(session, account, role, actor=_PROVIDER)
        sign_ins.note_entry(
            session,
            account,
            browser=browser,
            device=name_device(user_agent),
            address=address,
            notify=account_mail.queue_sign_in_notice,
        )
        token = sign_ins.begin(
            session,
            account,
            address=address,
            user_agent=user_agent,
            id_token=identity.id_token,
            provider_session=identity.session,
        )
        accounts.record(
            session, accounts.as_actor(account), "account.sign_in", account.email,
            after={"from": address, "by": "single sign-on"},
        )  # fmt: skip
    return token, account


@needs(Permission.OWN_ACCOUNT)
def prove_by(identity: Identity, *, sign_in_id: int, address: str, actor: Actor) -> str:
    """Take the provider's fresh word for a sign-in; returns the token that replaces the one before.

    :class:`Invalid` where it names somebody else.
    """
    with writing() as session:
        account, kept = _known(session, identity), session.get_one(SignIn, sign_in_id)
        if account is None or account.id != actor.account_id or kept.account_id != account.id:
            raise Invalid("form", "That is another account: confirm with the one you’re using.")
        kept.id_token, kept.provider_session = identity.id_token, identity.session
        accounts.record(session, actor, "account.prove", account.email, after={"from": address})
        return sign_ins.note_proof(kept)


@open_to_everybody
def end_sign_ins(logout: Logout) -> int:
    """End the sign-ins of a session that has ended at the provider; returns how many there were."""
    meant = []
    if logout.subject:
        meant.append(LinkedIdentity.subject == logout.subject)
    if logout.session:
        # A sign-in that the provider named no session for may be of this one, too.
        unnamed = logout.session if logout.subject else ""
        meant.append(func.coalesce(SignIn.provider_session, unnamed) == logout.session)
    theirs = (
        select(SignIn)
        .join(LinkedIdentity, LinkedIdentity.account_id == SignIn.account_id)
        .where(
            LinkedIdentity.issuer == logout.issuer,
            SignIn.id_token.is_not(None),
            SignIn.ends_at > clock.now(),
            SignIn.created_at <= logout.began_before,
            *meant,
        )
    )
    with writing() as session:
        found = session.scalars(theirs).all()
        for one in found:
            one.ends_at, one.id_token = clock.now(), None
            accounts.record(
                session, _PROVIDER, "account.end_session", one.account.email,
                before={"browser": one.browser, "from": one.address},
            )  # fmt: skip
    return len(found)


def _mapped_role(groups: Iterable[str]) -> AccountRole | None:
    """The highest role that the settings give to one of the groups; None where they give none."""
    by_group = dict(current_settings().oidc_roles)
    if not by_group:
        return None
    roles = {by_group[group] for group in groups if group in by_group}
    if not roles:
        raise Invalid("form", "None of your groups may sign in here. Ask an admin for access.")
    return max(roles, key=list(AccountRole).index)


def _known(session: Session, identity: Identity) -> Account | None:
    return session.scalars(
        select(Account)
        .join(LinkedIdentity, LinkedIdentity.account_id == Account.id)
        .where(LinkedIdentity.issuer == identity.issuer, LinkedIdentity.subject == identity.subject)
    ).one_or_none()


def _find(session: Session, identity: Identity) -> Account | None:
    """The account of that subject, or of that address, which is the subject's from now on."""
    account = _known(session, identity)
    if account is not None or not identity.email:
        return account
    account = accounts.by_email(session, addresses.identity_of(identity.email))
    if account is not None:
        _link(session, account, identity)
    return account


def _make(session: Session, identity: Identity, role: AccountRole | None, hashed: str) -> Account:
    if not identity.email:
        raise Invalid("form", "Your provider doesn’t confirm your email address. Ask an admin.")
    email = accounts.read_address(identity.email)
    invited = invitations.take_open(session, email)
    if invited is None and not current_settings().oidc_create_accounts:
        raise Invalid("form", "There is no account for you here. Ask an admin to invite you.")
    account = Account(
        email=email,
        name=accounts.read_name(identity.name or email.partition("@")[0])[:200],
        role=role or (invited.role if invited else AccountRole.VIEWER),
        password_hash=hashed,
    )
    session.add(account)
    session.flush()
    _link(session, account, identity)
    accounts.record(session, _PROVIDER, "account.create", email, after={"role": account.role.value})
    return account


def _link(session: Session, account: Account, identity: Identity) -> None:
    """Have a subject own an account; :class:`Invalid` where another one does."""
    theirs = session.scalars(
        select(LinkedIdentity).filter_by(account_id=account.id, issuer=identity.issuer)
    ).first()
    if theirs is not None:
        raise Invalid("form", "This account belongs to somebody else at your provider.")
    session.add(
        LinkedIdentity(account_id=account.id, issuer=identity.issuer, subject=identity.subject)
    )
    accounts.record(session, _PROVIDER, "account.link", account.email)
