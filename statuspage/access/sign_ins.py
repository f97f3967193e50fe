"""Sign-ins: which browser belongs to which account, and for how long.

The token of a sign-in is random, and kept as a SHA-256 hash only.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import Final, Protocol

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from statuspage.access import (
    accounts,
    alarms,
    passwords,
    second_factor,
    sign_in_limits,
    throttle,
)
from statuspage.access.audit import Actor
from statuspage.access.devices import name_device
from statuspage.access.permissions import Permission, needs, open_to_everybody, require
from statuspage.core import address as addresses
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.models import Account, SignIn
from statuspage.models.columns import TITLE_LIMIT, hash_token

log = logging.getLogger(__name__)

_SEEN_AGAIN = timedelta(minutes=1)
_WAIT = timedelta(minutes=10)
_KEEP_ENDED = timedelta(days=30)
_EMERGENCY_SHOWN = timedelta(days=1)
_EMERGENCY_TEXT = (
    "The emergency account signed in with its password, while single sign-on is required. If "
    "nobody of yours did, disable the account and look at the audit trail. This is shown for a day."
)

EMERGENCY_ALARM: Final = "emergency account"


class SignInNotice(Protocol):
    """What tells the owner of an account of a sign-in from a new browser."""

    def __call__(self, session: Session, email: str, *, browser: str, address: str) -> None:
        """Queue it within the caller's transaction; ``browser`` and ``address`` say from where."""


def tell_nobody(session: Session, email: str, *, browser: str, address: str) -> None:
    """The notice of a sign-in whose owner knows of it."""


def find_sign_in(session: Session, token: str) -> SignIn | None:
    """The sign-in that the browser's token belongs to, while it lasts and is in use."""
    return session.scalars(
        select(SignIn)
        .join(SignIn.account)
        .where(SignIn.token_hash == hash_token(token), *_lasts(), Account.disabled_at.is_(None))
    ).one_or_none()


def open_sign_ins(session: Session, account_id: int) -> list[SignIn]:
    """The browsers that are signed in to an account, the last used one first."""
    theirs = select(SignIn).where(SignIn.account_id == account_id, *_lasts())
    return list(session.scalars(theirs.order_by(SignIn.seen_at.desc(), SignIn.id.desc())))


def note_use(found: SignIn) -> None:
    """Keep when a sign-in was used; not more often than once a minute."""
    if found.seen_at > clock.now() - _SEEN_AGAIN:
        return
    with writing() as session:
        session.execute(
            update(SignIn)
            .where(SignIn.id == found.id, SignIn.seen_at < clock.now() - _SEEN_AGAIN)
            .values(seen_at=clock.now())
        )


def _lasts() -> tuple[ColumnElement[bool], ...]:
    moment, idle = clock.now(), timedelta(minutes=current_settings().session_idle_minutes)
    return (
        SignIn.ends_at > moment,
        SignIn.seen_at > moment - idle,
        SignIn.waits_for_code.is_(False),
    )


def last_sign_ins(session: Session) -> dict[int, SignIn]:
    """Each account's newest sign-in that is still on record, by account id."""
    return {
        sign_in.account_id: sign_in
        for sign_in in session.scalars(select(SignIn).order_by(SignIn.created_at, SignIn.id))
    }


@open_to_everybody
def sign_in(
    email: str,
    password: str,
    *,
    address: str,
    browser: str = "",
    user_agent: str = "",
    notify: SignInNotice = tell_nobody,
) -> tuple[str, Account]:
    """Sign a browser in; returns the token for its cookie, and whose it is.

    ``address`` is the client's, ``browser`` what :func:`~.sign_in_limits.browser_token` gave this
    browser before, ``user_agent`` what it calls itself.  Raises
    :class:`~.sign_in_limits.SignInThrottled` after too many tries from that address or on that
    account, and :class:`Invalid` otherwise, without saying which half was wrong; an unknown account
    takes as long as a known one.  Where the account has a second factor the sign-in opens nothing
    before :func:`finish_sign_in`.  ``notify`` is called for a browser that the account was not
    used in before.
    """
    email = addresses.identity_of(email)
    limits = sign_in_limits.limits_of_sign_in(email, address=address, browser=browser)
    sign_in_limits.count_try(limits, address=address)
    account = accounts.by_email(current_session(), email)
    hashed = account.password_hash if account else passwords.hash_of_nobody()
    account_id = account.id if account and account.disabled_at is None else None
    # Nothing is held in the database while the hash is computed.
    current_session().rollback()
    is_right = passwords.matches(hashed, password)
    if not is_right or account_id is None or not takes_password(email):
        log.warning("a sign-in was refused, from %s", address)
        raise Invalid("password", "Wrong email or password")
    renewed = (
        passwords.hash_password(password) if passwords.HASHER.check_needs_rehash(hashed) else hashed
    )
    with writing() as session:
        # Only if nothing changed meanwhile: the password may just have been replaced.
        account = session.scalars(
            select(Account).filter_by(id=account_id, password_hash=hashed, disabled_at=None)
        ).one_or_none()
        if account is None:
            raise Invalid("password", "Wrong email or password")
        account.password_hash = renewed
        sign_in_limits.take_back(session, limits)
        throttle.forget_old_tries(session)
        session.execute(delete(SignIn).where(SignIn.ends_at < clock.now() - _KEEP_ENDED))
        waits = second_factor.has_second_factor(account)
        if not waits:
            note_entry(
                session, account, browser=browser, device=name_device(user_agent),
                address=address, notify=notify,
            )  # fmt: skip
        token = begin(session, account, address=address, user_agent=user_agent, waits=waits)
        action = "account.password_taken" if waits else "account.sign_in"
        accounts.record(session, accounts.as_actor(account), action, email, after={"from": address})
    return token, account


