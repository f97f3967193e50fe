"""Passwords of accounts: which are good enough, and how they are hashed.

They are kept as argon2id hashes with OWASP's second set of parameters
(https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html).
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from statuspage.core.errors import Invalid

LEAST_PASSWORD = 12
MOST_PASSWORD = 200
_LEAST_DISTINCT = 5

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Each verification holds 19 MiB: many tries at once must not use up the machine's memory.
_ROOM = BoundedSemaphore(4)


def read_password(text: str, *, email: str, field: str = "password") -> str:
    """The new password, normalised; :class:`Invalid` where it is too easily guessed.

    The rules are NIST's (SP 800-63B, 3.1.1.2): length, not composition.
    """
    password = unicodedata.normalize("NFKC", text)
    if len(password) < LEAST_PASSWORD:
        raise Invalid(field, f"Use at least {LEAST_PASSWORD} characters")
    if len(password) > MOST_PASSWORD:
        raise Invalid(field, f"Use at most {MOST_PASSWORD} characters")
    if len(set(password)) < _LEAST_DISTINCT or password.lower() in {email, email.split("@")[0]}:
        raise Invalid(field, "Use a password that is harder to guess")
    return password


def random_password() -> str:
    """Five groups of four letters and digits that are not mistaken for one another: 99 bits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(5))
    return "-".join(groups)


def hash_password(password: str) -> str:
    """The argon2id hash of a password that was read by :func:`read_password`."""
    with _ROOM:
        return HASHER.hash(password)


def matches(hashed: str, password: str) -> bool:
    """Whether this is the password; an overlong one costs no more than another, and never is."""
    if len(password) > MOST_PASSWORD:
        password = ""
    with _ROOM:
        try:
            return HASHER.verify(hashed, unicodedata.normalize("NFKC", password))
        except (VerificationError, InvalidHashError):
            return False


@cache
def hash_of_nobody() -> str:
    """What the password of an unknown account is compared with: it takes as long as a known one."""
    return hash_password(secrets.token_urlsafe(32))
