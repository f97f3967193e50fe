"""The public side in Flask: the layer in front, and what the edition leaves out.

Older incidents and months, and the feeds of one component or incident, are made when somebody asks,
and kept in memory until the site changes.  Pages have an address in each language.  While the
database is away what was made before is shown, marked, and nothing else is tried: a thread that
waits for a database would be missed in front.  An edition that cannot be built is no reason for
that.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import NotFound, ServiceUnavailable

from statuspage.access import alarms
from statuspage.core.config import Settings
from statuspage.core.db import db, writing
from statuspage.core.enums import Kind
from statuspage.core.links import Links, current_links
from statuspage.core.richtext import clean_line
from statuspage.models.columns import CODE, CODE_LENGTH
from statuspage.models.revision import current_number, read_revision
from statuspage.public import edition_builder, feeds, html_pages
from statuspage.public.document import Document
from statuspage.public.edition import Edition
from statuspage.public.edition_builder import DocumentDraft
from statuspage.public.middleware import (
    RETRY_SECONDS,
    EditionMiddleware,
    OnDemand,
    document_response,
)
from statuspage.public.page_language import (
    IN_A_LANGUAGE,
    asked_language,
    current_refresher,
    present_frame,
)
from statuspage.public.queries import (
    Site,
    open_site,
    read_component_incidents,
    read_component_page,
    read_incident,
    read_month,
)
from statuspage.public.refresher import Refresher
from statuspage.public.search import MOST_CHARACTERS, MOST_WORDS, Asked, Search, find_incidents
from statuspage.public.site_headers import public_headers
from statuspage.public.snapshot import ComponentView, MonthView

ALARM: Final = "public site"
SECONDS_TO_BEGIN_A_SEARCH: Final = 2.0
_SEARCHES: Final = threading.BoundedSemaphore(2)

_MONTH: Final = re.compile(r"(19[7-9]\d|2\d{3})-(0[1-9]|1[0-2])", re.ASCII)
_PAGE_NUMBER: Final = re.compile(r"[1-9]\d{0,4}", re.ASCII)
_ENDINGS: Final = "<any(atom, rss, json):ending>"

public = Blueprint("public", __name__)

Make = Callable[[Site, Links], DocumentDraft | None]
# What is made on demand is of an edition's revision and the moment at which that was built.
DocumentCache = OnDemand[tuple[int, datetime]]


def register(app: Flask) -> None:
    """Hang the addresses made on demand on the app, and the refresher of its edition."""
    # Every document has one address, which the front leads to: a redirect of Flask's would name the
    # host that was asked.
    app.url_map.merge_slashes = False
    app.register_blueprint(public)
    app.extensions["on_demand"] = DocumentCache()
    app.extensions["refresher"] = make_refresher(app)


def install(app: Flask) -> None:
    """Put the layer that answers from memory in front of the app; threads start on first use."""
    if isinstance(app.wsgi_app, EditionMiddleware):
        return
    app.wsgi_app = make_front(app)  # type: ignore[method-assign]


def make_front(app: Flask, kind: type[EditionMiddleware] = EditionMiddleware) -> EditionMiddleware:
    """The layer in front of the app, by the app's settings."""
    links: Links = app.extensions["links"]
    return kind(
        app.wsgi_app,
        app.extensions["refresher"],
        prefix=links.prefix,
        settle=public_headers(app.extensions["settings"]),
    )


def make_refresher(app: Flask) -> Refresher:
    """What keeps this process's edition fresh, on the app's database and settings."""
    settings: Settings = app.extensions["settings"]
    links: Links = app.extensions["links"]
    with app.app_context():
        engine: Engine = db.engine

    def current_revision() -> int:
        with engine.connect() as connection:
            return current_number(connection)

    def make(previous: Edition | None) -> Edition:
        return edition_builder.build_edition(
            engine, links, previous, on_read=lambda: refresher.has_read()
        )

    def complete(edition: Edition) -> Iterator[None]:
        return edition_builder.complete_edition(engine, edition)

    def raise_alarm(text: str) -> None:
        with app.app_context(), writing() as session:
            alarms.raise_alarm(session, ALARM, text)

    def clear_alarm() -> None:
        with app.app_context(), writing() as session:
            alarms.clear_alarm(session, ALARM)

    refresher = Refresher(
        current_revision=current_revision,
        build=make,
        complete=complete,
        mark_stale=edition_builder.mark_stale,
        copy=settings.data_dir / "edition",
        on_alarm=raise_alarm,
        on_recover=clear_alarm,
    )
    return refresher


