"""Who did what, before and after: an entry joins its caller's transaction, or neither is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from statuspage.access import audit_chain
from statuspage.access.permissions import EVERYTHING, Forbidden, Permission, is_let_through
from statuspage.models import AuditEntry

# Halves of surrogate pairs: what Python makes of bytes in a name that are not UTF-8 (PEP 383).
_HALF = re.compile("[\ud800-\udfff]")

# What no trail may hold, by its name.
_SECRET = re.compile("password|secret|token|credential", re.IGNORECASE)
_MASK = "•••"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, an API key, or a part of the service itself; and what they may do."""

    name: str
    account_id: int | None = None
    permissions: frozenset[Permission] = frozenset()
    # With what they act, and from where: no part of who they are.
    origin: str = field(default="", compare=False)
    address: str = field(default="", compare=False)
    # The sign-in that they act by; None for whoever has none.
    sign_in_id: int | None = field(default=None, compare=False)


SYSTEM = Actor("system", permissions=EVERYTHING, origin="worker")
COMMAND_LINE = Actor("command line", permissions=EVERYTHING, origin="command line")


def record(
    session: Session,
    actor: Actor,
    action: str,
    *,
    subject_kind: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry, chained when the transaction commits.

    ``action`` is a verb such as ``incident.declare``, values become plain JSON.

    Names of files may hold bytes that are no text, which no database takes: they become U+FFFD.
    Raises :class:`~.permissions.Forbidden` where the verb never asked whether its actor may.
    """
    if actor not in {SYSTEM, COMMAND_LINE} and not is_let_through():
        raise Forbidden(None)
    entry = AuditEntry(
        account_id=actor.account_id,
        actor=_whole(actor.name),
        action=action,
        subject_kind=subject_kind,
        subject=_whole(subject),
        before=_plain(before),
        after=_plain(after),
        origin=_whole(actor.origin),
        address=_whole(actor.address),
    )
    audit_chain.append(session, entry)


def _whole(text: str) -> str:
    return _HALF.sub("\ufffd", text)


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        key: _MASK if _SECRET.search(key) and value else _plain_value(value)
        for key, value in values.items()
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_value(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _whole(str(value))
