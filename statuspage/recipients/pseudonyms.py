"""Pseudonyms: the keyed hash that takes the place of an address once it is forgotten.

Somebody who names the address can still learn whether it was written to; nobody else can
(:mod:`statuspage.core.keyed_hash`).
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.config import current_settings
from statuspage.core.keyed_hash import PREFIX, hash_under, keyed_hash
from statuspage.models import Customer, Subscriber


def pseudonymize(address: str) -> str:
    """The pseudonym of a normalised address."""
    return keyed_hash(address)


def is_pseudonym(address: str) -> bool:
    """Whether an address is the pseudonym of one that was forgotten."""
    return address.startswith(PREFIX)


def find_pseudonymized(session: Session, pseudonym: str) -> str | None:
    """The address on a list that has this pseudonym; None without one, as after an erasure.

    It tries every address on a list, half a second for 100,000: use it for links in old mail only.
    """
    key = current_settings().secret_key.encode()
    for entries in (Customer, Subscriber):
        for address in session.scalars(select(entries.address)).all():
            if hash_under(key, address) == pseudonym:
                return address
    return None
