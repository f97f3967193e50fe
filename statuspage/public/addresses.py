"""The public addresses, each once: its rule, what it is about, and how its document is drafted.

The edition, its pages in other languages, the export, the middleware and Flask's routes all go by
:data:`ADDRESSES`.  Static files have addresses of their own (:mod:`statuspage.public.assets`), and
forms and the links in mail (:mod:`statuspage.public.subscription_pages`) are no documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar

from statuspage.core.languages import BY_SEGMENT, OFFERED, prefix
from statuspage.core.links import Links
from statuspage.models.columns import CODE
from statuspage.public import (
    api_v2,
    badges,
    calendar,
    feed_formats,
    feeds,
    html_pages,
    og_image,
    openapi,
    queries,
    sitemap,
    widget,
)
from statuspage.public.document import HTML, TEXT, XML, DocumentDraft
from statuspage.public.feeds import Feed
from statuspage.public.mail_form import Tree
from statuspage.public.queries import Site
from statuspage.public.search import Asked, SearchResult
from statuspage.public.snapshot import (
    ComponentPageView,
    ComponentView,
    Frame,
    GroupView,
    IncidentView,
    MonthView,
    NoticeView,
    PageView,
)
from statuspage.public.statements import FEED_INCIDENTS, FEED_UPDATES, RECENT_INCIDENTS
from statuspage.public.view_store import Views

# Beside those that are open.
MOST_INCIDENTS_READY: Final = 5

T = TypeVar("T")
Drafter = Callable[[Frame, T, Links], DocumentDraft]
"""Makes the document of a subject, in the language of the frame."""


class Content:
    """An edition's views, with what several of its documents need, worked out once."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.snapshot = views.snapshot
        self.frame = views.snapshot.frame
        self.months = views.months
        self.links = views.links

    @cached_property
    def incidents(self) -> list[IncidentView]:
        """The incidents that the page and the feeds link to, each once, newest first."""
        snapshot = self.snapshot
        found = [
            *snapshot.open_incidents,
            *snapshot.active,
            *snapshot.upcoming,
            *(incident for day in snapshot.days for incident in day.incidents),
            *snapshot.recent,
            *(incident for incident, _ in snapshot.updates),
        ]
        by_code = {incident.code: incident for incident in found}
        return sorted(by_code.values(), key=attrgetter("begins_at"), reverse=True)

    @property
    def current_incidents(self) -> list[IncidentView]:
        """Those that many read: the newest few, and whatever is open."""
        newest, older = self.incidents[:MOST_INCIDENTS_READY], self.incidents[MOST_INCIDENTS_READY:]
        return [*newest, *(incident for incident in older if incident.is_open)]

    @property
    def earlier_incidents(self) -> list[IncidentView]:
        """The others."""
        older = self.incidents[MOST_INCIDENTS_READY:]
        return [incident for incident in older if not incident.is_open]

    @cached_property
    def api(self) -> dict[str, bytes]:
        """The documents of ``/api/v2`` by their paths."""
        return api_v2.api_documents(self.snapshot, self.links)

    def frames(self) -> Iterator[tuple[str, Frame]]:
        """The frame in each language other than the page's own, by the prefix of its addresses."""
        own = self.frame.page.language
        for language in OFFERED:
            if language.code != own:
                frame = replace(self.frame, read_in=language.code)
                yield prefix(language.code, own=own), frame


# Subjects.


@dataclass(frozen=True, slots=True)
class Subject(Generic[T]):
    """What an address can be about.

    ``name`` is what stands in the address in place of the rule's placeholder; names that do not
    match ``names`` are unknown without a look at the database.  ``read`` finds the subject of a
    name, or None; without it the subject is only ever part of an edition.  ``ready`` are those
    whose documents are made with an edition, ``later`` those whose documents are made of its views
    when somebody first asks, and ``known`` those of which its views tell everything.
    """

    name: Callable[[T], str]
    names: re.Pattern[str]
    read: Callable[[Site, str], T | None] | None = None
    ready: Callable[[Content], Iterable[T]] = lambda content: ()
    later: Callable[[Content], Iterable[T]] = lambda content: ()
    known: Callable[[Content], Iterable[T]] = lambda content: ()


