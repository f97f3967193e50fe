"""How often something may be tried: counted in the database, so all processes count together."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address

from sqlalchemy import case, delete, update
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import insert_new, writing
from statuspage.models import Throttle


def count_try(
    session: Session, what: str, whose: str, *, limit: int, window: timedelta
) -> timedelta | None:
    """Count one try; returns how long to wait where it is past ``limit`` within ``window``.

    The window begins with its first try and is not prolonged by later ones.  ``whose`` is kept as a
    digest only: people type passwords into the wrong field.
    """
    moment = clock.now()
    is_over = Throttle.window_start <= moment - window
    statement = (
        insert_new(session, Throttle)
        .values(key=_key(what, whose), window_start=moment, count=1)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((is_over, 1), else_=Throttle.count + 1),
                "window_start": case((is_over, moment), else_=Throttle.window_start),
            },
        )
        .returning(Throttle.count, Throttle.window_start)
    )
    count, start = session.execute(statement).one()
    return start + window - moment if count > limit else None


def give_back_try(session: Session, what: str, whose: str) -> None:
    """Uncount one try, which turned out to be a right one."""
    session.execute(
        update(Throttle)
        .where(Throttle.key == _key(what, whose), Throttle.count > 0)
        .values(count=Throttle.count - 1)
    )


def forget_all_tries(session: Session, what: str) -> None:
    """Begin anew with the next try, whose ever it is."""
    session.execute(delete(Throttle).where(Throttle.key.startswith(f"{what}:", autoescape=True)))


def forget_tries(session: Session, what: str, whose: str) -> None:
    """Begin anew with the next try."""
    session.execute(delete(Throttle).where(Throttle.key == _key(what, whose)))


def forget_old_tries(session: Session, *, older_than: timedelta = timedelta(days=1)) -> None:
    """Drop counts whose window began longer ago than any window lasts."""
    session.execute(delete(Throttle).where(Throttle.window_start < clock.now() - older_than))


def forget_tries_of_yesterday() -> None:
    """Drop old counts in a transaction of their own.  The worker's duty."""
    with writing() as session:
        forget_old_tries(session)


def network(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that one IPv6 client has whole."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> 64:x}::/64"


def _key(what: str, whose: str) -> str:
    return f"{what}:{blake2b(whose.encode(), digest_size=16).hexdigest()}"
