"""The edition: every public document of the present and the recent past, from one read.

What an equal view was made into before is kept, so that a post costs the documents that it changes
and not the whole site; languages other than the page's own wait until somebody asks for them. What
else belongs to the present (the components' pages, feeds of one component or incident) is read
after the edition is shown, and made when somebody asks.  What the edition leaves out (older
incidents and months) is made by the same functions with a read of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial, update_wrapper
from typing import Concatenate, ParamSpec
from xml.sax.saxutils import escape

from sqlalchemy import Engine

from statuspage.core.languages import OFFERED, prefix
from statuspage.core.links import Links
from statuspage.models.revision import read_revision
from statuspage.public import api_v2, badges, feeds, html_pages, og_image, openapi, widget
from statuspage.public.assets import asset_documents
from statuspage.public.document import Document, make_document
from statuspage.public.edition import Edition
from statuspage.public.feeds import Feed
from statuspage.public.queries import (
    Site,
    component_page,
    open_site,
    read_behind,
    read_incidents,
    read_month,
    read_newest_month,
    read_on,
    read_recent_keys,
    read_snapshot,
)
from statuspage.public.search import Asked, SearchResult
from statuspage.public.snapshot import (
    ComponentPageView,
    ComponentView,
    Frame,
    IncidentView,
    MonthView,
    PageView,
    Snapshot,
)
from statuspage.public.translated_pages import Make, Versions
from statuspage.public.view_store import Views

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "application/xml; charset=utf-8"
# So many of the newest months that have incidents are ready; older ones are made on demand.
MONTHS_READY = 3
# A post waits for the step that is under way.
INCIDENTS_AT_A_STEP = 200


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document's content, before it is compressed."""

    content: str | bytes
    content_type: str
    cors: bool = False


def build_edition(
    engine: Engine,
    links: Links,
    previous: Edition | None = None,
    *,
    on_read: Callable[[], None] | None = None,
) -> Edition:
    """The edition of the database's present state; documents that did not change are kept.

    ``on_read`` is called once everything is read: what follows needs the database no more.  Raises
    what the database raises while it is away.
    """
    with open_site(engine) as site:
        number, moved_at = read_revision(site.connection)
        snapshot = read_snapshot(site)
        months = tuple(_read_months(site))
    if on_read is not None:
        on_read()
    # Not the newest time in the document: where an incident was withdrawn that would go backwards.
    last_modified = max(moved_at, snapshot.last_change_at)
    views = Views(snapshot, months, links, last_modified)
    former: Mapping[str, Document] = previous.documents if previous else {}
    documents = dict(asset_documents())
    for path, draft in draft_site(snapshot, months, links):
        documents[path] = finish(draft, last_modified, previous=former.get(path))
    return Edition(
        revision=number,
        documents=documents,
        built_at=snapshot.at,
        next_change_at=snapshot.next_change_at,
        language=snapshot.page.language,
        versions=_versions(views, previous.versions if previous else None),
        views=views,
        site=site,
    )


def complete_edition(engine: Engine, edition: Edition) -> Iterator[None]:
    """Read what belongs to an edition and was not waited for, a few incidents at each step.

    It is read as of the moment of the edition, and joins its views at the end, whole.  Page and
    components are those of the edition's own read.  Ends early where the site has moved on, for
    the next edition has its own.  Raises what the database raises while it is away.
    """
    views, site = edition.views, edition.site
    if views is None or site is None or views.components:
        return
    with read_on(engine, site) as again:
        if read_revision(again.connection)[0] != edition.revision:
            return
        recent, behind = read_recent_keys(again), read_behind(again)
    yield
    # An incident that several components share is read, and kept, once.
    incidents: dict[int, IncidentView] = {}
    keys = sorted({key for keys in recent.values() for key in keys})
    for first in range(0, len(keys), INCIDENTS_AT_A_STEP):
        with read_on(engine, site) as again:
            if read_revision(again.connection)[0] != edition.revision:
                return
            incidents |= read_incidents(again, keys[first : first + INCIDENTS_AT_A_STEP])
        yield
    views.components.extend(
        component_page(
            site,
            view,
            uptime=views.snapshot.uptimes[view.code],
            behind=behind[key],
            incidents=tuple(incidents[each] for each in recent[key]),
        )
        for key, view in site.by_key.items()
        if not view.is_removed
    )
    yield


