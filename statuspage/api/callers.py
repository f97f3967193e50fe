"""Who calls an API: the key that a request carries, and whether it may do what is asked.

A key comes as ``Authorization: Bearer`` (RFC 6750), or as ``OAuth``, as Statuspage's own clients
send it (https://developer.statuspage.io/#section/Authentication).  There is no cookie here, so
nothing can be forged across sites.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from flask import g, request

from statuspage.access import api_keys
from statuspage.access.api_keys import KeyHolder
from statuspage.core.enums import KeyScope
from statuspage.public import http

_HEADER: Final = re.compile(r"(?:Bearer|OAuth) +([\x21-\x7e]{1,200}) *", re.IGNORECASE)


class KeyRefused(Exception):
    """The request may not be answered; an API says so in its own form."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def admit(realm: str, *, by_password: bool = False) -> KeyHolder:
    """Who holds the request's key, kept for :func:`caller`; raises :class:`KeyRefused`.

    With ``by_password`` the key may also be a password of HTTP's basic authentication.  401 without
    a key that works, 429 after too many wrong ones from one client.
    """
    challenge = f'Bearer realm="{realm}"'
    header = request.headers.get("Authorization", "")
    if not header:
        reason = "Send an API key: Authorization: Bearer …"
        raise KeyRefused(401, reason, WWW_Authenticate=challenge)
    match = _HEADER.fullmatch(header)
    token = match[1] if match else ""
    if by_password and request.authorization and request.authorization.type == "basic":
        token = request.authorization.password or ""
    try:
        holder = api_keys.use_key(token, address=http.present_address())
    except api_keys.KeyThrottled as throttled:
        raise _throttled(throttled) from None
    if holder is None:
        challenge += ', error="invalid_token"'
        raise KeyRefused(401, "This API key does not work.", WWW_Authenticate=challenge)
    g.api_caller = holder
    return holder


def refuse_signature() -> NoReturn:
    """Raise :class:`KeyRefused`: 401, or 429 after too many wrong ones from one client."""
    try:
        api_keys.count_wrong(http.present_address(), "signature")
    except api_keys.KeyThrottled as throttled:
        raise _throttled(throttled) from None
    raise KeyRefused(401, "The signature does not match the body.")


def _throttled(throttled: api_keys.KeyThrottled) -> KeyRefused:
    wait = str(int(throttled.wait.total_seconds()) + 1)
    return KeyRefused(429, "Too many wrong API keys or signatures.", Retry_After=wait)


def caller() -> KeyHolder:
    """Who holds the key of the current request, which was admitted."""
    holder: KeyHolder = g.api_caller
    return holder


def need(scope: KeyScope) -> KeyHolder:
    """The caller, whose key must have ``scope``; raises :class:`KeyRefused` with 403."""
    holder = caller()
    if not holder.may(scope):
        challenge = f'Bearer error="insufficient_scope", scope="{scope.value}"'
        reason = f"This API key lacks the scope “{scope.value}”."
        raise KeyRefused(403, reason, WWW_Authenticate=challenge)
    return holder