def _address(rule: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A route for reading; OPTIONS is the document's own affair, as in front."""
    return public.route(rule, methods=["GET", "HEAD", "OPTIONS"], provide_automatic_options=False)


def _page(rule: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """The same for a page, in every language."""

    def register(view: Callable[..., Response]) -> Callable[..., Response]:
        return _address(rule)(_address(IN_A_LANGUAGE + rule)(view))

    return register


@_address(f"{IN_A_LANGUAGE}/")
@_address(f"{IN_A_LANGUAGE}/history")
@_page("/components")
@_address(f"{IN_A_LANGUAGE}/subscribe")
@_address(f"{IN_A_LANGUAGE}/subscribe/sent")
def other_language() -> Response:
    """What every edition has, but not another release's copy: no database could make it now."""
    return _serve_kept(None)


@_page("/incidents/<code>")
def incident(code: str) -> Response:
    """The page of an older incident."""

    def make(site: Site, links: Links) -> DocumentDraft | None:
        found = read_incident(site, code)
        return edition_builder.draft_incident(present_frame(site), found, links) if found else None

    return _serve(make, code=code)


@_address("/api/v2/incidents/<code>.json")
def incident_json(code: str) -> Response:
    """The JSON of an older incident."""

    def make(site: Site, links: Links) -> DocumentDraft | None:
        found = read_incident(site, code)
        return edition_builder.draft_incident_json(site.page, found, links) if found else None

    return _serve(make, code=code)


@_address(f"/incidents/<code>/updates.{_ENDINGS}")
def incident_feed(code: str, ending: str) -> Response:
    """The feed of one incident."""

    def make(site: Site, links: Links) -> DocumentDraft | None:
        found = read_incident(site, code)
        if found is None:
            return None
        return edition_builder.draft_feed(
            feeds.incident_feed(site.page, found, links), ending, links
        )

    return _serve(make, code=code)


@_page("/components/<code>")
def component(code: str) -> Response:
    """The page of one component."""

    def make(site: Site, links: Links) -> DocumentDraft | None:
        found = _find_component(site, code)
        if found is None:
            return None
        return edition_builder.draft_component(
            present_frame(site), read_component_page(site, found), links
        )

    return _serve(make, code=code)


@_address(f"/components/<code>/updates.{_ENDINGS}")
def component_updates(code: str, ending: str) -> Response:
    """A feed of one component, update by update."""
    return _component_feed(code, "updates", ending)


@_address("/components/<code>/history.<any(atom, rss):ending>")
def component_history(code: str, ending: str) -> Response:
    """A feed of one component, incident by incident."""
    return _component_feed(code, "history", ending)


def _component_feed(code: str, name: str, ending: str) -> Response:
    def make(site: Site, links: Links) -> DocumentDraft | None:
        component = _find_component(site, code)
        if component is None:
            return None
        incidents = read_component_incidents(site, component)
        found = feeds.component_feeds(site.page, component, incidents, links)
        return edition_builder.draft_feed(found[name], ending, links)

    return _serve(make, code=code)


@_page("/history/<month>")
@_page("/history/<month>/<number>")
def history(month: str, number: str = "1") -> Response:
    """An older month, page by page; its first page has one address only."""
    named = _MONTH.fullmatch(month)
    if named is None or not _PAGE_NUMBER.fullmatch(number):
        raise NotFound
    if number == "1" and request.path.endswith("/1"):
        raise NotFound
    day = date(int(named[1]), int(named[2]), 1)

    def make(site: Site, links: Links) -> DocumentDraft | None:
        found = read_month(site, day, number=int(number)) or _last_page(site, day, int(number))
        return edition_builder.draft_month(present_frame(site), found, links) if found else None

    return _serve(make)


def _last_page(site: Site, month: date, asked: int) -> MonthView | None:
    """What is nearest to a page that a month has not; None where there is no such month."""
    first = read_month(site, month)
    last = read_month(site, month, number=first.pages) if first else None
    return replace(last, asked=asked) if last else None


@_page("/search")
def search() -> Response:
    """Incidents that hold some words, by component and kind: a filter that is unknown is
    left out.
    """
    refresher = current_refresher()
    if refresher.edition() is None or refresher.is_database_away:
        raise ServiceUnavailable(retry_after=RETRY_SECONDS)
    # A few at a time: visitors of ready pages must not feel it.
    if not _SEARCHES.acquire(timeout=SECONDS_TO_BEGIN_A_SEARCH):
        raise ServiceUnavailable(retry_after=RETRY_SECONDS)
    try:
        with open_site(db.engine) as site:
            asked = _asked()
            found = find_incidents(site, asked.search)
            frame, changed_at = present_frame(site), read_revision(site.connection)[1]
            draft = edition_builder.draft_search(frame, site.tree, asked, found, current_links())
    finally:
        _SEARCHES.release()
    return document_response(edition_builder.finish(draft, changed_at, previous=None))


def _asked() -> Asked:
    """The search that the query holds."""
    kind = request.args.get("kind", "")
    is_known = kind in set(Kind)
    words = clean_line(request.args.get("q", ""))
    search = Search(
        words=words[:MOST_CHARACTERS],
        component=request.args.get("component", "")[:CODE_LENGTH],
        kind=Kind(kind) if is_known else None,
        before=request.args.get("before", "")[:CODE_LENGTH],
    )
    is_cut = len(words) > MOST_CHARACTERS or len(words.split()) > MOST_WORDS
    return Asked(search, "" if is_known else kind[:MOST_CHARACTERS], is_cut=is_cut)


def _serve(make: Make, *, code: str | None = None) -> Response:
    """Answer with the document that ``make`` drafts; 404 where it drafts none."""
    if code is not None and not CODE.fullmatch(code):
        raise NotFound
    refresher = current_refresher()
    edition, since = refresher.edition(), refresher.stale_since
    if edition is None or (since is not None and refresher.is_database_away):
        return _serve_kept(since)
    document_cache: DocumentCache = current_app.extensions["on_demand"]
    links = current_links()

    def finish(previous: Document | None) -> Document:
        with open_site(db.engine) as site:
            draft = make(site, links)
            if draft is None:
                raise NotFound
            return edition_builder.finish(
                draft, read_revision(site.connection)[1], previous=previous
            )

    if since is not None:
        # The database is well, so that this is as it is now; the edition beside it may be older.
        return document_response(finish(None))
    version = (edition.revision, edition.built_at)
    return document_response(document_cache.get(request.path, version=version, make=finish))


def error_page(code: int) -> str | None:
    """The page for an HTTP status with what stands around every page: banner, links, help.

    None where nobody vouches for that: no edition is shown, or the database is away.
    """
    if not isinstance(current_app.wsgi_app, EditionMiddleware):
        return None
    refresher = current_refresher()
    edition = refresher.edition()
    if edition is None or refresher.stale_since is not None:
        return None
    document_cache: DocumentCache = current_app.extensions["on_demand"]
    links = current_links()

    def finish(previous: Document | None) -> Document:
        with open_site(db.engine) as site:
            html = html_pages.render_error(code, frame=present_frame(site), links=links)
            changed_at = read_revision(site.connection)[1]
        return edition_builder.finish(
            DocumentDraft(html, edition_builder.HTML), changed_at, previous=previous
        )

    version = (edition.revision, edition.built_at)
    try:
        # No path is named so: a path begins with a slash.
        name = f"error {code} {asked_language() or edition.language}"
        return document_cache.get(name, version=version, make=finish).body.decode()
    except (OperationalError, InterfaceError, PoolTimeout):
        return None


def _serve_kept(since: datetime | None) -> Response:
    document_cache: DocumentCache = current_app.extensions["on_demand"]
    edition, kept = current_refresher().edition(), document_cache.peek(request.path)
    shown = (edition.revision, edition.built_at) if edition else None
    make = edition.more.get(request.path) if edition else None
    if shown and make and not (kept and kept[0] == shown):
        kept = shown, document_cache.get(request.path, version=shown, make=make)
    if kept is None:
        raise ServiceUnavailable(retry_after=RETRY_SECONDS)
    (revision, built_at), document = kept
    if since and not (shown and shown[0] == revision):
        # The site moved on after this was made, and nobody looked again.
        since = min(since, built_at)
    return document_response(_marked(document, since) if since else document)


_marked = lru_cache(maxsize=64)(edition_builder.mark_document)


def _find_component(site: Site, code: str) -> ComponentView | None:
    living = (view for view in site.by_key.values() if not view.is_removed)
    return next((view for view in living if view.code == code), None)