class RecentIncidents(NamedTuple):
    """A component or a group with its most recent incidents, newest first."""

    part: ComponentView | GroupView
    incidents: tuple[IncidentView, ...]


class SearchPage(NamedTuple):
    """What was searched for in the history, and what was found."""

    tree: Tree
    asked: Asked
    found: SearchResult


def _known_incidents(content: Content) -> set[IncidentView]:
    recent = (incident for view in content.views.components for incident in view.incidents)
    listed = (*content.snapshot.incidents, *content.snapshot.maintenances)
    return {*content.incidents, *listed, *recent}


def _find_component(site: Site, code: str) -> ComponentView | None:
    living = (view for view in site.by_key.values() if not view.is_removed)
    return next((view for view in living if view.code == code), None)


def _read_component_page(site: Site, code: str) -> ComponentPageView | None:
    component = _find_component(site, code)
    return queries.read_component_page(site, component) if component else None


def _read_recent(site: Site, code: str) -> RecentIncidents | None:
    groups = (item for item in site.tree if isinstance(item, GroupView))
    part = _find_component(site, code) or next((each for each in groups if each.code == code), None)
    return RecentIncidents(part, queries.read_recent_incidents(site, part)) if part else None


def _known_recent(content: Content) -> Iterator[RecentIncidents]:
    incidents = {view.component.code: view.incidents for view in content.views.components}
    for view in content.views.components:
        yield RecentIncidents(view.component, view.incidents)
    for group in content.snapshot.tree if incidents else ():
        if isinstance(group, GroupView):
            found = {each for part in group.components for each in incidents.get(part.code, ())}
            newest = sorted(found, key=attrgetter("begins_at", "code"), reverse=True)
            yield RecentIncidents(group, tuple(newest[:RECENT_INCIDENTS]))


def month_name(month: date, number: int = 1) -> str:
    """What stands for a page of a month in its address: ``2026-03``, ``2026-03/2``."""
    return html_pages.history_path(month, number).removeprefix("/history/")


def _read_month(site: Site, name: str) -> MonthView | None:
    """A page of a month, or the last one, saying so, where it has not so many."""
    month, _, number = name.partition("/")
    day, asked = date.fromisoformat(f"{month}-01"), int(number or 1)
    found = queries.read_month(site, day, number=asked)
    if found or asked == 1:
        return found
    first = queries.read_month(site, day)
    last = queries.read_month(site, day, number=first.pages) if first else None
    return replace(last, asked=asked) if last else None


def _branding_files(page: PageView) -> dict[str, DocumentDraft]:
    return {
        path.removeprefix("/look/"): DocumentDraft(content, content_type)
        for path, content, content_type in page.own_look.files()
    }


SITE: Final[Subject[Content]] = Subject(
    name=lambda content: "", names=re.compile(""), ready=lambda content: (content,)
)
# What few ask for, or what takes long to make.
SITE_LATER: Final[Subject[Content]] = Subject(
    name=lambda content: "", names=re.compile(""), later=lambda content: (content,)
)
INCIDENT: Final[Subject[IncidentView]] = Subject(
    name=attrgetter("code"),
    names=CODE,
    read=queries.read_incident,
    ready=lambda content: content.current_incidents,
    later=lambda content: content.earlier_incidents,
    known=_known_incidents,
)
NOTICE: Final[Subject[NoticeView]] = Subject(
    name=attrgetter("code"),
    names=CODE,
    read=queries.read_notice,
    ready=lambda content: content.snapshot.notices,
)
MONTH: Final[Subject[MonthView]] = Subject(
    name=lambda month: month_name(month.month, month.number),
    names=re.compile(r"(19[7-9]\d|2\d{3})-(0[1-9]|1[0-2])(/(?!1$)[1-9]\d{0,4})?", re.ASCII),
    read=_read_month,
    later=lambda content: content.months,
)
COMPONENT: Final[Subject[ComponentView]] = Subject(
    name=attrgetter("code"),
    names=CODE,
    read=_find_component,
    later=lambda content: content.snapshot.components,
)
COMPONENT_PAGE: Final[Subject[ComponentPageView]] = Subject(
    name=attrgetter("component.code"),
    names=CODE,
    read=_read_component_page,
    known=lambda content: content.views.components,
)
# Statuspage's JSON lists groups among the components, with codes of their own.
COMPONENT_OR_GROUP: Final[Subject[RecentIncidents]] = Subject(
    name=attrgetter("part.code"), names=CODE, read=_read_recent, known=_known_recent
)
BRANDING_FILE: Final[Subject[tuple[str, DocumentDraft]]] = Subject(
    name=lambda file: file[0],
    names=re.compile(r"[\w.+-]+", re.ASCII),
    read=lambda site, name: next(
        (file for file in _branding_files(site.page).items() if file[0] == name), None
    ),
    ready=lambda content: _branding_files(content.snapshot.page).items(),
)
SEARCH: Final[Subject[SearchPage]] = Subject(name=lambda page: "", names=re.compile(""))


