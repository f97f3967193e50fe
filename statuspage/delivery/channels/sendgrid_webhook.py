"""What SendGrid posts back about each mail (its Event Webhook), read and verified.

Whoever reads these may be hostile until the signature is checked, and the body is untrusted shape
even then: everything here either gives clean values or says what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from sendgrid.helpers.eventwebhook import EventWebhook

from statuspage.delivery.channels.provider import brief

_ARMOUR = re.compile(r"-----(BEGIN|END) PUBLIC KEY-----|\s+")
_MAX_ID = 200


class EventKind(StrEnum):
    """SendGrid's names of the events that say how a mail fared; all others are ``OTHER``."""

    PROCESSED = "processed"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCE = "bounce"
    DROPPED = "dropped"
    SPAM_REPORT = "spamreport"
    UNSUBSCRIBE = "unsubscribe"
    GROUP_UNSUBSCRIBE = "group_unsubscribe"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """One event about one mail.

    ``delivery_id`` and ``attempt_id`` are None for mail that something else sent through the same
    account.  ``address`` may be empty for ``OTHER`` alone.  ``bounce_class`` is SendGrid's
    classification; ``blocked`` marks a bounce that says nothing against the address itself.
    """

    event_id: str
    kind: EventKind
    at: datetime
    address: str
    delivery_id: str | None = None
    attempt_id: str | None = None
    reason: str = ""
    bounce_class: str | None = None
    blocked: bool = False


def verify_webhook(public_key: str, body: bytes, signature: str, timestamp: str) -> bool:
    """Whether SendGrid signed exactly these bytes (ECDSA P-256 over timestamp and body).

    ``public_key`` is the base64 text that SendGrid shows, with or without its PEM frame.  Anything
    malformed, the key included, is False: it never raises.
    """
    # The two are signed as one text, so what belongs to the body must not pass for a time.
    if not (timestamp.isascii() and timestamp.isdecimal()):
        return False
    try:
        payload = body.decode()  # strictly, so that encoding it again gives the very same bytes
        return bool(_verifier(public_key).verify_signature(payload, signature, timestamp))
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        return False


def parse_events(body: bytes) -> tuple[list[Event], list[str]]:
    """The events in a webhook's body, and a sentence about each that cannot be read.

    Other systems' mail on the same account has its events in the same posts, and SendGrid posts
    all of a batch again where we refuse it: so one odd event costs no other.  ``ValueError`` where
    the body is no list at all.
    """
    entries = _load(body)
    if not isinstance(entries, list):
        raise ValueError("not a list of events")
    events: list[Event] = []
    unreadable: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            events.append(_read_event(entry))
        except ValueError as error:
            unreadable.append(f"event {number}: {error}")
    return events, unreadable


def _load(body: bytes) -> Any:
    """JSON by the strict and quick reader, or by the lenient one.

    The strict one refuses a whole body for half a surrogate pair or a NaN in one event.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None


@lru_cache(maxsize=8)
def _verifier(public_key: str) -> EventWebhook:
    return EventWebhook(_ARMOUR.sub("", public_key))


def _read_event(entry: Any) -> Event:
    if not isinstance(entry, dict):
        raise ValueError("it is not an object")
    kind = _read_kind(_text(entry, "event"))
    return Event(
        event_id=_text(entry, "sg_event_id"),
        kind=kind,
        at=_read_moment(entry.get("timestamp")),
        address=""
        if kind is EventKind.OTHER and not entry.get("email")
        else _text(entry, "email", limit=320),
        delivery_id=_text(entry, "delivery_id") if "delivery_id" in entry else None,
        attempt_id=_text(entry, "attempt_id") if "attempt_id" in entry else None,
        reason=_read_reason(entry),
        bounce_class=_text(entry, "bounce_classification")
        if entry.get("bounce_classification")
        else None,
        blocked=kind is EventKind.BOUNCE and entry.get("type") == "blocked",
    )


def _read_kind(name: str) -> EventKind:
    try:
        return EventKind(name)
    except ValueError:
        return EventKind.OTHER


def _read_moment(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("timestamp is not a number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        raise ValueError("timestamp is out of range") from None


def _read_reason(entry: Mapping[str, Any]) -> str:
    answer = entry.get("reason") or entry.get("response") or ""
    return brief(answer) if isinstance(answer, str) else ""


def _text(entry: Mapping[str, Any], key: str, *, limit: int = _MAX_ID) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is missing or no text")
    if len(value) > limit or not value.isprintable():
        raise ValueError(f"{key} is too long or holds control characters")
    return value