def _versions(views: Views, former: Versions | None) -> Versions:
    """The edition's pages in the other languages, of the same views."""
    pages_by_path = list(_draft_pages(views.snapshot, views.months, views.links))
    makers, front = {}, set()
    for before, frame in _other_frames(views):
        front.add(f"{before}/")
        for path, page in pages_by_path:
            makers[before + path] = _making(views, partial(page, frame))
    # All components, which may be thousands, in the page's own language too.
    makers |= dict(
        _page_makers(views, "/components", partial(draft_components, views.snapshot, views.links))
    )
    return Versions(makers, front=frozenset(front), former=former)


def _more(views: Views) -> dict[str, Make]:
    """What else can be made of the views: what belongs to incidents, and all that
    components tell.
    """
    snapshot, more = views.snapshot, dict[str, Make]()
    for incident in {*_ready_incidents(snapshot), *snapshot.incidents, *snapshot.maintenances}:
        more.update(_incident_makers(views, incident))
    for view in views.components:
        more.update(_component_makers(views, view))
    return more


def _component_makers(views: Views, view: ComponentPageView) -> Iterator[tuple[str, Make]]:
    """A component's page and feeds, and the incidents to which they lead."""
    page, links, component = views.snapshot.page, views.links, view.component
    path = html_pages.component_path(component.code)
    yield from _page_makers(views, path, partial(draft_component, view=view, links=links))

    def draft(name: str, ending: str) -> DocumentDraft:
        found = feeds.component_feeds(page, component, view.incidents, links)
        return draft_feed(found[name], ending, links)

    for name, endings in feeds.ENDINGS.items():
        for ending in endings:
            yield f"{path}/{name}.{ending}", _making(views, partial(draft, name, ending))
    for incident in view.incidents:
        yield from _incident_makers(views, incident)


def _incident_makers(views: Views, incident: IncidentView) -> Iterator[tuple[str, Make]]:
    """An incident's page, JSON and feeds."""
    page, links, path = views.snapshot.page, views.links, html_pages.incident_path(incident.code)
    yield from _page_makers(views, path, partial(draft_incident, incident=incident, links=links))
    json = partial(draft_incident_json, page, incident, links)
    yield api_v2.incident_path(incident.code), _making(views, json)

    def draft(ending: str) -> DocumentDraft:
        return draft_feed(feeds.incident_feed(page, incident, links), ending, links)

    for ending in feeds.ENDINGS["updates"]:
        yield f"{path}/updates.{ending}", _making(views, partial(draft, ending))


def _page_makers(views: Views, path: str, page: Page) -> Iterator[tuple[str, Make]]:
    """A page in every language."""
    yield path, _making(views, partial(page, views.snapshot.frame))
    for before, frame in _other_frames(views):
        yield before + path, _making(views, partial(page, frame))


def _other_frames(views: Views) -> Iterator[tuple[str, Frame]]:
    """What stands around pages in the languages that are not the page's own, by their prefixes."""
    own = views.snapshot.page.language
    for language in OFFERED:
        if language.code != own:
            frame = replace(views.snapshot.frame, read_in=language.code)
            yield prefix(language.code, own=own), frame


def _making(views: Views, draft: Callable[[], DocumentDraft]) -> Make:
    return lambda former: finish(draft(), views.last_modified, previous=former)