# Drafters.


def _page(render: Callable[[Frame, T, Links], str], *, cached: int = 0) -> Drafter[T]:
    """Drafts a page.

    So many are ``cached``, in the page's own language: the others would only push them out.
    """

    def draft(frame: Frame, subject: T, links: Links) -> DocumentDraft:
        return DocumentDraft(render(frame, subject, links), HTML)

    keep = lru_cache(maxsize=cached)(draft)

    def draft_or_keep(frame: Frame, subject: T, links: Links) -> DocumentDraft:
        return (draft if frame.read_in or not cached else keep)(frame, subject, links)

    return draft_or_keep


_draft_subscribe = _page(html_pages.render_subscribe, cached=2)
_draft_sign_up_sent: Drafter[None] = _page(
    lambda frame, _, links: html_pages.render_sign_up_sent(frame, links), cached=2
)
_draft_month = _page(html_pages.render_history, cached=8)


def _render_home(frame: Frame, content: Content, links: Links) -> str:
    return html_pages.render_home(replace(content.snapshot, frame=frame), links)


def _render_components(frame: Frame, content: Content, links: Links) -> str:
    snapshot = content.snapshot
    return html_pages.render_components(frame, snapshot.tree, snapshot.uptimes, links)


def _render_search(frame: Frame, page: SearchPage, links: Links) -> str:
    return html_pages.render_search(frame, page.tree, links, asked=page.asked, found=page.found)


@lru_cache(maxsize=512)
def _incident_json(page: PageView, incident: IncidentView, links: Links) -> DocumentDraft:
    content = api_v2.incident_document(page, incident, links)
    return DocumentDraft(content, api_v2.CONTENT_TYPE, cors=True)


@lru_cache(maxsize=1)
def _openapi(links: Links) -> DocumentDraft:
    content = api_v2.write_json(openapi.describe("public", links))
    return DocumentDraft(content, api_v2.CONTENT_TYPE, cors=True)


@lru_cache(maxsize=2)
def _calendar(page: PageView, maintenances: Sequence[IncidentView], links: Links) -> DocumentDraft:
    content = calendar.write_calendar(page, maintenances, links)
    return DocumentDraft(content, calendar.CONTENT_TYPE, cors=True)


def _widget(frame: Frame, _content: Content, _links: Links) -> DocumentDraft:
    script = widget.draw_widget(frame.page.language)
    return DocumentDraft(script, widget.CONTENT_TYPE, cors=True)


def _preview(*, is_confirmed: bool) -> Drafter[Content]:
    def draft(frame: Frame, _content: Content, links: Links) -> DocumentDraft:
        drawn = og_image.draw_preview(frame, host=links.host, is_confirmed=is_confirmed)
        return DocumentDraft(drawn, og_image.CONTENT_TYPE)

    return draft


def _page_badge(frame: Frame, _content: Content, _links: Links) -> DocumentDraft:
    return DocumentDraft(badges.page_badge(frame), badges.CONTENT_TYPE, cors=True)