@open_to_everybody
def finish_sign_in(
    token: str, code: str, *, address: str, browser: str = "", notify: SignInNotice = tell_nobody
) -> tuple[str, Account]:
    """Take the second factor of a sign-in that waits for it; returns the token for the cookie.

    Raises :class:`~.sign_in_limits.SignInThrottled`, and :class:`Invalid`: for the field ``form``
    where nothing waits, or does so no more.
    """
    found = find_waiting(current_session(), token)
    if found is None:
        raise Invalid("form", "Too much time has passed. Sign in again")
    sign_in_id, email = found.id, found.account.email
    limits = sign_in_limits.limits_of_code(email)
    sign_in_limits.count_try(limits, address=address)
    fresh = secrets.token_urlsafe(32)
    with writing() as session:
        kept = session.get_one(SignIn, sign_in_id)
        account = session.get_one(Account, kept.account_id, with_for_update=True)
        if not second_factor.take_code(session, account, code):
            log.warning("a second factor was refused, from %s", address)
            raise Invalid("code", "This code is wrong, or was used already")
        sign_in_limits.take_back(session, limits)
        note_entry(
            session, account, browser=browser, device=kept.browser, address=address, notify=notify
        )
        kept.waits_for_code, kept.token_hash = False, hash_token(fresh)
        kept.seen_at = kept.proved_at = clock.now()
        kept.ends_at = clock.now() + timedelta(hours=current_settings().session_hours)
        accounts.record(
            session, accounts.as_actor(account), "account.sign_in", email, after={"from": address}
        )
    return fresh, account


def takes_password(email: str) -> bool:
    """Whether a password signs in to an account: not where single sign-on is required."""
    return not current_settings().oidc_required or is_emergency(email)


def is_emergency(email: str) -> bool:
    """Whether that is the account that gets in by password while single sign-on is required."""
    settings = current_settings()
    named = settings.emergency_account
    return settings.oidc_required and named is not None and addresses.identity_of(named) == email


def note_entry(
    session: Session,
    account: Account,
    *,
    browser: str,
    device: str,
    address: str,
    notify: SignInNotice,
) -> None:
    """Have what follows each sign-in follow, within the caller's transaction, before it counts.

    That is notice to the owner where the browser is new, and an alarm for the emergency account.
    """
    if _is_new(session, account, browser):
        notify(session, account.email, browser=device, address=address)
    if is_emergency(account.email):
        log.warning("the emergency account was used, from %s", address)
        alarms.raise_alarm(session, EMERGENCY_ALARM, _EMERGENCY_TEXT)
    else:
        alarms.clear_alarm(session, EMERGENCY_ALARM, raised_before=clock.now() - _EMERGENCY_SHOWN)


def _is_new(session: Session, account: Account, browser: str) -> bool:
    """Whether a browser was not used for the account before; the first of a new account is none."""
    if sign_in_limits.is_known(account.email, browser):
        return False
    earlier = select(SignIn.id).where(
        SignIn.account_id == account.id, SignIn.waits_for_code.is_(False)
    )
    is_old = account.created_at < clock.now() - _KEEP_ENDED
    return is_old or session.scalar(earlier.limit(1)) is not None


def find_waiting(session: Session, token: str) -> SignIn | None:
    """The sign-in with that token whose password was right and whose second factor is awaited."""
    return session.scalars(
        select(SignIn)
        .join(SignIn.account)
        .where(
            SignIn.token_hash == hash_token(token),
            SignIn.waits_for_code.is_(True),
            SignIn.ends_at > clock.now(),
            Account.disabled_at.is_(None),
        )
    ).one_or_none()