def mark_stale(edition: Edition, since: datetime) -> Edition:
    """The edition saying on its pages and badges that it could not be confirmed since then.

    Feeds and JSON stay as they are: their dates tell already how old they are.  ``more`` says how
    to make what else the views tell of, for the caller to mark; what was read from its copy has its
    pages in other languages again.
    """
    views, versions = edition.views, edition.versions
    documents = {
        path: mark_document(document, since) for path, document in edition.documents.items()
    }
    if views and not versions.paths:
        versions = _versions(views, None)
        # What is made now refers to the files of this release.
        documents = {**asset_documents(), **documents}
    if og_image.UNCONFIRMED_PATH in documents:
        documents[og_image.PATH] = documents[og_image.UNCONFIRMED_PATH]
    return replace(
        edition,
        documents=documents,
        versions=versions.changed(lambda document: mark_document(document, since)),
        more=_more(views) if views else {},
    )


def mark_document(document: Document, since: datetime) -> Document:
    """One document, marked where it is a page or a badge."""
    if document.content_type == HTML:
        content = html_pages.mark_unconfirmed(document.body.decode(), since=since)
    elif document.content_type == badges.CONTENT_TYPE and document.cors:
        content = badges.mark_unconfirmed(document.body.decode())
    else:
        return document
    return make_document(
        content,
        content_type=document.content_type,
        cors=document.cors,
        # A client that asks by date gets the mark, and loses it afterwards: it has the older date.
        last_modified=document.last_modified - timedelta(seconds=1),
        is_dated=False,
        previous=document,
    )


def finish(draft: DocumentDraft, last_modified: datetime, *, previous: Document | None) -> Document:
    """A draft as a document, or ``previous`` itself where nothing changed."""
    return make_document(
        draft.content,
        content_type=draft.content_type,
        last_modified=last_modified,
        cors=draft.cors,
        previous=previous,
    )


def draft_site(
    snapshot: Snapshot, months: tuple[MonthView, ...], links: Links
) -> Iterator[tuple[str, DocumentDraft]]:
    """All documents of an edition, by path."""
    frame = snapshot.frame
    for path, page in _draft_pages(snapshot, months, links):
        yield path, page(frame)
    incidents = _ready_incidents(snapshot)
    for incident in incidents:
        yield (
            api_v2.incident_path(incident.code),
            draft_incident_json(snapshot.page, incident, links),
        )
    for path, content in api_v2.api_documents(snapshot, links).items():
        yield path, DocumentDraft(content, api_v2.CONTENT_TYPE, cors=True)
    yield "/api/openapi.json", _draft_openapi(links)
    history = feeds.history_feed(snapshot.page, snapshot.recent, links)
    updates = feeds.updates_feed(snapshot.page, snapshot.updates, links)
    for feed in (history, updates):
        for ending in feed.endings:
            yield f"{feed.path}.{ending}", draft_feed(feed, ending, links)
    calendar = _calendar(snapshot.page, snapshot.maintenances, links)
    yield "/maintenances.ics", DocumentDraft(calendar, feeds.CALENDAR, cors=True)
    for path, is_confirmed in ((og_image.PATH, True), (og_image.UNCONFIRMED_PATH, False)):
        drawn = og_image.draw_preview(frame, host=links.host, is_confirmed=is_confirmed)
        yield path, DocumentDraft(drawn, og_image.CONTENT_TYPE)
    yield (
        badges.badge_path(),
        DocumentDraft(badges.page_badge(frame), badges.CONTENT_TYPE, cors=True),
    )
    for component in snapshot.components:
        svg = badges.component_badge(component, frame)
        yield badges.badge_path(component.code), DocumentDraft(svg, badges.CONTENT_TYPE, cors=True)
    for path, file, content_type in frame.page.own_look.files():
        yield path, DocumentDraft(file, content_type)
    script = widget.draw_widget(frame.page.language)
    yield widget.PATH, DocumentDraft(script, widget.CONTENT_TYPE, cors=True)
    yield "/robots.txt", DocumentDraft(_robots(links), TEXT)
    yield "/sitemap.xml", DocumentDraft(_sitemap(snapshot, incidents, months, links), XML)


Page = Callable[[Frame], DocumentDraft]
"""Makes a page in the language of a frame."""


