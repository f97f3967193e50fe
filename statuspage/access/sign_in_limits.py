"""How often a sign-in may be tried, so that guessing is slow and nobody rightful is locked out.

Tries count by the address that they come from and by the account.  A browser that has signed in to
an account before holds a token of its own and counts by that alone, so strangers who guess lock
nobody out who works here (OWASP, "Slow down online guessing attacks with device cookies",
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies).  A right
password takes its try back.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from statuspage.access import throttle
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import writing
from statuspage.core.errors import Invalid

log = logging.getLogger(__name__)

TRY_WINDOW = timedelta(minutes=15)
TRIES_BY_ADDRESS = 10
TRIES_BY_ACCOUNT = 20
TRIES_BY_BROWSER = 10

_ADDRESS, _ACCOUNT, _BROWSER = "sign-in address", "sign-in account", "sign-in browser"
_PRESENT, _CODE = "present password", "second factor"


class SignInThrottled(Invalid):
    """Too many tries; ``wait`` is how long until the next one counts."""

    def __init__(self, wait: timedelta) -> None:
        # Rounded up: who comes back at that moment must not wait again.
        shown = clock.show_duration(wait + timedelta(seconds=59))
        super().__init__("form", f"Too many attempts. Wait {shown}, then try again.")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Limit:
    """What a try counts on: at most ``most`` of ``whose`` within the window."""

    what: str
    whose: str
    most: int


def limits_of_sign_in(email: str, *, address: str, browser: str = "") -> tuple[Limit, ...]:
    """What a sign-in counts on: a known browser, else the client's address and the account."""
    if is_known(email, browser):
        return (Limit(_BROWSER, browser.partition(".")[0], TRIES_BY_BROWSER),)
    return (
        Limit(_ADDRESS, throttle.network(address), TRIES_BY_ADDRESS),
        Limit(_ACCOUNT, email, TRIES_BY_ACCOUNT),
    )


def is_known(email: str, browser: str) -> bool:
    """Whether :func:`browser_token` gave this to a browser that signed in to the account."""
    nonce, _, signature = browser.partition(".")
    return hmac.compare_digest(signature.encode(), _sign(email, nonce).encode())


def limits_of_change(email: str) -> tuple[Limit, ...]:
    """What proving the present password counts on; strangers who sign in have no part in it."""
    return (Limit(_PRESENT, email, TRIES_BY_ADDRESS),)


def limits_of_code(email: str) -> tuple[Limit, ...]:
    """What a second factor counts on; whoever tries one has shown the password."""
    return (Limit(_CODE, email, TRIES_BY_ADDRESS),)


def browser_token(email: str) -> str:
    """What a browser keeps that has signed in to an account."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_sign(email, nonce)}"


def count_try(limits: tuple[Limit, ...], *, address: str) -> None:
    """Count a try before its password is looked at, so that many at once are counted too.

    Raises :class:`SignInThrottled` past any of the limits.
    """
    with writing() as session:
        waits = [
            throttle.count_try(
                session, limit.what, limit.whose, limit=limit.most, window=TRY_WINDOW
            )
            for limit in limits
        ]
    longest = max((wait for wait in waits if wait is not None), default=None)
    if longest is not None:
        log.warning("sign-in is throttled, from %s", address)
        raise SignInThrottled(longest)


def take_back(session: Session, limits: tuple[Limit, ...]) -> None:
    """Uncount a try that was right: of an address that one alone, others may be guessing there."""
    for limit in limits:
        if limit.what == _ADDRESS:
            throttle.give_back_try(session, limit.what, limit.whose)
        else:
            throttle.forget_tries(session, limit.what, limit.whose)


def forget_account(session: Session, email: str) -> None:
    """Begin anew for an account."""
    throttle.forget_tries(session, _ACCOUNT, email)


def forget_everybody(session: Session) -> None:
    """Begin anew for all accounts, addresses and browsers."""
    for what in (_ADDRESS, _ACCOUNT, _BROWSER, _PRESENT, _CODE):
        throttle.forget_all_tries(session, what)


def _sign(email: str, nonce: str) -> str:
    key = f"browser {current_settings().secret_key}".encode()
    return hmac.digest(key, f"{nonce} {email}".encode("utf-8", "replace"), "sha256").hex()
