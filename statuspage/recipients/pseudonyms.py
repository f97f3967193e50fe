"""What is left of an address whose owner asked to be erased: a keyed hash of it.

The hash is HMAC-SHA-256 (RFC 2104) under a key made from SECRET_KEY.  Whoever names the address can
still be told whether it was written to; nobody can get the address out of the hash, nor try a list
of addresses against it, without that key.  Under a new SECRET_KEY old hashes match nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.config import current_settings
from statuspage.core.errors import Invalid
from statuspage.models import Customer, Subscriber, Suppression

ERASED = "erased"
"""The kind of the suppression that an erasure leaves."""

_PREFIX = "erased:"


def mark(address: str) -> str:
    """What stands in the place of a normalised address once it is forgotten."""
    return _mark(current_settings().secret_key.encode(), address)


def is_mark(address: str) -> bool:
    """Whether an address is only the mark of one that was forgotten."""
    return address.startswith(_PREFIX)


def erased_at(session: Session, address: str) -> datetime | None:
    """When the owner of a normalised address was erased on request; None where nobody was."""
    return session.scalar(
        select(Suppression.at).where(
            Suppression.address == mark(address), Suppression.kind == ERASED
        )
    )


def find_marked(session: Session, marked: str) -> str | None:
    """The address on a list that has this hash; None where none has, as after an erasure.

    Every address on a list is tried, half a second for 100,000: this is for the links in old mail.
    """
    key = current_settings().secret_key.encode()
    for entries in (Customer, Subscriber):
        for address in session.scalars(select(entries.address)).all():
            if _mark(key, address) == marked:
                return address
    return None


def refuse_erased(session: Session, address: str) -> None:
    """Raise :class:`Invalid` where the owner of a normalised address was erased on request."""
    if erased_at(session, address) is not None:
        raise Invalid("email", NOT_AGAIN)


NOT_AGAIN = "Whoever has this address asked to be erased; add them only if they ask for it"


def erased_among(session: Session, addresses: Collection[str]) -> frozenset[str]:
    """Which of these normalised addresses belong to somebody who was erased on request."""
    marks = frozenset(
        session.scalars(select(Suppression.address).where(Suppression.kind == ERASED))
    )
    return frozenset(address for address in addresses if mark(address) in marks) if marks else marks


def _mark(key: bytes, address: str) -> str:
    return _PREFIX + hmac.digest(key, b"erased address\0" + address.encode(), "sha256").hex()
