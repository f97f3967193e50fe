"""Passwords of accounts: which are good enough, and how they are hashed.

They are kept as argon2id hashes with OWASP's second set of parameters
(https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html).
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from statuspage.core.errors import Invalid

LEAST_PASSWORD = 15
LEAST_WITH_SECOND_FACTOR = 12
MOST_PASSWORD = 200
_LEAST_DISTINCT = 5
_SHORTEST_WORD = 3
# Letters beside what is common: fewer are no secret.
_LEAST_LEFT = 4
# What the most common passwords are made of, in the lists of breached ones that are published.
_COMMON = frozenset(
    [
        "password",
        "passwort",
        "passw0rd",
        "qwertyuiop",
        "qwerty",
        "qwertz",
        "azerty",
        "asdfghjkl",
        "asdfgh",
        "asdf",
        "zxcvbnm",
        "zxcvbn",
        "1q2w3e4r5t",
        "1q2w3e4r",
        "1qaz2wsx",
        "qazwsx",
        "abcdefghijklmnopqrstuvwxyz",
        "abcdefgh",
        "abcdef",
        "abc",
        "admin",
        "administrator",
        "root",
        "welcome",
        "willkommen",
        "letmein",
        "login",
        "secret",
        "changeme",
        "default",
        "test",
        "guest",
        "user",
        "master",
        "monkey",
        "dragon",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "basketball",
        "superman",
        "batman",
        "iloveyou",
        "iloveu",
        "loveyou",
        "love",
        "trustno",
        "shadow",
        "michael",
        "jennifer",
        "jordan",
        "hunter",
        "killer",
        "pokemon",
        "starwars",
        "whatever",
        "freedom",
        "computer",
        "internet",
        "access",
        "hello",
        "summer",
        "winter",
        "spring",
        "autumn",
        "sommer",
        "company",
        "statuspage",
        "status",
        "monitoring",
        "correcthorsebatterystaple",
    ]
)
_UNDISGUISED = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a",
                              "$": "s", "!": "i"})  # fmt: skip

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Each verification holds 19 MiB: many tries at once must not use up the machine's memory.
_ROOM = BoundedSemaphore(4)


def read_password(
    text: str,
    *,
    email: str,
    name: str = "",
    has_second_factor: bool = False,
    field: str = "password",
) -> str:
    """The new password, normalised; :class:`Invalid` where it is too easily guessed.

    The rules are NIST's (SP 800-63B-4, 3.1.1.2): length, not composition, and less of it beside a
    second factor; nothing that is made of the most common passwords or of the account's own words.
    """
    password = unicodedata.normalize("NFKC", text)
    least = LEAST_WITH_SECOND_FACTOR if has_second_factor else LEAST_PASSWORD
    if len(password) < least:
        raise Invalid(field, f"Use at least {least} characters")
    if len(password) > MOST_PASSWORD:
        raise Invalid(field, f"Use at most {MOST_PASSWORD} characters")
    if len(set(password)) < _LEAST_DISTINCT or _is_common(password, f"{email} {name}"):
        raise Invalid(field, "Use a password that is harder to guess")
    return password


def _is_common(password: str, own: str) -> bool:
    """Whether little is left of a password without common passwords and the account's own words."""
    own_words = [word for word in re.split(r"\W+", own.casefold()) if len(word) >= _SHORTEST_WORD]
    words = sorted({*_COMMON, *own_words}, key=len, reverse=True)
    plain = password.casefold().translate(_UNDISGUISED)
    for form in (password.casefold(), plain):
        left = re.sub("|".join(re.escape(word) for word in words), "", form)
        if len(re.sub(r"[\W\d_]", "", left)) < _LEAST_LEFT:
            return True
    return False


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
