"""Feeds: of incidents in Statuspage's form, of single updates, and the calendar of maintenances.

Atom (RFC 4287) and RSS 2.0 are written by feedgen, which knows no types and has ways of its own:
:func:`_write` is the only place that meets it.  JSON Feed follows https://jsonfeed.org/version/1.1,
the calendar RFC 5545.  Nothing here asks for the time: a feed's date is its newest entry's, an
empty one's the page's first day, so that a reader that polls twice finds nothing new.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from icalendar import Calendar, Event, Timezone, TimezoneStandard
from markupsafe import escape

from statuspage.core import clock
from statuspage.core.languages import N_, locale_name, translations
from statuspage.core.links import Links
from statuspage.public.snapshot import ComponentView, IncidentView, PageView, UpdateView
from statuspage.public.statements import FEED_INCIDENTS, FEED_UPDATES

ATOM = "application/atom+xml; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"
JSON_FEED = "application/feed+json; charset=utf-8"
CALENDAR = "text/calendar; charset=utf-8"

# In which formats each feed is written, by its name.
ENDINGS = {"updates": ("atom", "rss", "json"), "history": ("atom", "rss")}

# What a mistake in a writer or an import might let through, and XML cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    endings: tuple[str, ...]
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


# The feeds.


def history_feed(
    page: PageView,
    incidents: Iterable[IncidentView],
    links: Links,
    *,
    component: ComponentView | None = None,
) -> Feed:
    """One entry for each incident, all its updates in the body, newest first, as
    Statuspage has it.
    """
    told = [incident for incident in incidents if incident.updates]
    return Feed(
        page=page,
        path=_scope(component) + "/history",
        endings=ENDINGS["history"],
        title=_say(page, N_("%(name)s - Incident History"), name=_name(page, component)),
        description=_say(
            page, N_("Incidents and maintenances of %(name)s"), name=_name(page, component)
        ),
        home=links.to("/history"),
        entries=tuple(_incident_entry(incident, _reading(page), links) for incident in told),
    )


def updates_feed(
    page: PageView,
    told: Iterable[tuple[IncidentView, UpdateView]],
    links: Links,
    *,
    component: ComponentView | None = None,
) -> Feed:
    """One entry for each update, dated when it was posted, newest first."""
    return Feed(
        page=page,
        path=_scope(component) + "/updates",
        endings=ENDINGS["updates"],
        title=_say(page, N_("%(name)s - Status Updates"), name=_name(page, component)),
        description=_say(
            page,
            N_("Every update on incidents and maintenances of %(name)s"),
            name=_name(page, component),
        ),
        home=links.home,
        entries=tuple(
            _post_entry(incident, update, _reading(page), links) for incident, update in told
        ),
    )


def incident_feed(page: PageView, incident: IncidentView, links: Links) -> Feed:
    """The updates of one incident."""
    return Feed(
        page=page,
        path=f"/incidents/{incident.code}/updates",
        endings=ENDINGS["updates"],
        title=f"{page.name} - {incident.title}",
        description=_say(page, N_("Updates on “%(title)s”"), title=incident.title),
        home=links.incident(incident.code),
        entries=tuple(
            _post_entry(incident, update, _reading(page), links) for update in incident.updates
        ),
    )


def component_feeds(
    page: PageView, component: ComponentView, incidents: Sequence[IncidentView], links: Links
) -> dict[str, Feed]:
    """The feeds of one component by their names, of its most recent incidents."""
    told = newest_told(incidents, most=FEED_UPDATES)
    return {
        "updates": updates_feed(page, told, links, component=component),
        "history": history_feed(page, incidents[:FEED_INCIDENTS], links, component=component),
    }


def newest_told(
    incidents: Iterable[IncidentView], *, most: int
) -> list[tuple[IncidentView, UpdateView]]:
    """The posts of these incidents that were made last, newest first."""
    told = [(incident, update) for incident in incidents for update in incident.updates]
    return sorted(told, key=lambda pair: pair[1].posted_at, reverse=True)[:most]


def _scope(component: ComponentView | None) -> str:
    return f"/components/{component.code}" if component else ""


def _name(page: PageView, component: ComponentView | None) -> str:
    if component:
        return f"{page.name} {component.full_name}"
    if "status" in page.name.casefold():
        return page.name
    return _say(page, N_("%(name)s Status"), name=page.name)


def _say(page: PageView, text: str, **values: str) -> str:
    """A text of ours in the page's own language."""
    return translations(page.language).gettext(text) % values


