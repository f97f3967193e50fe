"""Passwords that are known from breaches, by a service that learns none of them.

It is asked for all hashes that begin with the same five digits, of which there are about a
thousand (k-anonymity; https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange).
"""

from __future__ import annotations

import logging
from hashlib import sha1
from http.client import HTTPException
from typing import Final
from urllib.request import Request, urlopen

from statuspage.core.config import current_settings

log = logging.getLogger(__name__)

_DIGITS: Final = 5
_SECONDS: Final = 3
_MOST_BYTES: Final = 1_000_000


def is_breached(password: str) -> bool:
    """Whether a password is known from a breach; False where nobody is asked, or nobody answers."""
    address = current_settings().breached_passwords_url
    if address is None:
        return False
    digest = sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    # Padded, so that the length of the answer tells nobody on the way which one it was.
    asked = Request(f"{address}/{digest[:_DIGITS]}", headers={"Add-Padding": "true"})
    try:
        with urlopen(asked, timeout=_SECONDS) as answer:
            text: str = answer.read(_MOST_BYTES).decode()
    except (OSError, HTTPException, ValueError) as error:
        log.warning("breached passwords could not be looked up: %s", error)
        return False
    counts = dict(line.strip().partition(":")[::2] for line in text.splitlines())
    # Padding counts 0.
    return counts.get(digest[_DIGITS:], "0") != "0"
