"""What the audit trail's entries are about: the title behind a code, and where it is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from statuspage.admin.auth import may_open
from statuspage.models import (
    AuditEntry,
    Incident,
    MaintenanceSeries,
    PublicNotice,
    Suggestion,
)

_Column = InstrumentedAttribute[str]
# By kind of subject: where the code and the title stand, and the screen of one.
_KINDS: Final[Mapping[str, tuple[_Column, _Column, str]]] = {
    "incident": (Incident.code, Incident.title, "admin.incident"),
    "maintenance": (Incident.code, Incident.title, "admin.maintenance_desk"),
    "maintenance_series": (
        MaintenanceSeries.code, MaintenanceSeries.title, "admin.maintenance_series",
    ),
    "notice": (PublicNotice.code, PublicNotice.title, "admin.notice"),
    "suggestion": (Suggestion.code, Suggestion.title, "admin.suggestion"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditSubject:
    """The title of a subject, and its address; empty where the reader may not open it."""

    title: str
    url: str


def subjects_of(
    session: Session, entries: Iterable[AuditEntry]
) -> dict[tuple[str, str], AuditSubject]:
    """By kind and code: the subjects that have a title and are still there."""
    codes = defaultdict(set)
    for entry in entries:
        if entry.subject_kind in _KINDS:
            codes[entry.subject_kind].add(entry.subject)
    found = {}
    for kind, wanted in codes.items():
        code_of, title_of, endpoint = _KINDS[kind]
        for code, title in session.execute(select(code_of, title_of).where(code_of.in_(wanted))):
            url = url_for(endpoint, code=code) if may_open(endpoint) else ""
            found[kind, code] = AuditSubject(title, url)
    return found
