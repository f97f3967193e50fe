"""Pseudonyms: the keyed hash that takes the place of an address once it is forgotten.

The hash is HMAC-SHA-256 (RFC 2104) under a key made from SECRET_KEY.  Somebody who names the
address can still learn whether it was written to; without that key nobody can get the address out
of the hash, nor try a list of addresses against it.  A new SECRET_KEY matches no older hash.
"""

from __future__ import annotations

import hmac

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.config import current_settings
from statuspage.models import Customer, Subscriber

_PREFIX = "erased:"


def pseudonymize(address: str) -> str:
    """The pseudonym of a normalised address."""
    return _keyed_hash(current_settings().secret_key.encode(), address)


def is_pseudonym(address: str) -> bool:
    """Whether an address is the pseudonym of one that was forgotten."""
    return address.startswith(_PREFIX)


def find_pseudonymized(session: Session, pseudonym: str) -> str | None:
    """The address on a list that has this pseudonym; None without one, as after an erasure.

    It tries every address on a list, half a second for 100,000: use it for links in old mail only.
    """
    key = current_settings().secret_key.encode()
    for entries in (Customer, Subscriber):
        for address in session.scalars(select(entries.address)).all():
            if _keyed_hash(key, address) == pseudonym:
                return address
    return None


def _keyed_hash(key: bytes, address: str) -> str:
    return _PREFIX + hmac.digest(key, b"erased address\0" + address.encode(), "sha256").hex()
