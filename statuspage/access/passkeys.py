"""Passkeys: a key pair in an authenticator that asks its owner for a finger, a face or a PIN.

Each is two factors in one, so it signs in alone (WebAuthn level 3: resident key and user
verification required), bound to the host of PUBLIC_URL.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import accounts, sign_ins
from statuspage.access.audit import Actor
from statuspage.access.devices import name_device
from statuspage.access.permissions import Permission, needs, open_to_everybody
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import Account, Passkey, SignIn
from statuspage.models.columns import TITLE_LIMIT

log = logging.getLogger(__name__)

MOST: Final = 20
"""How many an account can have."""

_NOT_TAKEN: Final = "That passkey wasn’t accepted. Try again, or sign in another way."


def can_be_used() -> bool:
    """Whether browsers offer passkeys at PUBLIC_URL: under TLS or on this machine, by a name."""
    parts = urlsplit(current_settings().public_url)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost"
    return False


def of_account(session: Session, account_id: int) -> list[Passkey]:
    """An account's passkeys, oldest first."""
    theirs = select(Passkey).where(Passkey.account_id == account_id)
    return list(session.scalars(theirs.order_by(Passkey.id)))


def offer(session: Session, account: Account, *, service: str) -> tuple[str, str]:
    """What a browser is asked to make a passkey of, as JSON; and the challenge to keep."""
    asked: tuple[str, str] = _proofs().creation_options(
        _site(),
        service=service,
        account_id=account.id,
        email=account.email,
        name=account.name,
        known=[one.credential for one in of_account(session, account.id)],
    )
    return asked


def add(
    session: Session, account: Account, answer: str, *, challenge: str, name: str, user_agent: str
) -> Passkey:
    """Keep a passkey that a browser made, within the caller's transaction; :class:`Invalid`."""
    if len(of_account(session, account.id)) >= MOST:
        raise Invalid("form", f"You have {MOST} passkeys. Remove one first.")
    try:
        made = _proofs().check_made(answer, challenge=challenge, site=_site())
    except _proofs().NotProven as error:
        log.warning("a passkey was not taken: %s", error)
        raise Invalid("form", "That passkey couldn’t be added. Try again.") from None
    if session.scalar(select(Passkey.id).filter_by(credential=made.credential)) is not None:
        raise Invalid("form", "That passkey belongs to an account already.")
    kept = Passkey(
        account_id=account.id,
        name=clean_line(name)[:TITLE_LIMIT] or name_device(user_agent),
        credential=made.credential,
        public_key=made.public_key,
        uses=made.uses,
    )
    session.add(kept)
    session.flush()
    session.expire(account, ["has_passkey"])
    return kept


def ask(session: Session, account_id: int | None) -> tuple[str, str]:
    """What a browser is asked to prove, by any passkey or one of an account's; and the challenge.

    Both are empty where there is no passkey at all.
    """
    every = select(Passkey.id).limit(1)
    if not can_be_used() or session.scalar(every) is None:
        return "", ""
    theirs = of_account(session, account_id) if account_id is not None else []
    asked: tuple[str, str] = _proofs().request_options(
        _site(), known=[one.credential for one in theirs]
    )
    return asked


@open_to_everybody
def sign_in_with(
    answer: str,
    *,
    challenge: str,
    address: str,
    browser: str = "",
    user_agent: str = "",
    notify: sign_ins.SignInNotice = sign_ins.tell_nobody,
) -> tuple[str, Account]:
    """Sign a browser in whose passkey proves it; returns the token for its cookie, and whose.

    :class:`Invalid` for one that proves nothing, and where single sign-on is required.
    """
    with writing() as session:
        account = session.get_one(Account, _take(session, answer, challenge).account_id)
        if account.disabled_at is not None or not sign_ins.takes_password(account.email):
            raise Invalid("form", _NOT_TAKEN)
        sign_ins.note_entry(
            session, account, browser=browser, device=name_device(user_agent),
            address=address, notify=notify,
        )  # fmt: skip
        token = sign_ins.begin(session, account, address=address, user_agent=user_agent)
        accounts.record(
            session, accounts.as_actor(account), "account.sign_in", account.email,
            after={"from": address, "by": "passkey"},
        )  # fmt: skip
    return token, account


@needs(Permission.OWN_ACCOUNT)
def prove_with(answer: str, *, challenge: str, address: str, actor: Actor) -> str:
    """Take a passkey's fresh proof for the actor's sign-in; returns the token that replaces its.

    :class:`Invalid` for another account's passkey, and where single sign-on is required.
    """
    with writing() as session:
        kept = session.get_one(SignIn, actor.sign_in_id)
        account = session.get_one(Account, _take(session, answer, challenge).account_id)
        is_theirs = actor.account_id == kept.account_id == account.id
        if not is_theirs or not sign_ins.takes_password(account.email):
            raise Invalid("form", _NOT_TAKEN)
        accounts.record(
            session, actor, "account.prove", account.email,
            after={"from": address, "by": "passkey"},
        )  # fmt: skip
        return sign_ins.note_proof(kept)


@needs(Permission.OWN_ACCOUNT)
def rename_passkey(passkey_id: int, *, name: str, actor: Actor) -> None:
    """Call a passkey of one's own something else."""
    name = clean_line(name)[:TITLE_LIMIT]
    if not name:
        raise Invalid("name", "Enter a name")
    with writing() as session:
        kept = session.get(Passkey, passkey_id)
        if kept is None or kept.account_id != actor.account_id or kept.name == name:
            return
        before, kept.name = kept.name, name
        email = session.get_one(Account, kept.account_id).email
        accounts.record(
            session, actor, "account.rename_passkey", email, {"name": before}, {"name": name}
        )


def _take(session: Session, answer: str, challenge: str) -> Passkey:
    """The passkey that proved itself; its use is noted."""
    proofs = _proofs()
    try:
        chosen = select(Passkey).filter_by(credential=proofs.name_of(answer)).with_for_update()
        kept = session.scalars(chosen).one_or_none()
        if kept is None:
            raise proofs.NotProven("nobody's")
        kept.uses = proofs.check_used(
            answer,
            challenge=challenge,
            site=_site(),
            public_key=kept.public_key,
            uses=kept.uses,
        )
    except proofs.NotProven as error:
        log.warning("a passkey was not accepted: %s", error)
        raise Invalid("form", _NOT_TAKEN) from None
    kept.used_at = clock.now()
    return kept


def _site() -> Any:
    parts = urlsplit(current_settings().public_url)
    return _proofs().RelyingParty(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


@cache
def _proofs() -> Any:
    return import_module("statuspage.access.passkey_proofs")
