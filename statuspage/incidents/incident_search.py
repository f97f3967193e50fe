"""Finding incidents: by words, severity, component, the people on them, and days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, or_, select

from statuspage.core.enums import IncidentRole, Visibility
from statuspage.incidents.classification import as_tag
from statuspage.models import (
    Incident,
    IncidentComponent,
    IncidentNote,
    IncidentTag,
    IncidentUpdate,
)

MOST_WORDS: Final = 8
"""So many words of a search count."""


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents are asked for; what is empty asks for nothing.

    ``contact_id`` is somebody who has a role on them.  ``since`` and ``until`` keep those that went
    on at some time between them.
    """

    text: str = ""
    severity_rank: int | None = None
    component_id: int | None = None
    contact_id: int | None = None
    tag: str = ""
    cause_category: str = ""
    since: datetime | None = None
    until: datetime | None = None


def conditions(wanted: IncidentFilter) -> Iterator[ColumnElement[bool]]:
    """What an incident must fulfil; each word stands in its title, an update or a note, or is a tag
    of it or its code.
    """
    for word in wanted.text.split()[:MOST_WORDS]:
        yield or_(
            Incident.code == word,
            Incident.number == word.upper(),
            _has_tag(as_tag(word)),
            _is_noted(word),
            tells(word),
        )
    if wanted.severity_rank is not None:
        yield Incident.severity_rank == wanted.severity_rank
    if wanted.component_id is not None:
        yield Incident.affected.any(IncidentComponent.component_id == wanted.component_id)
    if wanted.contact_id is not None:
        roles = (getattr(Incident, f"{role}_id") for role in IncidentRole)
        yield or_(*(role == wanted.contact_id for role in roles))
    if wanted.tag:
        yield _has_tag(wanted.tag)
    if wanted.cause_category:
        yield Incident.cause_category == wanted.cause_category
    if wanted.since is not None:
        yield or_(Incident.resolved_at.is_(None), Incident.resolved_at >= wanted.since)
    if wanted.until is not None:
        yield Incident.started_at < wanted.until


def tells(text: str, *, in_public: bool = False) -> ColumnElement[bool]:
    """Whether the title of an incident or one of its updates holds a text, in capitals or not.

    With ``in_public`` only public updates count.
    """
    told = select(IncidentUpdate.incident_id).where(
        IncidentUpdate.body.icontains(text, autoescape=True)
    )
    if in_public:
        told = told.where(IncidentUpdate.visibility == Visibility.PUBLIC)
    return or_(Incident.title.icontains(text, autoescape=True), Incident.id.in_(told))


def _has_tag(tag: str) -> ColumnElement[bool]:
    return Incident.id.in_(select(IncidentTag.incident_id).where(IncidentTag.tag == tag))


def _is_noted(text: str) -> ColumnElement[bool]:
    noted = select(IncidentNote.incident_id).where(
        IncidentNote.body.icontains(text, autoescape=True)
    )
    return Incident.id.in_(noted)
