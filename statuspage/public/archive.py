"""What an edition leaves out, named as a whole: every incident, every month, every component's
feeds.

A :func:`survey` looks at the whole history at once, cheaply, and says of each part what it is made
of, so that whoever keeps copies of the parts knows which of them to make again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from statuspage.core.enums import MaintenanceStatus
from statuspage.core.languages import OFFERED, prefix
from statuspage.core.links import Links
from statuspage.public import api_v2, feeds, html_pages, statements
from statuspage.public.days import following_month, midnight
from statuspage.public.edition_builder import (
    DocumentDraft,
    draft_component,
    draft_feed,
    draft_incident,
    draft_incident_json,
    draft_month,
)
from statuspage.public.ongoing import continues_in
from statuspage.public.queries import (
    INCIDENTS_ON_A_PAGE,
    Site,
    read_component_incidents,
    read_component_page,
    read_frame,
    read_incidents,
    read_month,
    read_uptimes,
)
from statuspage.public.snapshot import ComponentView, Frame, IncidentView, MonthView
from statuspage.public.statements import RECENT_INCIDENTS


class PartKind(StrEnum):
    """What a part of the site is; the first three are an incident's."""

    PAGE = "page"
    JSON = "json"
    FEEDS = "feeds"
    COMPONENT = "component"
    STANDING = "standing"
    MONTH = "month"
    # An incident's page or a month's in all languages that are not the page's own.
    TRANSLATED = "translated"


class Part(NamedTuple):
    """Documents that change together; a tuple, because there are tens of thousands.

    ``name`` is a code, or an address in the page's own language where the part is a month's or
    translated; ``key`` the row of an incident.  ``own`` changes with what the part tells,
    ``around`` with what it shows besides, such as the page's name or a banner.  Both mean something
    within one process only.  A component's page has a part in each ``language``, whose addresses
    begin with ``before``; what is translated as a whole names the page's own language there.
    """

    kind: PartKind
    name: str
    own: int
    around: int
    key: int = 0
    language: str = ""
    before: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """Its documents' addresses."""
        match self.kind:
            case PartKind.PAGE:
                return (f"/incidents/{self.name}",)
            case PartKind.JSON:
                return (api_v2.incident_path(self.name),)
            case PartKind.FEEDS:
                home = html_pages.incident_path(self.name)
                return tuple(f"{home}/updates.{each}" for each in feeds.ENDINGS["updates"])
            case PartKind.COMPONENT:
                home = html_pages.component_path(self.name)
                formats = feeds.ENDINGS.items()
                return tuple(f"{home}/{name}.{each}" for name, ends in formats for each in ends)
            case PartKind.STANDING:
                return (self.before + html_pages.component_path(self.name),)
            case PartKind.MONTH:
                return (self.name,)
            case PartKind.TRANSLATED:
                return tuple(before + self.name for _, before in _others(self.language))


@lru_cache(maxsize=8)
def _others(own: str) -> tuple[tuple[str, str], ...]:
    """The other languages, with what their addresses begin with."""
    befores = ((language.code, prefix(language.code, own=own)) for language in OFFERED)
    return tuple((code, before) for code, before in befores if before)


class _Glance(NamedTuple):
    """An incident in a survey: enough to know it again."""

    key: int
    code: str
    begins_at: datetime
    ended_at: datetime | None
    is_history: bool
    is_cancelled: bool
    told: int
    components: tuple[int, ...]


def survey(site: Site) -> list[Part]:
    """All parts as they stand now: components, months, and incidents, the newest first."""
    glances = list(_look(site))
    page, frame = hash(site.page), hash(read_frame(site))
    faces = {key: hash(repr(view)) for key, view in site.by_key.items()}
    months = list(_months(site, glances, frame))
    parts = [*_components(site, glances, page, frame), *months]
    for glance in glances:
        seen = hash((page, *(faces[key] for key in glance.components)))
        for kind, around in (
            (PartKind.PAGE, frame),
            (PartKind.JSON, seen),
            (PartKind.FEEDS, page),
        ):
            parts.append(Part(kind, glance.code, glance.told, around, key=glance.key))
    translated = Part(PartKind.TRANSLATED, "", 0, frame, language=site.page.language)
    for glance in glances:
        path = html_pages.incident_path(glance.code)
        parts.append(translated._replace(name=path, own=glance.told, key=glance.key))
    for month in months:
        parts.append(translated._replace(name=month.name, own=month.own, around=month.around))
    return parts


def draft_parts(
    site: Site, parts: Collection[Part], links: Links
) -> Iterator[tuple[str, DocumentDraft]]:
    """The documents of these parts, by path; an incident that is gone by now has none."""
    frame = read_frame(site)
    incidents = read_incidents(site, {part.key for part in parts if part.key})
    components = {view.code: view for view in site.by_key.values() if not view.is_removed}
    for part in parts:
        incident = incidents.get(part.key)
        if part.kind is PartKind.MONTH:
            month = _find_month(site, part.name)
            if month:
                yield part.name, draft_month(frame, month, links)
        elif part.kind is PartKind.TRANSLATED:
            yield from _draft_translated(site, frame, part, incident, links)
        elif part.kind is PartKind.COMPONENT:
            if part.name in components:
                yield from _draft_component(site, components[part.name], links)
        elif part.kind is PartKind.STANDING:
            if part.name in components:
                view = read_component_page(site, components[part.name])
                shown = replace(frame, read_in=part.language)
                yield part.paths[0], draft_component(shown, view, links)
        elif incident is None:
            continue
        elif part.kind is PartKind.PAGE:
            yield part.paths[0], draft_incident(frame, incident, links)
        elif part.kind is PartKind.JSON:
            yield part.paths[0], draft_incident_json(site.page, incident, links)
        else:
            yield from _draft_incident_feeds(site, incident, links)