def _draft_pages(
    snapshot: Snapshot, months: tuple[MonthView, ...], links: Links
) -> Iterator[tuple[str, Page]]:
    """The pages of an edition, by their paths in the page's own language."""
    yield "/", lambda frame: _draft_home(frame, snapshot, links)
    yield "/history", partial(draft_month, month=months[0], links=links)
    for month in months:
        yield html_pages.history_path(month.month), partial(draft_month, month=month, links=links)
    yield "/subscribe", lambda frame: _draft_subscribe(frame, snapshot.tree, links)
    yield "/subscribe/sent", lambda frame: _draft_sign_up_sent(frame, links)
    for incident in _ready_incidents(snapshot):
        yield (
            html_pages.incident_path(incident.code),
            partial(draft_incident, incident=incident, links=links),
        )


def _draft_home(frame: Frame, snapshot: Snapshot, links: Links) -> DocumentDraft:
    return DocumentDraft(html_pages.render_home(replace(snapshot, frame=frame), links), HTML)


Rest = ParamSpec("Rest")
Drafting = Callable[Concatenate[Frame, Rest], DocumentDraft]


def _kept(*, most: int) -> Callable[[Drafting[Rest]], Drafting[Rest]]:
    """Keep what was drafted, in the page's own language: the others would only push it out."""

    def keeping(draft: Drafting[Rest]) -> Drafting[Rest]:
        kept = lru_cache(maxsize=most)(draft)

        def own_kept(frame: Frame, /, *rest: Rest.args, **named: Rest.kwargs) -> DocumentDraft:
            return (draft if frame.read_in else kept)(frame, *rest, **named)

        update_wrapper(own_kept, draft)
        return own_kept

    return keeping


@lru_cache(maxsize=64)
def draft_feed(feed: Feed, ending: str, links: Links) -> DocumentDraft:
    """A feed in the format of ``ending``; ``KeyError`` for one that there is not."""
    write, content_type = _FORMATS[ending]
    return DocumentDraft(write(feed, links), content_type, cors=True)


_FORMATS: dict[str, tuple[Callable[[Feed, Links], bytes], str]] = {
    "atom": (feeds.write_atom, feeds.ATOM),
    "rss": (feeds.write_rss, feeds.RSS),
    "json": (feeds.write_json, feeds.JSON_FEED),
}


@_kept(most=512)
def draft_incident(frame: Frame, incident: IncidentView, links: Links) -> DocumentDraft:
    """The page of one incident."""
    return DocumentDraft(html_pages.render_incident(frame, incident, links), HTML)


@lru_cache(maxsize=512)
def draft_incident_json(page: PageView, incident: IncidentView, links: Links) -> DocumentDraft:
    """One incident's JSON."""
    return DocumentDraft(
        api_v2.incident_document(page, incident, links), api_v2.CONTENT_TYPE, cors=True
    )


@_kept(most=8)
def draft_month(frame: Frame, month: MonthView, links: Links) -> DocumentDraft:
    """The page of one month."""
    return DocumentDraft(html_pages.render_history(frame, month, links), HTML)


def draft_search(
    frame: Frame, tree: html_pages.Tree, asked: Asked, found: SearchResult, links: Links
) -> DocumentDraft:
    """What a search of the history came to."""
    return DocumentDraft(
        html_pages.render_search(frame, tree, links, asked=asked, found=found), HTML
    )


def draft_components(snapshot: Snapshot, links: Links, frame: Frame) -> DocumentDraft:
    """The page of all components."""
    page = html_pages.render_components(frame, snapshot.tree, snapshot.uptimes, links)
    return DocumentDraft(page, HTML)


def draft_component(frame: Frame, view: ComponentPageView, links: Links) -> DocumentDraft:
    """The page of one component."""
    return DocumentDraft(html_pages.render_component(frame, view, links), HTML)


@_kept(most=2)
def _draft_subscribe(frame: Frame, tree: html_pages.Tree, links: Links) -> DocumentDraft:
    return DocumentDraft(html_pages.render_subscribe(frame, tree, links), HTML)


@_kept(most=2)
def _draft_sign_up_sent(frame: Frame, links: Links) -> DocumentDraft:
    return DocumentDraft(html_pages.render_sign_up_sent(frame, links), HTML)


