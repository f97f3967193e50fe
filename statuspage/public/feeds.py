"""Feeds: of incidents in Statuspage's form, and of single updates.

Nothing here asks for the time: a feed's date is its newest entry's, an empty one's the page's first
day, so that a reader that polls twice finds nothing new.  :mod:`statuspage.public.feed_formats`
writes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from markupsafe import escape

from statuspage.core import clock
from statuspage.core.languages import N_, locale_name, translations
from statuspage.core.links import Links
from statuspage.public.snapshot import (
    ComponentView,
    GroupView,
    IncidentView,
    NoticeView,
    PageView,
    UpdateView,
)

Part = ComponentView | GroupView
"""What a feed can be of, besides the whole page and one incident."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed."""

    id: str
    title: str
    link: str
    html: str
    published: datetime
    updated: datetime
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed before it is written; ``path`` is its address without the ending of its format."""

    page: PageView
    path: str
    title: str
    description: str
    home: str
    entries: tuple[Entry, ...]

    @property
    def id(self) -> str:
        """A permanent id, which does not change with the site's address."""
        return uuid5(NAMESPACE_URL, f"statuspage:{self.page.code}{self.path}").urn

    @property
    def updated(self) -> datetime:
        """The newest entry's date."""
        return max((entry.updated for entry in self.entries), default=self.page.created_at)


def history_feed(
    page: PageView,
    incidents: Iterable[IncidentView],
    links: Links,
    *,
    part: Part | None = None,
) -> Feed:
    """One entry for each incident, all its updates in the body, newest first, as
    Statuspage has it.
    """
    told = [incident for incident in incidents if incident.updates]
    return Feed(
        page=page,
        path=_scope(part) + "/history",
        title=page_text(page, N_("%(name)s - Incident History"), name=_name(page, part)),
        description=page_text(
            page, N_("Incidents and maintenance of %(name)s"), name=_name(page, part)
        ),
        home=links.to("/history"),
        entries=tuple(_incident_entry(incident, entry_locale(page), links) for incident in told),
    )


def updates_feed(
    page: PageView,
    told: Iterable[tuple[IncidentView, UpdateView]],
    links: Links,
    *,
    part: Part | None = None,
    notices: Iterable[NoticeView] = (),
) -> Feed:
    """One entry for each update, dated when it was posted, newest first; and for each of the
    notices that is not quiet.
    """
    locale = entry_locale(page)
    entries = [_update_entry(incident, update, locale, links) for incident, update in told]
    entries += [_notice_entry(notice, locale, links) for notice in notices if notice.in_feeds]
    return Feed(
        page=page,
        path=_scope(part) + "/updates",
        title=page_text(page, N_("%(name)s - Status Updates"), name=_name(page, part)),
        description=page_text(
            page,
            N_("Every update on incidents and maintenance of %(name)s"),
            name=_name(page, part),
        ),
        home=links.home,
        entries=tuple(sorted(entries, key=attrgetter("published"), reverse=True)),
    )


def incident_feed(page: PageView, incident: IncidentView, links: Links) -> Feed:
    """The updates of one incident."""
    locale = entry_locale(page)
    return Feed(
        page=page,
        path=f"/incidents/{incident.code}/updates",
        title=f"{page.name} - {incident.title}",
        description=page_text(page, N_("Updates on “%(title)s”"), title=incident.title),
        home=links.incident(incident.code),
        entries=tuple(_update_entry(incident, each, locale, links) for each in incident.updates),
    )


def newest_told(
    incidents: Iterable[IncidentView], *, most: int
) -> list[tuple[IncidentView, UpdateView]]:
    """The posts of these incidents that were made last, newest first."""
    told = [(incident, update) for incident in incidents for update in incident.updates]
    return sorted(told, key=lambda pair: pair[1].posted_at, reverse=True)[:most]


def _scope(part: Part | None) -> str:
    return f"/components/{part.code}" if part else ""


