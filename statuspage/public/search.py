"""Searching the history: which incidents hold some words, concern a component, are of a kind.

No index of words is kept: the newest incidents are read until a page is full, and so many at most
that nobody waits.  Whoever wants what is older goes on from there.  So it finds parts of words, in
every script, on either database, and a post costs nothing more.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Row, Select, and_, or_, select

from statuspage.core.enums import Kind
from statuspage.models import Incident, IncidentComponent
from statuspage.public import statements
from statuspage.public.queries import Site, read_incidents
from statuspage.public.snapshot import ComponentView, IncidentView

RESULTS_ON_A_PAGE: Final = 20
# What a search reads at most: some hundredths of a second.
MOST_INCIDENTS_READ: Final = 2000
INCIDENTS_AT_A_TIME: Final = 250
MOST_CHARACTERS: Final = 100
MOST_WORDS: Final = 8


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for; empty is everything.

    ``words`` must all be in an incident, in its title or in a post, as parts of words, however they
    are capitalised and in whichever of Unicode's forms: full-width, half-width, composed or not.
    ``component`` and ``before`` are codes: of a component, and of the incident after which to go
    on.
    """

    words: str = ""
    component: str = ""
    kind: Kind | None = None
    before: str = ""

    @property
    def needles(self) -> tuple[str, ...]:
        """The words as they are compared."""
        return tuple(_folded(self.words[:MOST_CHARACTERS]).split()[:MOST_WORDS])


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked of the history, and what of it was not understood.

    ``kind`` is one that there is not; ``is_cut``: more came than is looked for.
    """

    search: Search
    kind: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search came to, newest first.

    ``component`` is the one that was asked for, None where there is no such; ``is_from_newest``:
    there is no such incident as the one to go on from.  ``further`` is the code to go on from,
    empty at the beginning of the history, and ``looked_back_to`` when the oldest incident looked at
    began.
    """

    incidents: tuple[IncidentView, ...]
    component: ComponentView | None
    is_from_newest: bool
    further: str
    looked_back_to: datetime | None


def find_incidents(site: Site, search: Search) -> SearchResult:
    """The next page of what the public may see of it."""
    component = _component(site, search.component)
    last = _place(site, search.before)
    is_from_newest = last is None
    keys: list[int] = []
    read = 0
    further = ""
    while read < MOST_INCIDENTS_READ and not further:
        rows = _next_incidents(site, search, component, last)
        read += len(rows)
        matching = _matching(site, rows, search.needles)
        for row in rows:
            if row.id in matching:
                if len(keys) == RESULTS_ON_A_PAGE:
                    further = last.code if last else ""
                    break
                keys.append(row.id)
            last = row
        if len(rows) < INCIDENTS_AT_A_TIME:
            break
    else:
        further = further or (last.code if last else "")
    return SearchResult(
        incidents=tuple(read_incidents(site, keys, whole=False).values()),
        component=component,
        is_from_newest=is_from_newest,
        further=further,
        looked_back_to=last.begins_at if last else None,
    )


Place = Row[int, str, datetime, str]
"""An incident's key, code, beginning and title."""

_PLACES: Final = select(Incident.id, Incident.code, Incident.begins_at, Incident.title)


def _component(site: Site, code: str) -> ComponentView | None:
    return next((view for view in site.by_key.values() if view.code == code), None)


def _place(site: Site, code: str) -> Place | None:
    if not code:
        return None
    return site.connection.execute(
        _PLACES.where(Incident.code == code, statements.gate(Incident))
    ).one_or_none()


def _next_incidents(
    site: Site, search: Search, component: ComponentView | None, last: Place | None
) -> Sequence[Place]:
    statement: Select[int, str, datetime, str] = (
        _PLACES.where(*statements.IS_HISTORY)
        .order_by(Incident.begins_at.desc(), Incident.id.desc())
        .limit(INCIDENTS_AT_A_TIME)
    )
    if search.kind is not None:
        statement = statement.where(Incident.kind == search.kind)
    if component is not None:
        key = next(key for key, view in site.by_key.items() if view is component)
        statement = statement.join(IncidentComponent).where(IncidentComponent.component_id == key)
    if last is not None:
        statement = statement.where(
            or_(
                Incident.begins_at < last.begins_at,
                and_(Incident.begins_at == last.begins_at, Incident.id < last.id),
            )
        )
    return site.connection.execute(statement, {"until": site.tomorrow}).all()


def _matching(site: Site, rows: Sequence[Place], needles: Sequence[str]) -> set[int]:
    """The keys of those that hold all words."""
    if not needles:
        return {row.id for row in rows}
    texts: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        texts[row.id].append(row.title)
    keys = {"keys": [row.id for row in rows]}
    for key, body in site.connection.execute(statements.BODIES, keys):
        texts[key].append(body)
    return {
        key
        for key, parts in texts.items()
        if all(needle in text for text in [_folded("\n".join(parts))] for needle in needles)
    }


def _folded(text: str) -> str:
    """A text as it is compared: a caseless match of compatibility forms (Unicode, 3.13, D146)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
