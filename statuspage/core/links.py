"""Absolute public addresses, from ``PUBLIC_URL``, never from a request.

A request's host is whatever a client invents; a link in a mail or a feed must not be.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from flask import current_app


def delivery_token(secret_key: str, delivery_id: int) -> str:
    """A token that names a delivery and cannot be made by others; the same each time.

    The left side of the Message-ID and the end of the unsubscribe link.
    """
    return _make_token(secret_key, "delivery", delivery_id)


def read_delivery_token(secret_key: str, token: str) -> int | None:
    """The delivery that a token names; None for one that we did not make."""
    return _read_token(secret_key, "delivery", token)


def subscription_token(secret_key: str, delivery_id: int) -> str:
    """A token that lets a mail's recipient confirm or change a subscription; the same each time.

    It stands in that mail alone: a Message-ID or an unsubscribe link does not give it away.
    """
    return _make_token(secret_key, "subscription", delivery_id)


def read_subscription_token(secret_key: str, token: str) -> int | None:
    """The delivery whose recipient a token belongs to; None for one that we did not make."""
    return _read_token(secret_key, "subscription", token)


def account_token(secret_key: str, delivery_id: int) -> str:
    """A token that lets a mail's recipient choose an account's password; in that mail alone."""
    return _make_token(secret_key, "account", delivery_id)


def _make_token(secret_key: str, purpose: str, delivery_id: int) -> str:
    return f"{delivery_id}-{_signature(secret_key, purpose, delivery_id)}"


def _read_token(secret_key: str, purpose: str, token: str) -> int | None:
    number, _, signature = token.partition("-")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    genuine = _signature(secret_key, purpose, int(number))
    return int(number) if hmac.compare_digest(signature.encode(), genuine.encode()) else None


def _signature(secret_key: str, purpose: str, delivery_id: int) -> str:
    key = f"{purpose} {secret_key}".encode()
    return hmac.digest(key, str(delivery_id).encode(), "sha256").hex()[:32]


def current_links() -> Links:
    """The addresses of the app whose context this is."""
    links: Links = current_app.extensions["links"]
    return links


@dataclass(frozen=True, slots=True)
class Links:
    """Makes every public address of one installation."""

    base: str

    def to(self, path: str) -> str:
        """The absolute address of a path such as ``/history``."""
        return self.base + path

    @property
    def home(self) -> str:
        """The page itself, with its slash."""
        return self.base + "/"

    @property
    def prefix(self) -> str:
        """The path that every address begins with: ``/status``, or nothing."""
        return urlsplit(self.base).path

    @property
    def host(self) -> str:
        """The host alone, for Message-IDs and tag URIs."""
        return _host(self.base)

    def incident(self, code: str) -> str:
        """One incident's page."""
        return f"{self.base}/incidents/{quote(code)}"

    def update(self, code: str, update_code: str) -> str:
        """One post on an incident's page; also the permanent id of its feed entry when
        first made.
        """
        return f"{self.incident(code)}#update-{update_code}"

    def incident_entry(self, code: str, created_at: datetime) -> str:
        """A tag URI (RFC 4151) for an incident's feed entry; made once, then stored for ever."""
        return f"tag:{self.host},{created_at:%Y-%m-%d}:incident/{code}"

    def notice(self, code: str) -> str:
        """One notice's page."""
        return f"{self.base}/notices/{quote(code)}"

    def notice_entry(self, code: str, created_at: datetime) -> str:
        """The same as :meth:`incident_entry`, for a notice's feed entry."""
        return f"tag:{self.host},{created_at:%Y-%m-%d}:notice/{code}"

    def subscription(self, token: str, before: str = "") -> str:
        """Where a subscription is confirmed and managed; ``before`` names the language."""
        return f"{self.base}{before}/subscriptions/{quote(token)}"

    def unsubscribe(self, token: str, before: str = "") -> str:
        """Where mail is left with one click (RFC 8058); ``before`` names the language."""
        return f"{self.base}{before}/unsubscribe/{token}"

    def account(self, token: str) -> str:
        """Where the password of an account is chosen."""
        return f"{self.base}/admin/invitations/{quote(token)}"

    def admin_approval(self, approval_id: int) -> str:
        """What a second account is asked to approve, in the admin."""
        return f"{self.base}/admin/approvals/{approval_id}"

    @property
    def admin_suggestions(self) -> str:
        """What alerts suggest, in the admin."""
        return f"{self.base}/admin/suggestions"

    def admin_suggestion(self, code: str) -> str:
        """One suggestion in the admin."""
        return f"{self.admin_suggestions}/{quote(code)}"

    def admin_incident(self, code: str) -> str:
        """One incident in the admin."""
        return f"{self.base}/admin/incidents/{quote(code)}"


@lru_cache(maxsize=8)
def _host(base: str) -> str:
    # Asked for each recipient of a mail.
    return urlsplit(base).hostname or "localhost"
