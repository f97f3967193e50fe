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
from typing import Any, Final, NamedTuple

from statuspage.core.enums import MaintenanceStatus
from statuspage.core.languages import OFFERED, prefix
from statuspage.core.links import Links
from statuspage.public import addresses, statements
from statuspage.public.addresses import PublicAddress
from statuspage.public.days import following_month, midnight
from statuspage.public.document import DocumentDraft
from statuspage.public.metric_views import of_component, read_metrics
from statuspage.public.ongoing import continues_in
from statuspage.public.queries import (
    INCIDENTS_ON_A_PAGE,
    Site,
    read_frame,
    read_incidents,
    read_uptimes,
)
from statuspage.public.snapshot import GroupView
from statuspage.public.statements import RECENT_INCIDENTS


class PartKind(StrEnum):
    """What a part of the site is; the first three are an incident's."""

    PAGE = "page"
    JSON = "json"
    FEEDS = "feeds"
    # A component's or a group's.
    RECENT_FEEDS = "recent feeds"
    COMPONENT = "component"
    MONTH = "month"
    NOTICE = "notice"


ADDRESSES: Final[dict[PartKind, tuple[PublicAddress[Any], ...]]] = {
    PartKind.PAGE: (addresses.INCIDENT_PAGE,),
    PartKind.JSON: (addresses.INCIDENT_JSON,),
    PartKind.FEEDS: addresses.INCIDENT_FEEDS,
    PartKind.RECENT_FEEDS: addresses.RECENT_FEEDS,
    PartKind.COMPONENT: (addresses.COMPONENT_PAGES,),
    PartKind.MONTH: (addresses.MONTH_PAGE,),
    PartKind.NOTICE: (addresses.NOTICE_PAGE,),
}
"""Which documents belong to a part; all of these are about one subject."""


class Part(NamedTuple):
    """Documents that change together; a tuple, because there are tens of thousands.

    ``name`` stands for the subject in its addresses; ``key`` is the row of an incident.  ``own``
    changes with what the part tells, ``around`` with what it shows besides, such as the page's name
    or a banner.  Both mean something within one process only.  ``languages`` are those in which the
    part is written, where these are not the page's own.  ``is_open`` is an incident that goes on.
    """

    kind: PartKind
    name: str
    own: int
    around: int
    key: int = 0
    is_open: bool = False
    languages: tuple[str, ...] = ("",)

    @property
    def is_translated(self) -> bool:
        """Whether it is a page in all languages that are not the page's own."""
        return len(self.languages) > 1

    @property
    def paths(self) -> tuple[str, ...]:
        """Its documents' addresses."""
        return tuple(
            _before(language) + address.path(self.name)
            for language in self.languages
            for address in ADDRESSES[self.kind]
        )


def _before(language: str) -> str:
    """What addresses in a language begin with; nothing in the page's own."""
    return prefix(language, own="")


def _others(site: Site) -> tuple[str, ...]:
    """The languages that are not the page's own."""
    return tuple(each.code for each in OFFERED if each.code != site.page.language)


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
    """All parts as they stand now: components, months, notices, and incidents, newest first."""
    glances = list(_look(site))
    page, frame = hash(site.page), hash(read_frame(site))
    faces = {key: hash(repr(view)) for key, view in site.by_key.items()}
    months = list(_months(site, glances, frame))
    parts = [*_components(site, glances, page, frame), *months, *_notices(site, frame)]
    for glance in glances:
        seen = hash((page, *(faces[key] for key in glance.components)))
        for kind, around in (
            (PartKind.PAGE, frame),
            (PartKind.JSON, seen),
            (PartKind.FEEDS, page),
        ):
            is_open = glance.ended_at is None and not glance.is_cancelled
            parts.append(Part(kind, glance.code, glance.told, around, glance.key, is_open))
    others = _others(site)
    pages = [part for part in parts if part.kind is PartKind.PAGE]
    parts += [part._replace(languages=others) for part in (*pages, *months)]
    return parts


def draft_parts(
    site: Site, parts: Collection[Part], links: Links
) -> Iterator[tuple[str, DocumentDraft]]:
    """The documents of these parts, by path; what is gone by now has none."""
    frame = read_frame(site)
    incidents = read_incidents(site, {part.key for part in parts if part.key})
    for part in parts:
        read = ADDRESSES[part.kind][0].subject.read
        subject = incidents.get(part.key) if part.key else read and read(site, part.name)
        for language in part.languages if subject else ():
            shown = replace(frame, read_in=language)
            for address in ADDRESSES[part.kind]:
                path = _before(language) + address.path(part.name)
                yield path, address.draft(shown, subject, links)


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


def _notices(site: Site, frame: int) -> Iterator[Part]:
    rows = site.connection.execute(statements.SURVEY_NOTICES, {"until": site.at})
    for row in rows:
        is_over = row.ends_at is not None and row.ends_at <= site.at
        own = hash((row.updated_at, is_over))
        for language in ("", *_others(site)):
            yield Part(PartKind.NOTICE, row.code, own, frame, languages=(language,))


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
            yield Part(PartKind.MONTH, addresses.month_name(month, number), own, around)


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
    uptimes, metrics = read_uptimes(site), read_metrics(site.connection)
    incidents: dict[int, list[int]] = defaultdict(list)
    for glance in glances:
        for key in glance.components:
            if len(incidents[key]) < RECENT_INCIDENTS:
                incidents[key].append(glance.told)
    for key, view in site.by_key.items():
        if not view.is_removed:
            told = hash(tuple(incidents[key]))
            yield Part(PartKind.RECENT_FEEDS, view.code, told, hash((page, view.full_name)))
            drawn = of_component(metrics, view.code)
            component = hash((told, repr(view), uptimes[view.code], drawn))
            for language in ("", *_others(site)):
                yield Part(PartKind.COMPONENT, view.code, component, frame, languages=(language,))
    by_code = {view.code: tuple(incidents[key]) for key, view in site.by_key.items()}
    for group in site.tree:
        if isinstance(group, GroupView):
            told = hash(tuple(by_code[component.code] for component in group.components))
            yield Part(PartKind.RECENT_FEEDS, group.code, told, hash((page, group.name)))