def _component_badge(frame: Frame, component: ComponentView, _links: Links) -> DocumentDraft:
    return DocumentDraft(badges.component_badge(component, frame), badges.CONTENT_TYPE, cors=True)


def _sitemap(_frame: Frame, content: Content, links: Links) -> DocumentDraft:
    return DocumentDraft(
        sitemap.write_sitemap(content.snapshot, content.incidents, content.months, links), XML
    )


@lru_cache(maxsize=64)
def _feed_in(form: str, feed: Feed, links: Links) -> DocumentDraft:
    write, content_type = feed_formats.FORMATS[form]
    return DocumentDraft(write(feed, links), content_type, cors=True)


def _feed(make: Callable[[PageView, T, Links], Feed], form: str) -> Drafter[T]:
    return lambda frame, subject, links: _feed_in(form, make(frame.page, subject, links), links)


# The table.


@dataclass(frozen=True, slots=True, eq=False)
class PublicAddress(Generic[T]):
    """One kind of public address; ``rule`` is Werkzeug's, with a placeholder at most.

    A document that ``has_languages`` is a page, and has an address in every language; what its
    subject has ready is made in other languages when somebody first asks.  What is ``on_demand``
    is made of the database; while that is away, of the edition's views.
    """

    rule: str
    subject: Subject[T]
    draft: Drafter[T]
    has_languages: bool = False
    on_demand: bool = False

    def path(self, name: str = "") -> str:
        """The address of the subject of that name, in the page's own language."""
        return self.rule.replace("<name>", name).replace("<path:name>", name)

    def path_of(self, subject: T) -> str:
        """The address of a subject, in the page's own language."""
        return self.path(self.subject.name(subject))

    @property
    def pattern(self) -> str:
        """A regular expression of the addresses, in all languages."""
        own = re.escape(self.rule).replace("<name>", "[^/]+").replace("<path:name>", ".+")
        return f"{_LANGUAGES}{own}" if self.has_languages else own


_LANGUAGES: Final = f"(?:/(?:{'|'.join(BY_SEGMENT)}))?"


def _updates_feed(page: PageView, content: Content, links: Links) -> Feed:
    snapshot = content.snapshot
    return feeds.updates_feed(page, snapshot.updates, links, notices=snapshot.notices)


def _history_feed(page: PageView, content: Content, links: Links) -> Feed:
    return feeds.history_feed(page, content.snapshot.recent, links)


@lru_cache(maxsize=8)
def _recent_updates_feed(page: PageView, recent: RecentIncidents, links: Links) -> Feed:
    told = feeds.newest_told(recent.incidents, most=FEED_UPDATES)
    return feeds.updates_feed(page, told, links, part=recent.part)


@lru_cache(maxsize=8)
def _recent_history_feed(page: PageView, recent: RecentIncidents, links: Links) -> Feed:
    incidents = recent.incidents[:FEED_INCIDENTS]
    return feeds.history_feed(page, incidents, links, part=recent.part)


def _api(rule: str, subject: Subject[Content] = SITE) -> PublicAddress[Content]:
    def draft(_frame: Frame, content: Content, _links: Links) -> DocumentDraft:
        return DocumentDraft(content.api[rule], api_v2.CONTENT_TYPE, cors=True)

    return PublicAddress(rule, subject, draft)