# Their entries.


class _Reading(NamedTuple):
    """In which zone and language entries are told: the page's own."""

    zone: ZoneInfo
    language: str

    @property
    def locale(self) -> str:
        return locale_name(self.language)

    def say(self, text: str) -> str:
        return translations(self.language).gettext(text)

    def time(self, moment: datetime) -> str:
        return clock.show(moment, self.zone, self.locale)


def _reading(page: PageView) -> _Reading:
    return _Reading(page.zone, page.language)


@lru_cache(maxsize=1024)
def _incident_entry(incident: IncidentView, reading: _Reading, links: Links) -> Entry:
    parts = [_post_html(update, reading, links) for update in incident.updates]
    planned = _planned(incident, reading)
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
def _post_entry(
    incident: IncidentView, update: UpdateView, reading: _Reading, links: Links
) -> Entry:
    return Entry(
        id=update.entry_id,
        title=f"{reading.say(update.status.label)}: {incident.title}",
        link=links.update(incident.code, update.code),
        html=_post_html(update, reading, links),
        published=update.posted_at,
        updated=update.changed_at,
        tags=tuple(component.full_name for component in incident.components),
    )


@lru_cache(maxsize=4096)
def _post_html(update: UpdateView, reading: _Reading, links: Links) -> str:
    moment, status = reading.time(update.happened_at), reading.say(update.status.label)
    head = f"<p><small>{escape(moment)}</small><br><strong>{escape(status)}</strong>"
    edited = ""
    if update.edited_at:
        note = reading.say("Edited %(time)s") % {"time": reading.time(update.edited_at)}
        edited = f" <p><small>{escape(note)}</small></p>"
    # A body that opens with a paragraph goes on in the head's, as in Statuspage's feeds.
    body = update.html_below(links.home)
    if body.startswith("<p>"):
        return f"{head} - {body[3:]}{edited}"
    return f"{head}</p> {body}{edited}"


def _planned(incident: IncidentView, reading: _Reading) -> str:
    if not incident.is_maintenance or incident.scheduled_for is None:
        return ""
    end = incident.scheduled_until or incident.scheduled_for
    span = {"span": clock.show_span(incident.scheduled_for, end, reading.zone, reading.locale)}
    if incident.is_cancelled:
        return reading.say("Maintenance called off, was planned for %(span)s") % span
    return reading.say("Scheduled maintenance, %(span)s") % span


# How they are written.


def write_atom(feed: Feed, links: Links) -> bytes:
    """The feed as Atom."""
    generator = _write(feed, links, ending=".atom", content_type="application/atom+xml")
    return bytes(generator.atom_str())


def write_rss(feed: Feed, links: Links) -> bytes:
    """The feed as RSS 2.0."""
    generator = _write(feed, links, ending=".rss", content_type="application/rss+xml")
    return bytes(generator.rss_str())