def _name(page: PageView, part: Part | None) -> str:
    if part:
        return f"{page.name} {part.name if isinstance(part, GroupView) else part.full_name}"
    if "status" in page.name.casefold():
        return page.name
    return page_text(page, N_("%(name)s Status"), name=page.name)


def page_text(page: PageView, text: str, **values: str) -> str:
    """A text of ours in the page's own language."""
    return translations(page.language).gettext(text) % values


class EntryLocale(NamedTuple):
    """The zone and the language of a feed's entries, which are the page's own."""

    zone: ZoneInfo
    language: str

    @property
    def babel_name(self) -> str:
        """The language's name for Babel."""
        return locale_name(self.language)

    def say(self, text: str) -> str:
        """A text of ours in this language."""
        return translations(self.language).gettext(text)

    def time(self, moment: datetime) -> str:
        """A moment as text, in this zone and language."""
        return clock.show(moment, self.zone, self.babel_name)


@lru_cache(maxsize=2)
def entry_locale(page: PageView) -> EntryLocale:
    """The zone and the language in which the page's feeds are written."""
    return EntryLocale(page.zone, page.language)


@lru_cache(maxsize=1024)
def _incident_entry(incident: IncidentView, locale: EntryLocale, links: Links) -> Entry:
    parts = [_update_html(update, locale, links) for update in incident.updates]
    planned = _planned(incident, locale)
    if planned:
        parts.insert(0, f"<p><strong>{escape(planned)}</strong></p>")
    return Entry(
        id=incident.entry_id,
        title=incident.title,
        link=links.incident(incident.code),
        html=" ".join(parts),
        published=incident.told_at,
        updated=max(update.changed_at for update in incident.updates),
        tags=tuple(component.full_name for component in incident.components),
    )


@lru_cache(maxsize=2048)
def _update_entry(
    incident: IncidentView, update: UpdateView, locale: EntryLocale, links: Links
) -> Entry:
    return Entry(
        id=update.entry_id,
        title=f"{locale.say(update.status.label)}: {incident.title}",
        link=links.update(incident.code, update.code),
        html=_update_html(update, locale, links),
        published=update.posted_at,
        updated=update.changed_at,
        tags=tuple(component.full_name for component in incident.components),
    )


@lru_cache(maxsize=64)
def _notice_entry(notice: NoticeView, locale: EntryLocale, links: Links) -> Entry:
    return Entry(
        id=notice.entry_id,
        title=locale.say("Notice: %(title)s") % {"title": notice.title},
        link=links.notice(notice.code),
        html=notice.html_below(links.home),
        published=notice.told_at,
        updated=notice.changed_at,
        tags=(),
    )


@lru_cache(maxsize=4096)
def _update_html(update: UpdateView, locale: EntryLocale, links: Links) -> str:
    moment, status = locale.time(update.happened_at), locale.say(update.status.label)
    head = f"<p><small>{escape(moment)}</small><br><strong>{escape(status)}</strong>"
    edited = ""
    if update.edited_at:
        note = locale.say("Edited %(time)s") % {"time": locale.time(update.edited_at)}
        edited = f" <p><small>{escape(note)}</small></p>"
    # A body that opens with a paragraph goes on in the head's, as in Statuspage's feeds.
    body = update.html_below(links.home)
    if body.startswith("<p>"):
        return f"{head} - {body[3:]}{edited}"
    return f"{head}</p> {body}{edited}"


def _planned(incident: IncidentView, locale: EntryLocale) -> str:
    if not incident.is_maintenance or incident.scheduled_for is None:
        return ""
    end = incident.scheduled_until or incident.scheduled_for
    span = {"span": clock.show_span(incident.scheduled_for, end, locale.zone, locale.babel_name)}
    if incident.is_cancelled:
        return locale.say("Maintenance cancelled, was scheduled for %(span)s") % span
    return locale.say("Scheduled maintenance, %(span)s") % span
