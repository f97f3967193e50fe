"""Keys for the company's own tools: made and withdrawn in the admin, shown once, kept as a hash.

A key has 256 random bits, so its SHA-256 is enough to know it by; whoever tries wrong ones is
slowed down all the same, so that guessing costs more than it could ever bring.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from statuspage.access import audit, throttle
from statuspage.access.audit import Actor
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import ApiKey
from statuspage.models.columns import hash_token

log = logging.getLogger(__name__)

PREFIX = "statuspage_"
NAME_LIMIT = 200
TRIES = 20
TRY_WINDOW = timedelta(minutes=15)

_SHOWN = 16
_USED_AGAIN = timedelta(minutes=1)


class KeyThrottled(Exception):
    """Too many wrong keys from one client; ``wait`` is how long until the next one is looked at."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many wrong keys")
        self.wait = wait


def all_keys(session: Session) -> list[ApiKey]:
    """All keys, those that work first, newest first."""
    return list(
        session.scalars(
            select(ApiKey)
            .options(joinedload(ApiKey.created_by))
            .order_by(ApiKey.withdrawn_at.is_not(None), ApiKey.id.desc())
        )
    )


def make_key(name: str, *, actor: Actor) -> tuple[ApiKey, str]:
    """Make a key under a name that says who uses it; returns the key too, which is not kept."""
    name = clean_line(name)
    if not name:
        raise Invalid("name", "Say what will use the key")
    if len(name) > NAME_LIMIT:
        raise Invalid("name", f"Use at most {NAME_LIMIT} characters")
    token = PREFIX + secrets.token_urlsafe(32)
    with writing() as session:
        made = ApiKey(
            name=name,
            beginning=token[:_SHOWN],
            token_hash=hash_token(token),
            created_by_id=actor.account_id,
        )
        session.add(made)
        audit.record(session, actor, "api_key.make", subject_kind="api_key", subject=name)
    return made, token


def withdraw_key(key_id: int, *, actor: Actor) -> None:
    """Have a key work no more, at once and for good; raises ``NoResultFound`` for no such key."""
    with writing() as session:
        key = session.get_one(ApiKey, key_id)
        if key.withdrawn_at is not None:
            return
        key.withdrawn_at = clock.now()
        audit.record(session, actor, "api_key.withdraw", subject_kind="api_key", subject=key.name)


def use_key(token: str, *, address: str) -> Actor | None:
    """Who acts by a key; None where it is none that works.

    ``address`` is the client's.  Raises :class:`KeyThrottled` for a wrong key after too many from
    it; a right one is never kept waiting.
    """
    key = (
        current_session()
        .scalars(select(ApiKey).filter_by(token_hash=hash_token(token), withdrawn_at=None))
        .one_or_none()
    )
    if key is None:
        _count_wrong(address)
        return None
    actor = Actor(f"API key “{key.name}”"[:NAME_LIMIT])
    if key.used_at is None or key.used_at < clock.now() - _USED_AGAIN:
        _note_use(key.id)
    return actor


def is_key(session: Session, token: str) -> bool:
    """Whether a token is a key that works; counts neither its use nor a wrong one."""
    known = select(ApiKey.id).filter_by(token_hash=hash_token(token), withdrawn_at=None)
    return session.scalar(known) is not None


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


def _count_wrong(address: str) -> None:
    with writing() as session:
        wait = throttle.count_try(
            session, "api key", throttle.network(address), limit=TRIES, window=TRY_WINDOW
        )
    log.warning("a wrong API key was sent, from %s", address)
    if wait is not None:
        raise KeyThrottled(wait)