@needs(Permission.OWN_ACCOUNT)
def sign_out(token: str, *, actor: Actor) -> str | None:
    """End one browser's sign-in; returns the provider's ID token where single sign-on began it.

    Nothing happens where it has ended already.
    """
    with writing() as session:
        found = find_sign_in(session, token)
        if found is None:
            return None
        id_token = found.id_token
        found.ends_at, found.id_token = clock.now(), None
        accounts.record(session, actor, "account.sign_out", found.account.email)
    return id_token


@needs(Permission.OWN_ACCOUNT)
def sign_out_everywhere(account_id: int, *, actor: Actor) -> None:
    """End all sign-ins of an account; of another's only by somebody who manages people."""
    if account_id != actor.account_id:
        require(actor, Permission.PEOPLE)
    with writing() as session:
        account = session.get_one(Account, account_id)
        end_all(session, account.id)
        accounts.record(session, actor, "account.sign_out_everywhere", account.email)


@needs(Permission.OWN_ACCOUNT)
def end_sign_in(sign_in_id: int, *, actor: Actor) -> None:
    """End one sign-in of the actor's own account; nothing happens for one that is not theirs."""
    with writing() as session:
        found = session.get(SignIn, sign_in_id)
        if found is None or found.account_id != actor.account_id or found.ends_at <= clock.now():
            return
        found.ends_at, found.id_token = clock.now(), None
        accounts.record(
            session, actor, "account.end_session", found.account.email,
            before={"browser": found.browser, "from": found.address},
        )  # fmt: skip


@needs(Permission.OWN_ACCOUNT)
def prove(token: str, password: str, *, address: str, actor: Actor) -> str:
    """Take the password once more for a sign-in; returns the token that replaces the one before.

    Raises :class:`~.sign_in_limits.SignInThrottled` and :class:`Invalid`.
    """
    found = find_sign_in(current_session(), token)
    if found is None:
        raise Invalid("password", "Your sign-in has ended. Sign in again")
    sign_in_id, email, hashed = found.id, found.account.email, found.account.password_hash
    limits = sign_in_limits.limits_of_change(email)
    sign_in_limits.count_try(limits, address=address)
    if not passwords.matches(hashed, password) or not takes_password(email):
        raise Invalid("password", "This is not your password")
    with writing() as session:
        sign_in_limits.take_back(session, limits)
        fresh = note_proof(session.get_one(SignIn, sign_in_id))
        accounts.record(session, actor, "account.prove", email, after={"from": address})
    return fresh


def note_proof(kept: SignIn) -> str:
    """Note within the caller's transaction that somebody proved who they are.

    Returns the token that replaces the one before.
    """
    fresh = secrets.token_urlsafe(32)
    kept.token_hash, kept.proved_at, kept.seen_at = hash_token(fresh), clock.now(), clock.now()
    return fresh


def begin(
    session: Session,
    account: Account,
    *,
    address: str = "",
    user_agent: str = "",
    waits: bool = False,
    id_token: str | None = None,
    provider_session: str | None = None,
) -> str:
    """Begin a sign-in within the caller's transaction; returns the token for the cookie.

    One that ``waits`` for a second factor opens nothing yet; one with an ``id_token`` is by single
    sign-on, in that session of the provider's where it names them.
    """
    lasts = _WAIT if waits else timedelta(hours=current_settings().session_hours)
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            account_id=account.id,
            token_hash=hash_token(token),
            ends_at=clock.now() + lasts,
            waits_for_code=waits,
            address=address[:TITLE_LIMIT],
            browser=name_device(user_agent),
            id_token=id_token,
            provider_session=provider_session,
        )
    )
    return token


def begin_again(
    session: Session, account: Account, *, actor: Actor, address: str, user_agent: str
) -> str:
    """End every sign-in of an account but the actor's, which goes on by the token that returns.

    Within the caller's transaction; single sign-on stays single sign-on.
    """
    present = session.get(SignIn, actor.sign_in_id) if actor.sign_in_id else None
    is_theirs = present is not None and present.account_id == account.id
    id_token = present.id_token if present and is_theirs else None
    provider_session = present.provider_session if present and is_theirs else None
    end_all(session, account.id)
    return begin(
        session,
        account,
        address=address,
        user_agent=user_agent,
        id_token=id_token,
        provider_session=provider_session,
    )


def end_all(session: Session, account_id: int) -> None:
    """End every sign-in of an account, within the caller's transaction."""
    moment = clock.now()
    session.execute(
        update(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ends_at > moment)
        .values(ends_at=moment, id_token=None)
    )
