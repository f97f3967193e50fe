"""Keys for the company's own tools: made and revoked in the admin, shown once, kept as a hash.

A key has 256 random bits, so its SHA-256 is enough to know it by; whoever tries wrong ones is
slowed down as well, so that guessing costs more than it could ever bring.  Its form is fixed
(:data:`FORM`): programs that look for secrets know one by its beginning, and by its checksum
without asking us.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session, joinedload

from statuspage.access import accounts, audit, throttle
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, of_scopes
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import Account, ApiKey
from statuspage.models.columns import hash_token

log = logging.getLogger(__name__)

PREFIX: Final = "statuspage_"
FORM: Final = re.compile(rf"{PREFIX}([0-9A-Za-z]{{43}})([0-9A-Za-z]{{6}})")
"""A key: the prefix, 256 random bits, and their CRC-32 (as zlib reckons it), both in base 62."""
NAME_LIMIT: Final = 200
TRIES: Final = 20
TRY_WINDOW: Final = timedelta(minutes=15)

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# As keys were made before they had a checksum; those still work.
_OLD_FORM: Final = re.compile(rf"{PREFIX}[\w-]{{43}}", re.ASCII)
_SHOWN: Final = 16
_USED_AGAIN: Final = timedelta(minutes=1)


class KeyThrottled(Exception):
    """Too many wrong keys from one client; ``wait`` is how long until the next one is looked at."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many wrong keys")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A tool that showed a key that works: who it acts as, and what it may do."""

    key_id: int
    actor: Actor
    scopes: frozenset[KeyScope]

    def may(self, scope: KeyScope) -> bool:
        """Whether the key has that scope, or the one that stands for all."""
        return scope in self.scopes or KeyScope.ADMIN in self.scopes


def all_keys(session: Session) -> list[ApiKey]:
    """All keys, those that work first, newest first."""
    return list(
        session.scalars(
            select(ApiKey).options(joinedload(ApiKey.owner)).order_by(~_works(), ApiKey.id.desc())
        )
    )


@needs(Permission.KEYS)
def make_key(
    name: str,
    *,
    actor: Actor,
    scopes: Collection[KeyScope] = (KeyScope.CUSTOMERS,),
    lifetime: timedelta | None = None,
    owner_id: int | None = None,
) -> tuple[ApiKey, str]:
    """Create a key under a name that says who uses it; returns the key too, which is not kept.

    It works for ``lifetime``, or until it is revoked.  ``owner_id`` is the account of who is asked
    about it; whoever makes it, where none is given.  Raises :class:`Invalid`.
    """
    with writing() as session:
        return add_key(
            session, name, actor=actor, scopes=scopes, lifetime=lifetime, owner_id=owner_id
        )


def add_key(
    session: Session,
    name: str,
    *,
    actor: Actor,
    scopes: Collection[KeyScope],
    lifetime: timedelta | None = None,
    owner_id: int | None = None,
) -> tuple[ApiKey, str]:
    """The same within the caller's transaction."""
    name = _check_name(name)
    if not scopes:
        raise Invalid("scopes", "Choose at least one")
    token = _new_token()
    owner_id = actor.account_id if owner_id is None else owner_id
    if owner_id is not None and session.get(Account, owner_id) is None:
        raise Invalid("owner_id", "This account no longer exists")
    made = ApiKey(
        name=name,
        beginning=token[:_SHOWN],
        token_hash=hash_token(token),
        created_by_id=actor.account_id,
        owner_id=owner_id,
        scopes=[scope.value for scope in KeyScope if scope in scopes],
        expires_at=None if lifetime is None else clock.now() + lifetime,
    )
    session.add(made)
    session.flush()
    audit.record(
        session, actor, "api_key.make", subject_kind="api_key", subject=name,
        after={"scopes": made.scopes, "expires_at": made.expires_at},
    )  # fmt: skip
    return made, token


@needs(Permission.KEYS)
def withdraw_key(key_id: int, *, actor: Actor) -> None:
    """Have a key work no more, at once and for good; raises ``NoResultFound`` for no such key."""
    with writing() as session:
        end_key(session, session.get_one(ApiKey, key_id), actor=actor)