def write_json(feed: Feed, links: Links) -> bytes:
    """The feed as JSON Feed 1.1."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": links.to(feed.path + ".json"),
        "description": feed.description,
        "language": feed.page.language,
        "authors": [{"name": feed.page.name, "url": links.home}],
        "items": [
            {
                "id": entry.id,
                "url": entry.link,
                "title": entry.title,
                "content_html": entry.html,
                "date_published": _second(entry.published).isoformat(),
                "date_modified": _second(entry.updated).isoformat(),
                "tags": list(entry.tags),
            }
            for entry in feed.entries
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _write(feed: Feed, links: Links, *, ending: str, content_type: str) -> Any:
    generator = FeedGenerator()
    generator.id(feed.id)
    generator.title(xml_text(feed.title))
    generator.description(xml_text(feed.description))
    generator.language(feed.page.language)
    # Without an author Atom is invalid; RSS would want an address of one, and needs none.
    generator.author(name=xml_text(feed.page.name))
    # The last link becomes the channel's in RSS, so the feed's own comes first.
    generator.link(href=links.to(feed.path + ending), rel="self", type=content_type)
    generator.link(href=feed.home, rel="alternate", type="text/html")
    generator.updated(_second(feed.updated))
    generator.generator("statuspage")
    for entry in feed.entries:
        generator.add_entry(_feed_entry(entry), order="append")
    return generator


# The same object serves Atom and RSS: feedgen only reads it when it writes.
@lru_cache(maxsize=512)
def _feed_entry(entry: Entry) -> Any:
    written = FeedEntry()
    written.id(entry.id)
    written.title(xml_text(entry.title))
    written.link(href=entry.link, rel="alternate", type="text/html")
    written.content(xml_text(entry.html), type="html")
    written.published(_second(entry.published))
    written.updated(_second(entry.updated))
    for tag in entry.tags:
        written.category(term=xml_text(tag))
    return written


def xml_text(text: str) -> str:
    """The text without what XML cannot hold."""
    return _NOT_XML.sub("", text)


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


# The calendar.


def write_calendar(page: PageView, maintenances: Iterable[IncidentView], links: Links) -> bytes:
    """Recent and coming maintenances as iCalendar, for calendars that subscribe to it."""
    calendar = Calendar()
    calendar.add("prodid", "-//statuspage//maintenances//EN")
    calendar.add("version", "2.0")
    events = [_event(incident, page, links) for incident in maintenances]
    # Published events need at least one (RFC 5546, 3.2.1).
    if events:
        calendar.add("method", "PUBLISH")
    # What is no text property is written as it is, and may hold no line break.
    name = " ".join(xml_text(page.name).split())
    title = _say(page, N_("%(name)s maintenances"), name=name)
    calendar.add("name", title)
    calendar.add("x-wr-calname", title)
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"value": "DURATION"})
    # A calendar without any component breaks RFC 5545, 3.6, and strict readers refuse it.
    components: list[Event] | list[Timezone] = events or [_utc()]
    for component in components:
        calendar.add_component(component)
    return bytes(calendar.to_ical())


def _utc() -> Timezone:
    """A component that says nothing: the time zone in which all events would be."""
    always = TimezoneStandard()
    always.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001 (local time, RFC 5545, 3.6.5)
    always.add("tzoffsetfrom", timedelta())
    always.add("tzoffsetto", timedelta())
    always.add("tzname", "UTC")
    zone = Timezone()
    zone.add("tzid", "UTC")
    zone.add_component(always)
    return zone


def _event(incident: IncidentView, page: PageView, links: Links) -> Event:
    start, end = incident.begins_at, incident.scheduled_until or incident.begins_at
    if incident.resolved_at and not incident.is_cancelled:
        start, end = incident.ran_from, incident.resolved_at
    event = Event()
    # Neither the site's address nor the title may change it: calendars know the event by it.
    event.add("uid", f"{incident.code}@{page.code}")
    # Rises with every change that the public sees (RFC 5545, 3.8.7.4).
    event.add("sequence", int((incident.updated_at - incident.created_at).total_seconds()))
    event.add("dtstamp", _second(incident.updated_at))
    event.add("created", _second(incident.told_at))
    event.add("last-modified", _second(incident.updated_at))
    event.add("dtstart", _second(start))
    # An end must be later than the start (RFC 5545, 3.8.2.2); without one an event has no length.
    if _second(end) > _second(start):
        event.add("dtend", _second(end))
    event.add("summary", xml_text(incident.title))
    event.add("description", xml_text(_latest_text(incident, _reading(page), links)))
    event.add("url", links.incident(incident.code))
    event.add("status", "CANCELLED" if incident.is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    if incident.components:
        event.add(
            "categories", [xml_text(component.full_name) for component in incident.components]
        )
    return event


@lru_cache(maxsize=256)
def _latest_text(incident: IncidentView, reading: _Reading, links: Links) -> str:
    if incident.latest is None:
        return ""
    moment, status = (
        reading.time(incident.latest.happened_at),
        reading.say(incident.latest.status.label),
    )
    text = incident.latest.text_below(links.home)
    return f"{moment}{reading.say(', ')}{status} - {text}"
