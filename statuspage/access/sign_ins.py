"""Sign-ins: which browser belongs to which account, and for how long.

The token of a sign-in is random, and kept as a SHA-256 hash only.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from statuspage.access import accounts, passwords, sign_in_limits, throttle
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, open_to_everybody, require
from statuspage.core import address as addresses
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.models import Account, SignIn
from statuspage.models.columns import hash_token

log = logging.getLogger(__name__)

SIGN_IN_LASTS = timedelta(hours=12)
_KEEP_ENDED = timedelta(days=30)


def find_sign_in(session: Session, token: str) -> SignIn | None:
    """The sign-in that the browser's token belongs to, while it lasts."""
    return session.scalars(
        select(SignIn)
        .join(SignIn.account)
        .where(
            SignIn.token_hash == hash_token(token),
            SignIn.ends_at > clock.now(),
            Account.disabled_at.is_(None),
        )
    ).one_or_none()


def last_sign_ins(session: Session) -> dict[int, SignIn]:
    """Each account's newest sign-in that is still on record, by account id."""
    return {
        sign_in.account_id: sign_in
        for sign_in in session.scalars(select(SignIn).order_by(SignIn.created_at, SignIn.id))
    }


@open_to_everybody
def sign_in(email: str, password: str, *, address: str, browser: str = "") -> tuple[str, Account]:
    """Sign a browser in; returns the token for its cookie, and whose it is.

    ``address`` is the client's, ``browser`` what :func:`~.sign_in_limits.browser_token` gave this
    browser before.  Raises :class:`~.sign_in_limits.SignInThrottled` after too many tries from that
    address or on that account, and :class:`Invalid` otherwise, without saying which half was wrong;
    an unknown account takes as long as a known one.
    """
    email = addresses.identity_of(email)
    limits = sign_in_limits.limits_of_sign_in(email, address=address, browser=browser)
    sign_in_limits.count_try(limits, address=address)
    account = accounts.by_email(current_session(), email)
    hashed = account.password_hash if account else passwords.hash_of_nobody()
    account_id = account.id if account and account.disabled_at is None else None
    # Nothing is held in the database while the hash is computed.
    current_session().rollback()
    if not passwords.matches(hashed, password) or account_id is None:
        log.warning("a sign-in was refused, from %s", address)
        raise Invalid("password", "That mail address and password do not belong together")
    renewed = (
        passwords.hash_password(password) if passwords.HASHER.check_needs_rehash(hashed) else hashed
    )
    with writing() as session:
        # Only if nothing changed meanwhile: the password may just have been replaced.
        account = session.scalars(
            select(Account).filter_by(id=account_id, password_hash=hashed, disabled_at=None)
        ).one_or_none()
        if account is None:
            raise Invalid("password", "That mail address and password do not belong together")
        account.password_hash = renewed
        sign_in_limits.take_back(session, limits)
        throttle.forget_old_tries(session)
        session.execute(delete(SignIn).where(SignIn.ends_at < clock.now() - _KEEP_ENDED))
        token = begin(session, account)
        accounts.record(
            session, accounts.as_actor(account), "account.sign_in", email, after={"from": address}
        )
    return token, account


@needs(Permission.OWN_ACCOUNT)
def sign_out(token: str, *, actor: Actor) -> None:
    """End one browser's sign-in; nothing happens where it has ended already."""
    with writing() as session:
        found = find_sign_in(session, token)
        if found is None:
            return
        found.ends_at = clock.now()
        accounts.record(session, actor, "account.sign_out", found.account.email)


@needs(Permission.OWN_ACCOUNT)
def sign_out_everywhere(account_id: int, *, actor: Actor) -> None:
    """End all sign-ins of an account; of another's only by somebody who manages people."""
    if account_id != actor.account_id:
        require(actor, Permission.PEOPLE)
    with writing() as session:
        account = session.get_one(Account, account_id)
        end_all(session, account.id)
        accounts.record(session, actor, "account.sign_out_everywhere", account.email)


def begin(session: Session, account: Account) -> str:
    """Begin a sign-in within the caller's transaction; returns the token for the cookie."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            account_id=account.id,
            token_hash=hash_token(token),
            ends_at=clock.now() + SIGN_IN_LASTS,
        )
    )
    return token


def end_all(session: Session, account_id: int) -> None:
    """End every sign-in of an account, within the caller's transaction."""
    moment = clock.now()
    session.execute(
        update(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ends_at > moment)
        .values(ends_at=moment)
    )
