"""The public side in Flask: the layer in front, and what the edition leaves out.

Older incidents and months, and the feeds of one component or incident, are made when somebody asks,
and kept in memory until the site changes.  Pages have an address in each language.  While the
database is away what was made before is shown, marked, and nothing else is tried: a thread that
waits for a database would be missed in front.  An edition that cannot be built is no reason for
that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

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
from statuspage.models.columns import CODE_LENGTH
from statuspage.models.revision import current_number, read_revision
from statuspage.public import edition_builder, html_pages
from statuspage.public.addresses import ADDRESSES, SEARCH_PAGE, PublicAddress, SearchPage
from statuspage.public.document import HTML, Document, DocumentDraft
from statuspage.public.edition import Edition
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
from statuspage.public.queries import open_site
from statuspage.public.refresher import Refresher
from statuspage.public.search import MOST_CHARACTERS, MOST_WORDS, Asked, Search, find_incidents
from statuspage.public.site_headers import public_headers
from statuspage.public.snapshot import frame_of

ALARM: Final = "public site"
SECONDS_TO_BEGIN_A_SEARCH: Final = 2.0
_SEARCHES: Final = threading.BoundedSemaphore(2)

public = Blueprint("public", __name__)

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


def _view(address: PublicAddress[Any]) -> Callable[..., Response]:
    """The view of an address: what the edition does not have is read, or is of older views."""
    if address.subject.read is not None:
        return lambda name: _serve(address, name)
    # What every edition has, but not another release's copy: no database could make it now.
    return search if address is SEARCH_PAGE else lambda: _serve_kept(None)


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
            page = SearchPage(site.tree, asked, find_incidents(site, asked.search))
            frame, changed_at = present_frame(site), read_revision(site.connection)[1]
            draft = SEARCH_PAGE.draft(frame, page, current_links())
    finally:
        _SEARCHES.release()
    return document_response(draft.finish(changed_at))


def _serve(address: PublicAddress[Any], name: str) -> Response:
    """Answer with the document of the subject of that name; 404 where there is none."""
    if not address.subject.names.fullmatch(name):
        raise NotFound
    refresher = current_refresher()
    edition, since = refresher.edition(), refresher.stale_since
    if edition is None or (since is not None and refresher.is_database_away):
        return _serve_kept(since)

    def make(previous: Document | None) -> Document:
        with open_site(db.engine) as site:
            subject = address.subject.read(site, name) if address.subject.read else None
            if subject is None:
                raise NotFound
            # What is no page asks nothing else of the frame.
            frame = present_frame(site) if address.has_languages else frame_of(site.page)
            draft = address.draft(frame, subject, current_links())
            return draft.finish(read_revision(site.connection)[1], previous=previous)

    if since is not None:
        # The database is well, so that this is as it is now; the edition beside it may be older.
        return document_response(make(None))
    document_cache: DocumentCache = current_app.extensions["on_demand"]
    version = (edition.revision, edition.built_at)
    return document_response(document_cache.get(request.path, version=version, make=make))


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
        return DocumentDraft(html, HTML).finish(changed_at, previous=previous)

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


def _register_addresses() -> None:
    # OPTIONS is the document's own affair, as in the middleware.
    for address in ADDRESSES:
        view = _view(address)
        for before in ("", IN_A_LANGUAGE) if address.has_languages else ("",):
            public.add_url_rule(
                before + address.rule,
                endpoint=address.rule.replace(".", " "),
                view_func=view,
                methods=["GET", "HEAD", "OPTIONS"],
                provide_automatic_options=False,
            )


_register_addresses()