_calendar = lru_cache(maxsize=2)(feeds.write_calendar)


@lru_cache(maxsize=1)
def _draft_openapi(links: Links) -> DocumentDraft:
    return DocumentDraft(
        api_v2.write_json(openapi.describe("public", links)), api_v2.CONTENT_TYPE, cors=True
    )


def _read_months(site: Site) -> Iterator[MonthView]:
    month: date | None = read_newest_month(site)
    for _ in range(MONTHS_READY):
        view = read_month(site, month) if month else None
        if view is None:
            return
        yield view
        month = view.earlier


def _ready_incidents(snapshot: Snapshot) -> list[IncidentView]:
    """What the page and the feeds link to, each once, newest first."""
    found = [
        *snapshot.open_incidents,
        *snapshot.active,
        *snapshot.upcoming,
        *(incident for day in snapshot.days for incident in day.incidents),
        *snapshot.recent,
        *(incident for incident, _ in snapshot.updates),
    ]
    by_code = {incident.code: incident for incident in found}
    return sorted(by_code.values(), key=lambda incident: incident.begins_at, reverse=True)


def _robots(links: Links) -> str:
    return (
        "User-agent: *\n"
        "Disallow: /admin/\n"
        "Disallow: /subscriptions/\n"
        "Disallow: /unsubscribe/\n"
        f"Sitemap: {links.to('/sitemap.xml')}\n"
    )


# All other pages name their counterparts themselves.
_ENTRIES = ("/", "/history", "/subscribe")


@lru_cache(maxsize=2)
def _other_languages(own: str, links: Links) -> dict[str, str]:
    """Where else an entry of the sitemap can be read, by its path."""
    mark = '<xhtml:link rel="alternate" hreflang="{}" href="{}"/>'
    return {
        path: "".join(
            mark.format(each.code, escape(links.to(prefix(each.code, own=own) + path)))
            for each in OFFERED
        )
        for path in _ENTRIES
    }


def _begin(incident: IncidentView) -> tuple[datetime, str]:
    return incident.begins_at, incident.code


def _sitemap(
    snapshot: Snapshot, incidents: list[IncidentView], months: tuple[MonthView, ...], links: Links
) -> str:
    others = _other_languages(snapshot.page.language, links)
    rows = [_sitemap_row(path, snapshot.updated_at, links, others[path]) for path in _ENTRIES]
    rows += [
        _sitemap_row(html_pages.component_path(view.code), moment, links)
        for view, moment in _component_moments(snapshot, incidents)
    ]
    # Older incidents are reached from the months, each of which leads to the one before.
    recent = sorted({*snapshot.incidents, *snapshot.maintenances} - {*incidents}, key=_begin)
    listed = [*incidents, *reversed(recent)]
    rows += [
        _sitemap_row(html_pages.incident_path(each.code), each.updated_at, links) for each in listed
    ]
    rows += [
        _sitemap_row(html_pages.history_path(month.month, number), snapshot.updated_at, links)
        for month in months
        for number in range(1, month.pages + 1)
    ]
    urls = "".join(rows)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
        f"{urls}</urlset>\n"
    )


def _component_moments(
    snapshot: Snapshot, incidents: list[IncidentView]
) -> Iterator[tuple[ComponentView, datetime]]:
    """Each component with when its page last changed: itself, or an incident that affects it."""
    changed: dict[str, datetime] = {}
    for incident in incidents:
        for view in incident.components:
            changed[view.code] = max(
                incident.updated_at, changed.get(view.code, incident.updated_at)
            )
    for view in snapshot.components:
        yield view, max(view.updated_at, changed.get(view.code, view.updated_at))


@lru_cache(maxsize=8192)
def _sitemap_row(path: str, moment: datetime, links: Links, others: str = "") -> str:
    return (
        f"<url><loc>{escape(links.to(path))}</loc><lastmod>{moment:%Y-%m-%dT%H:%M:%SZ}</lastmod>"
        f"{others}</url>\n"
    )
