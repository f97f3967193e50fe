"""The edition: every public document of the present and the recent past, from one read.

What an equal view was made into before is kept, so that a post costs the documents that it changes
and not the whole site; languages other than the page's own wait until somebody asks for them. What
else belongs to the present (the components' pages, feeds of one component or incident) is read
after the edition is shown, and made when somebody asks.  What the edition leaves out (older
incidents and months) is made by the same functions with a read of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine

from statuspage.core.links import Links
from statuspage.models.revision import read_revision
from statuspage.public import badges, html_pages, og_image
from statuspage.public.addresses import ADDRESSES, FRONT_PAGE, Content, PublicAddress
from statuspage.public.assets import asset_documents
from statuspage.public.document import HTML, Document, DocumentDraft, make_document
from statuspage.public.edition import Edition
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
from statuspage.public.snapshot import Frame, IncidentView, MonthView
from statuspage.public.translated_pages import Make, Versions
from statuspage.public.view_store import Views

# So many of the newest months that have incidents are ready; older ones are made on demand.
MONTHS_READY = 3
# A post waits for the step that is under way.
INCIDENTS_AT_A_STEP = 200

T = TypeVar("T")


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
    content = Content(views)
    former: Mapping[str, Document] = previous.documents if previous else {}
    documents = dict(asset_documents())
    for path, draft in _draft_ready(content):
        documents[path] = draft.finish(last_modified, previous=former.get(path))
    return Edition(
        revision=number,
        documents=documents,
        built_at=snapshot.at,
        next_change_at=snapshot.next_change_at,
        language=snapshot.page.language,
        versions=_versions(content, previous.versions if previous else None),
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
            metrics=views.snapshot.metrics,
        )
        for key, view in site.by_key.items()
        if not view.is_removed
    )
    yield


def _draft_ready(content: Content) -> Iterator[tuple[str, DocumentDraft]]:
    """All documents that are ready in an edition, by path."""
    for address in ADDRESSES:
        if not address.on_demand:
            for subject in address.subject.ready(content):
                draft = address.draft(content.frame, subject, content.links)
                yield address.path_of(subject), draft


def _versions(content: Content, former: Versions | None) -> Versions:
    """What else is made of the edition's views: its pages in other languages, and what waits."""
    others = list(content.frames())
    own = ("", content.frame)
    makers: dict[str, Make] = {}
    for address in ADDRESSES:
        if address.on_demand:
            continue
        frames = others if address.has_languages else []
        for subject in address.subject.ready(content) if frames else ():
            makers.update(_makers(content, address, subject, frames))
        for subject in address.subject.later(content):
            makers.update(_makers(content, address, subject, [own, *frames]))
    front = frozenset(before + FRONT_PAGE.path() for before, _ in others)
    return Versions(makers, front=front, former=former)


def _more(content: Content) -> dict[str, Make]:
    """What else can be made of the views: all that they tell of incidents and components."""
    frames = [("", content.frame), *content.frames()]
    more: dict[str, Make] = {}
    for address in ADDRESSES:
        shown = frames if address.has_languages else frames[:1]
        for subject in address.subject.known(content):
            more.update(_makers(content, address, subject, shown))
    return more


def _makers(
    content: Content, address: PublicAddress[T], subject: T, frames: list[tuple[str, Frame]]
) -> Iterator[tuple[str, Make]]:
    """The document of one subject in some languages, by path."""
    path = address.path_of(subject)
    for before, frame in frames:
        yield before + path, _maker(content, address, subject, frame)


def _maker(content: Content, address: PublicAddress[T], subject: T, frame: Frame) -> Make:
    def make(former: Document | None) -> Document:
        draft = address.draft(frame, subject, content.links)
        return draft.finish(content.views.last_modified, previous=former)

    return make


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
        versions = _versions(Content(views), None)
        # What is made now refers to the files of this release.
        documents = {**asset_documents(), **documents}
    if og_image.UNCONFIRMED_PATH in documents:
        documents[og_image.PATH] = documents[og_image.UNCONFIRMED_PATH]
    return replace(
        edition,
        documents=documents,
        versions=versions.changed(lambda document: mark_document(document, since)),
        more=_more(Content(views)) if views else {},
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


def _read_months(site: Site) -> Iterator[MonthView]:
    month: date | None = read_newest_month(site)
    for _ in range(MONTHS_READY):
        view = read_month(site, month) if month else None
        if view is None:
            return
        yield view
        month = view.earlier