INCIDENT_PAGE: Final = PublicAddress(
    "/incidents/<name>",
    INCIDENT,
    _page(html_pages.render_incident, cached=512),
    has_languages=True,
)
INCIDENT_JSON: Final = PublicAddress(
    "/api/v2/incidents/<name>.json",
    INCIDENT,
    lambda frame, incident, links: _incident_json(frame.page, incident, links),
)
INCIDENT_FEEDS: Final = tuple(
    PublicAddress(
        f"/incidents/<name>/updates.{form}",
        INCIDENT,
        _feed(feeds.incident_feed, form),
        on_demand=True,
    )
    for form in feed_formats.FORMATS
)
NOTICE_PAGE: Final = PublicAddress(
    "/notices/<name>", NOTICE, _page(html_pages.render_notice, cached=64), has_languages=True
)
MONTH_PAGE: Final = PublicAddress("/history/<path:name>", MONTH, _draft_month, has_languages=True)
FRONT_PAGE: Final = PublicAddress("/", SITE, _page(_render_home), has_languages=True)
COMPONENT_PAGES: Final = PublicAddress(
    "/components/<name>",
    COMPONENT_PAGE,
    _page(html_pages.render_component),
    has_languages=True,
    on_demand=True,
)
RECENT_FEEDS: Final = tuple(
    PublicAddress(
        f"/components/<name>/{name}.{form}", COMPONENT_OR_GROUP, _feed(make, form), on_demand=True
    )
    for name, make, forms in (
        ("updates", _recent_updates_feed, feed_formats.FORMATS),
        ("history", _recent_history_feed, feed_formats.OF_HISTORY),
    )
    for form in forms
)
SEARCH_PAGE: Final = PublicAddress(
    "/search", SEARCH, _page(_render_search), has_languages=True, on_demand=True
)

ADDRESSES: Final[tuple[PublicAddress[Any], ...]] = (
    FRONT_PAGE,
    PublicAddress(
        "/history",
        SITE,
        lambda frame, content, links: _draft_month(frame, content.months[0], links),
        has_languages=True,
    ),
    MONTH_PAGE,
    PublicAddress(
        "/subscribe",
        SITE_LATER,
        lambda frame, content, links: _draft_subscribe(frame, content.snapshot.tree, links),
        has_languages=True,
    ),
    PublicAddress(
        "/subscribe/sent",
        SITE_LATER,
        lambda frame, _, links: _draft_sign_up_sent(frame, None, links),
        has_languages=True,
    ),
    INCIDENT_PAGE,
    INCIDENT_JSON,
    NOTICE_PAGE,
    _api("/api/v2/summary.json"),
    _api("/api/v2/status.json"),
    _api("/api/v2/components.json"),
    _api("/api/v2/incidents.json", SITE_LATER),
    _api("/api/v2/incidents/unresolved.json"),
    _api("/api/v2/scheduled-maintenances.json", SITE_LATER),
    _api("/api/v2/scheduled-maintenances/upcoming.json"),
    _api("/api/v2/scheduled-maintenances/active.json"),
    PublicAddress("/api/openapi.json", SITE, lambda frame, content, links: _openapi(links)),
    *(
        PublicAddress(f"/history.{form}", SITE, _feed(_history_feed, form))
        for form in feed_formats.OF_HISTORY
    ),
    *(
        PublicAddress(f"/updates.{form}", SITE, _feed(_updates_feed, form))
        for form in feed_formats.FORMATS
    ),
    PublicAddress(
        "/maintenances.ics",
        SITE,
        lambda frame, content, links: _calendar(frame.page, content.snapshot.maintenances, links),
    ),
    PublicAddress(og_image.PATH, SITE, _preview(is_confirmed=True)),
    PublicAddress(og_image.UNCONFIRMED_PATH, SITE, _preview(is_confirmed=False)),
    PublicAddress("/badge.svg", SITE, _page_badge),
    PublicAddress("/components/<name>/badge.svg", COMPONENT, _component_badge),
    PublicAddress("/look/<name>", BRANDING_FILE, lambda frame, file, links: file[1]),
    PublicAddress("/widget.js", SITE, _widget),
    PublicAddress(
        "/robots.txt",
        SITE,
        lambda frame, content, links: DocumentDraft(sitemap.write_robots(links), TEXT),
    ),
    PublicAddress("/sitemap.xml", SITE_LATER, _sitemap),
    PublicAddress("/components", SITE_LATER, _page(_render_components), has_languages=True),
    COMPONENT_PAGES,
    *RECENT_FEEDS,
    *INCIDENT_FEEDS,
    SEARCH_PAGE,
)

PUBLIC: Final = re.compile("|".join(address.pattern for address in ADDRESSES))
"""Every public address, in all languages."""