def end_key(session: Session, key: ApiKey, *, actor: Actor) -> None:
    """The same within the caller's transaction."""
    if key.withdrawn_at is not None:
        return
    key.withdrawn_at = clock.now()
    audit.record(session, actor, "api_key.withdraw", subject_kind="api_key", subject=key.name)


def use_key(token: str, *, address: str) -> KeyHolder | None:
    """Who acts by a key; None where it is none that works.

    ``address`` is the client's.  Raises :class:`KeyThrottled` for a wrong key after too many from
    it; a right one is never kept waiting.
    """
    key = _find(current_session(), token)
    if key is None:
        count_wrong(address)
        return None
    # Read before the use is noted: that ends the transaction.
    scopes = frozenset(KeyScope(scope) for scope in key.scopes)
    actor = Actor(
        f"API key “{key.name}”"[:NAME_LIMIT],
        permissions=of_scopes(scopes),
        origin=f"API key {key.id}",
        address=address,
    )
    holder = KeyHolder(key.id, actor, scopes)
    if key.used_at is None or key.used_at < clock.now() - _USED_AGAIN:
        _note_use(key.id)
    return holder


def acting_for_owner(session: Session, holder: KeyHolder) -> Actor | None:
    """The key's owner, for what needs an account: may what both may; None without an active one."""
    owner = session.get_one(ApiKey, holder.key_id).owner
    if owner is None or owner.disabled_at is not None:
        return None
    account = accounts.as_actor(owner)
    both = account.permissions & holder.actor.permissions
    return replace(
        account, permissions=both, origin=holder.actor.origin, address=holder.actor.address
    )


def is_key(session: Session, token: str) -> bool:
    """Whether a token is a key that works; counts neither its use nor a wrong one."""
    return _find(session, token) is not None


def is_well_formed(token: str) -> bool:
    """Whether a token could be a key at all, by its form and its checksum."""
    match = FORM.fullmatch(token)
    if match is None:
        return _OLD_FORM.fullmatch(token) is not None
    return _checksum(match[1]) == match[2]


def has_expired(key: ApiKey, moment: datetime) -> bool:
    """Whether a key's time is over."""
    return key.expires_at is not None and key.expires_at <= moment


def _find(session: Session, token: str) -> ApiKey | None:
    if not is_well_formed(token):
        return None
    chosen = select(ApiKey).where(ApiKey.token_hash == hash_token(token), _works())
    return session.scalars(chosen).one_or_none()


def _works() -> ColumnElement[bool]:
    lasts = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > clock.now())
    return ApiKey.withdrawn_at.is_(None) & lasts


def _check_name(name: str) -> str:
    name = clean_line(name)
    if not name:
        raise Invalid("name", "Say what will use the key")
    if len(name) > NAME_LIMIT:
        raise Invalid("name", f"Use at most {NAME_LIMIT} characters")
    return name


def _new_token() -> str:
    random = _in_base_62(secrets.randbits(256), length=43)
    return PREFIX + random + _checksum(random)


def _checksum(random: str) -> str:
    return _in_base_62(crc32(random.encode()), length=6)


def _in_base_62(number: int, *, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


def _note_use(key_id: int) -> None:
    moment = clock.now()
    with writing() as session:
        session.execute(
            update(ApiKey)
            .where(
                ApiKey.id == key_id,
                or_(ApiKey.used_at.is_(None), ApiKey.used_at < moment - _USED_AGAIN),
            )
            .values(used_at=moment)
        )


def count_wrong(address: str, what: str = "API key") -> None:
    """Count a wrong key, or whatever else proves nothing; raises :class:`KeyThrottled`.

    Asked after what was sent turned out to be wrong, so that nobody waits for another's tries.
    """
    with writing() as session:
        wait = throttle.count_try(
            session, "api key", throttle.network(address), limit=TRIES, window=TRY_WINDOW
        )
    log.warning("a wrong %s was sent, from %s", what, address)
    if wait is not None:
        raise KeyThrottled(wait)
