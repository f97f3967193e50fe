"""The chain of the audit trail: each entry holds a hash of itself and of the one before.

An entry is chained as the last act of its transaction, one transaction at a time, so entries follow
one another in the order of their ids.  The hash is taken over the entry with every mail address,
and whatever else tells of a person, replaced by a keyed hash.  An erasure writes exactly these in
their place, so the chain stays valid.

Retention ends at a checkpoint: the last entry that is gone, signed with SECRET_KEY; the chain goes
on from there.  The database itself refuses changes and removals (triggers of the migration
``audit_chain``); whoever gets past those breaks the chain, and :func:`verify` names the place.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import delete, event, func, select, text
from sqlalchemy.orm import Session, SessionTransaction

from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import count_written, writing
from statuspage.core.keyed_hash import PREFIX, keyed_hash
from statuspage.models import AuditCheckpoint, AuditEntry

START: Final = "0" * 64
"""What the first entry follows."""
PERSONAL: Final = frozenset({"email", "name", "company", "key", "tags"})
"""What the values of an entry tell of a person, by name."""

_PENDING: Final = "pending audit entries"
# One number for all who chain on PostgreSQL; SQLite has one writer at a time anyway.
_LOCK: Final = 7_304_117
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:=&?/\\|\[\]{}]+@[\w.-]*\w")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found: ``broken_at`` is the first entry that is wrong."""

    entries: int
    unchained: int
    head: str
    broken_at: int | None = None
    reason: str = ""


def append(session: Session, entry: AuditEntry) -> None:
    """Have an entry chained and kept when the transaction commits."""
    session.info.setdefault(_PENDING, []).append(entry)


def _chain(session: Session) -> None:
    """Chain what waits, in one order for everybody."""
    if session.in_nested_transaction():
        return
    waiting: list[AuditEntry] = session.info.pop(_PENDING, [])
    if not waiting:
        return
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    head = _head(session)
    for entry in waiting:
        entry.previous, entry.at = head, clock.now()
        head = entry.hash = _hash(entry)
        session.add(entry)
        session.flush()


def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_PENDING, None)


event.listen(Session, "before_commit", _chain)
event.listen(Session, "after_transaction_end", _forget)


def verify(session: Session, *, expected: str = "") -> Verdict:
    """Check every entry and that it follows the one before; the first break is named.

    ``expected`` is a hash that was the head once: without it, entries that were taken from the end
    are not missed.
    """
    head, checkpoint = START, last_checkpoint(session)
    if checkpoint is not None:
        if checkpoint.signature != _signature(checkpoint):
            return Verdict(0, 0, "", checkpoint.until_id, "the checkpoint is not signed by us")
        head = checkpoint.hash
    seen, unchained, is_expected = 0, 0, expected in {"", head}
    rows = select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1_000)
    with session.scalars(rows) as found:
        for entry in found:
            if not entry.hash and head == START:
                unchained += 1
                continue
            wrong = _fault(entry, head)
            if wrong:
                return Verdict(seen, unchained, head, entry.id, wrong)
            head, seen = entry.hash, seen + 1
            is_expected = is_expected or head == expected
    if not is_expected:
        return Verdict(seen, unchained, head, 0, "entries are missing at the end")
    return Verdict(seen, unchained, head)


def _fault(entry: AuditEntry, head: str) -> str:
    """What is wrong with an entry that should follow the one with that hash; empty for nothing."""
    if entry.previous != head:
        return "it does not follow the one before"
    return "" if entry.hash == _hash(entry) else "its content was changed"


def last_checkpoint(session: Session) -> AuditCheckpoint | None:
    """Where the trail begins, if older entries were removed."""
    newest = select(AuditCheckpoint).order_by(AuditCheckpoint.until_id.desc()).limit(1)
    return session.scalars(newest).first()


def remove_old() -> int:
    """Remove entries past their retention, up to a signed checkpoint; how many.

    The worker's duty.
    """
    days = current_settings().audit_retention_days
    if days is None:
        return 0
    with writing() as session:
        before = clock.now() - timedelta(days=days)
        newest = select(func.max(AuditEntry.id)).scalar_subquery()
        last = session.scalars(
            select(AuditEntry)
            # The newest stays: SQLite counts on from it.
            .where(AuditEntry.at < before, AuditEntry.id < newest)
            .order_by(AuditEntry.id.desc())
            .limit(1)
        ).first()
        if last is None:
            return 0
        gone = select(func.count()).where(AuditEntry.id <= last.id)
        checkpoint = AuditCheckpoint(
            until_id=last.id,
            hash=last.hash or START,
            at=clock.now(),
            entries=session.scalar(gone) or 0,
            signature="",
        )
        checkpoint.signature = _signature(checkpoint)
        session.add(checkpoint)
        session.flush()
        return count_written(session, delete(AuditEntry).where(AuditEntry.id <= last.id))


def redact(entry: AuditEntry, address: str, known: frozenset[str]) -> None:
    """Take a person out of an entry, within the caller's transaction; the chain stays valid.

    ``known`` are the forms of the address.  Where the entry is about the address itself, whatever
    tells of its owner goes too.
    """
    is_theirs = entry.subject == address
    forms = frozenset(form.casefold() for form in (*known, address))
    entry.subject = _conceal(entry.subject, forms)
    entry.before = _redacted(entry.before, forms, whole=is_theirs)
    entry.after = _redacted(entry.after, forms, whole=is_theirs)
    entry.redacted_at = clock.now()


def _head(session: Session) -> str:
    newest = session.scalars(
        select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)
    ).first()
    if newest is None:
        checkpoint = last_checkpoint(session)
        return checkpoint.hash if checkpoint else START
    return newest or START


def _hash(entry: AuditEntry) -> str:
    content = [
        entry.previous, entry.at.isoformat(), entry.account_id, entry.actor, entry.action,
        entry.subject_kind, _conceal(entry.subject, None), entry.origin, entry.address,
        _redacted(entry.before, None, whole=True), _redacted(entry.after, None, whole=True),
    ]  # fmt: skip
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _signature(checkpoint: AuditCheckpoint) -> str:
    said = f"{checkpoint.until_id} {checkpoint.hash} {checkpoint.at.isoformat()}"
    key = f"audit checkpoint {current_settings().secret_key}".encode()
    return hmac.digest(key, f"{said} {checkpoint.entries}".encode(), "sha256").hex()


def _conceal(value: str, forms: frozenset[str] | None) -> str:
    """A text with addresses replaced by their keyed hashes; all of them where ``forms`` is None."""

    def replace(match: re.Match[str]) -> str:
        found = match[0]
        return keyed_hash(found) if forms is None or found.casefold() in forms else found

    return _ADDRESS.sub(replace, value)


def _redacted(
    values: Mapping[str, Any] | None, forms: frozenset[str] | None, *, whole: bool
) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        name: _stand_in(value) if whole and name in PERSONAL and value else _inside(value, forms)
        for name, value in values.items()
    }


def _stand_in(value: Any) -> str:
    """What stands for a personal value, whatever it is; one that is replaced already stays."""
    if isinstance(value, str) and value.startswith(PREFIX):
        return value
    return keyed_hash(json.dumps(value, sort_keys=True, ensure_ascii=False))


def _inside(value: Any, forms: frozenset[str] | None) -> Any:
    if isinstance(value, str):
        return _conceal(value, forms)
    if isinstance(value, Mapping):
        return {name: _inside(inner, forms) for name, inner in value.items()}
    if isinstance(value, list):
        return [_inside(inner, forms) for inner in value]
    return value