def _find_month(site: Site, path: str) -> MonthView | None:
    """The month for which :func:`.html_pages.history_path` made this address."""
    _, _, month, *number = path.split("/")
    day = date.fromisoformat(f"{month}-01")
    return read_month(site, day, number=int(number[0]) if number else 1)


def _draft_translated(
    site: Site, frame: Frame, part: Part, incident: IncidentView | None, links: Links
) -> Iterator[tuple[str, DocumentDraft]]:
    month = None if part.key else _find_month(site, part.name)
    for language, before in _others(part.language):
        shown = replace(frame, read_in=language)
        if incident:
            yield before + part.name, draft_incident(shown, incident, links)
        elif month:
            yield before + part.name, draft_month(shown, month, links)


def _draft_incident_feeds(
    site: Site, incident: IncidentView, links: Links
) -> Iterator[tuple[str, DocumentDraft]]:
    feed = feeds.incident_feed(site.page, incident, links)
    for ending in feed.endings:
        yield f"{feed.path}.{ending}", draft_feed(feed, ending, links)


def _draft_component(
    site: Site, component: ComponentView, links: Links
) -> Iterator[tuple[str, DocumentDraft]]:
    incidents = read_component_incidents(site, component)
    for feed in feeds.component_feeds(site.page, component, incidents, links).values():
        for ending in feed.endings:
            yield f"{feed.path}.{ending}", draft_feed(feed, ending, links)


def _look(site: Site) -> Iterator[_Glance]:
    told: dict[int, tuple[Any, ...]] = {
        row[0]: tuple(row) for row in site.connection.execute(statements.SURVEY_POSTS)
    }
    components: dict[int, list[int]] = defaultdict(list)
    for key, component in site.connection.execute(statements.SURVEY_AFFECTED):
        components[key].append(component)
    names = {key: view.full_name for key, view in site.by_key.items()}
    tomorrow = site.tomorrow
    for row in site.connection.execute(statements.SURVEY):
        affected = tuple(sorted(components[row.id]))
        facts = (*row[3:], told.get(row.id), *(names[key] for key in affected))
        yield _Glance(
            key=row.id,
            code=row.code,
            begins_at=row.moment,
            ended_at=row.ended_at,
            is_cancelled=row.cancelled_at is not None,
            is_history=row.status != MaintenanceStatus.SCHEDULED and row.moment < tomorrow,
            told=hash(facts),
            components=affected,
        )


def _months(site: Site, glances: Sequence[_Glance], frame: int) -> Iterator[Part]:
    """A part for each page of this month, and of all from the first incident's to the last's."""
    incidents: dict[date, list[int]] = defaultdict(list)
    continued: dict[date, list[int]] = defaultdict(list)
    for glance in glances:
        if glance.is_history:
            first, *later = _months_of(site, glance)
            incidents[first].append(glance.told)
            for month in later:
                continued[month].append(glance.told)
    filled = sorted({*incidents, *continued})
    today = site.at.astimezone(site.zone).date()
    for month in sorted(_span(filled, today.replace(day=1)), reverse=True):
        told = incidents.get(month, [])
        place = bisect_left(filled, month)
        neighbours = filled[max(0, place - 1) : place + 2]
        lengths = [len(incidents.get(each, [])) for each in neighbours]
        around = hash((frame, len(told), *neighbours, *lengths))
        starts = range(0, len(told) or 1, INCIDENTS_ON_A_PAGE)
        for number, start in enumerate(starts, start=1):
            went_on = continued.get(month, []) if number == len(starts) else []
            own = hash((*told[start : start + INCIDENTS_ON_A_PAGE], *went_on))
            yield Part(PartKind.MONTH, html_pages.history_path(month, number), own, around)


def _months_of(site: Site, glance: _Glance) -> Iterator[date]:
    """The month in which an incident began, and those in which it went on."""
    month = glance.begins_at.astimezone(site.zone).date().replace(day=1)
    yield month
    this_month = site.at.astimezone(site.zone).date().replace(day=1)
    while not glance.is_cancelled and month < this_month:
        month = following_month(month)
        since = midnight(month, site.zone)
        if not continues_in(glance.begins_at, glance.ended_at, since, now=site.at):
            return
        yield month


def _span(filled: Sequence[date], this_month: date) -> set[date]:
    months = {this_month}
    month, last = (filled[0], filled[-1]) if filled else (this_month, this_month)
    while month <= last:
        months.add(month)
        month = following_month(month)
    return months


def _components(site: Site, glances: Sequence[_Glance], page: int, frame: int) -> Iterator[Part]:
    uptimes = read_uptimes(site)
    incidents: dict[int, list[int]] = defaultdict(list)
    for glance in glances:
        for key in glance.components:
            if len(incidents[key]) < RECENT_INCIDENTS:
                incidents[key].append(glance.told)
    for key, view in site.by_key.items():
        if not view.is_removed:
            around = hash((page, view.full_name))
            told = hash(tuple(incidents[key]))
            yield Part(PartKind.COMPONENT, view.code, told, around)
            own = hash((told, repr(view), uptimes[view.code]))
            standing = Part(PartKind.STANDING, view.code, own, frame)
            yield standing
            for language, before in _others(site.page.language):
                yield standing._replace(language=language, before=before)
