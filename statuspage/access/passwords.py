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

from statuspage.access import breached_passwords
from statuspage.core.errors import Invalid

LEAST_PASSWORD = 15
LEAST_WITH_SECOND_FACTOR = 12
MOST_PASSWORD = 200
_LEAST_DISTINCT = 5
_SHORTEST_WORD = 3
# Letters beside what is common: fewer are no secret.
_LEAST_LEFT = 4
# What the most common passwords of that length are made of, in the lists of breached ones that are
# published: these words, and ways along a keyboard.
_COMMON = frozenset(
    [
        "abc", "access", "admin", "administrator", "alexander", "amor", "america", "angel",
        "arsenal", "autumn", "baby", "babygirl", "baseball", "basketball", "batman", "beautiful",
        "because", "blessed", "bonjour", "butterfly", "changeme", "charlie", "chelsea",
        "chocolate", "christ", "church", "company", "computer", "correcthorsebatterystaple",
        "default", "dragon", "facebook", "family", "football", "forever", "freedom", "friends",
        "god", "google", "guest", "hello", "heaven", "hunter", "iloveu",
        "iloveyou", "instagram", "internet", "jennifer", "jessica", "jesus", "jordan", "justin",
        "killer", "letmein", "liverpool", "login", "love", "loveyou", "madrid", "manchester",
        "master", "michael", "money", "monkey", "monitoring", "music", "myname", "mynameis",
        "nothing", "online", "passw0rd", "password", "passwort", "pokemon", "princess", "private",
        "qwerty", "root", "secret", "shadow", "sommer", "spiderman", "spring", "starwars",
        "status", "statuspage", "summer", "sunshine", "superman", "test", "testing",
        "thequickbrownfox", "thisis", "trustno", "united", "user", "welcome", "whatever",
        "willkommen", "winter", "yourname",
    ]
)  # fmt: skip
_WAYS = (
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm"),
    *("1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "abcdefghijklmnopqrstuvwxyz"),
    *("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "zaq1xsw2cde3vfr4bgt5nhy6mju7", "zaq12wsxcde34rfv"),
    "qazwsxedcrfvtgbyhnujmikolp",
)
_STRIDE = 4
_STEPS = frozenset(
    way[start : start + _STRIDE]
    for path in _WAYS
    for way in (path, path[::-1])
    for start in range(len(path) - _STRIDE + 1)
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
    second factor; nothing that is made of the most common passwords or of the account's own words,
    and nothing from a breach where BREACHED_PASSWORDS_URL is set.
    """
    password = unicodedata.normalize("NFKC", text)
    least = LEAST_WITH_SECOND_FACTOR if has_second_factor else LEAST_PASSWORD
    if len(password) < least:
        raise Invalid(field, f"Use at least {least} characters")
    if len(password) > MOST_PASSWORD:
        raise Invalid(field, f"Use at most {MOST_PASSWORD} characters")
    if len(set(password)) < _LEAST_DISTINCT or _is_common(password, f"{email} {name}"):
        raise Invalid(field, "Use a password that is harder to guess")
    if breached_passwords.is_breached(password):
        raise Invalid(field, "This password is known from a breach. Use another")
    return password


def _is_common(password: str, own: str) -> bool:
    """Whether little is left of a password without what is common and the account's own words."""
    own_words = [word for word in re.split(r"\W+", own.casefold()) if len(word) >= _SHORTEST_WORD]
    words = sorted({*_COMMON, *own_words}, key=len, reverse=True)
    plain = password.casefold().translate(_UNDISGUISED)
    for form in (password.casefold(), plain):
        left = re.sub("|".join(re.escape(word) for word in words), "", _without_ways(form))
        if len(re.sub(r"[\W\d_]", "", left)) < _LEAST_LEFT:
            return True
    return False


def _without_ways(text: str) -> str:
    """A text without what runs along a keyboard or the alphabet."""
    on_the_way = {
        place
        for start in range(len(text))
        if text[start : start + _STRIDE] in _STEPS
        for place in range(start, start + _STRIDE)
    }
    return "".join(one for place, one in enumerate(text) if place not in on_the_way)


def random_password(groups: int = 5) -> str:
    """Groups of four letters and digits that are not mistaken for one another: 20 bits each."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    made = ("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(groups))
    return "-".join(made)


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
