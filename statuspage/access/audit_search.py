"""Finding entries of the audit trail, and showing them with mail addresses masked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from statuspage.models import AuditEntry, Incident

COLUMNS: Final = (
    "id", "at", "actor", "action", "subject_kind", "subject", "origin", "address", "before",
    "after", "previous", "hash",
)  # fmt: skip
"""What an export tells of an entry, in this order."""

_LETTER: Final = r"[^\s<>\"'(),;:=&?/\\|\[\]{}@]"
_ADDRESS: Final = re.compile(rf"({_LETTER}){_LETTER}*@(?=[\w.-])")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are asked for: by kind of subject, actor, words, and time from and until."""

    kind: str = ""
    account_id: int | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def chosen(wanted: AuditFilter) -> Select[AuditEntry]:
    """The entries of a filter, newest first.

    Words stand in subject, actor, action or origin, or in the title of an incident.
    """
    found = select(AuditEntry).order_by(AuditEntry.id.desc())
    if wanted.kind:
        found = found.where(AuditEntry.subject_kind == wanted.kind)
    if wanted.account_id is not None:
        found = found.where(AuditEntry.account_id == wanted.account_id)
    if wanted.text:
        columns = (AuditEntry.subject, AuditEntry.actor, AuditEntry.action, AuditEntry.origin)
        titled = select(Incident.code).where(Incident.title.icontains(wanted.text, autoescape=True))
        found = found.where(
            or_(
                *(column.icontains(wanted.text, autoescape=True) for column in columns),
                AuditEntry.subject.in_(titled),
            )
        )
    if wanted.since is not None:
        found = found.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(AuditEntry.at < wanted.until)
    return found


def kinds(session: Session) -> list[str]:
    """The kinds of subject that there are, by name."""
    return list(
        session.scalars(
            select(AuditEntry.subject_kind).distinct().order_by(AuditEntry.subject_kind)
        )
    )


def masked(entry: AuditEntry) -> dict[str, Any]:
    """An entry as it is shown and exported: no mail address can be read in it."""
    values = {name: getattr(entry, name) for name in COLUMNS}
    return {name: mask(value) for name, value in values.items()}


def mask(value: Any) -> Any:
    """A value whose mail addresses are cut to a letter and the domain: ``d•••@example.com``."""
    if isinstance(value, str):
        return _ADDRESS.sub(r"\1•••@", value)
    if isinstance(value, Mapping):
        return {name: mask(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [mask(inner) for inner in value]
    return value


def json_lines(session: Session, wanted: AuditFilter) -> Iterator[str]:
    """One JSON object a line for each entry, newest first."""
    for entry in _all(session, wanted):
        yield json.dumps({**masked(entry), "at": entry.at.isoformat()}, ensure_ascii=False) + "\n"


def table_rows(session: Session, wanted: AuditFilter) -> Iterator[list[str]]:
    """The same as rows of a table, with a heading; objects are JSON."""
    yield list(COLUMNS)
    for entry in _all(session, wanted):
        shown = {**masked(entry), "at": entry.at.isoformat()}
        yield [_as_cell(shown[name]) for name in COLUMNS]


def _all(session: Session, wanted: AuditFilter) -> Iterator[AuditEntry]:
    with session.scalars(chosen(wanted).execution_options(yield_per=500)) as found:
        yield from found


def _as_cell(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
