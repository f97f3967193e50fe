"""The calendar of maintenances (iCalendar, RFC 5545), for calendars that subscribe to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from icalendar import Calendar, Event, Timezone, TimezoneStandard

from statuspage.core.languages import N_
from statuspage.core.links import Links
from statuspage.public.feed_formats import whole_second, xml_text
from statuspage.public.feeds import EntryLocale, entry_locale, page_text
from statuspage.public.snapshot import IncidentView, PageView

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"


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
    title = page_text(page, N_("%(name)s maintenance"), name=name)
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
    event.add("dtstamp", whole_second(incident.updated_at))
    event.add("created", whole_second(incident.told_at))
    event.add("last-modified", whole_second(incident.updated_at))
    event.add("dtstart", whole_second(start))
    # An end must be later than the start (RFC 5545, 3.8.2.2); without one an event has no length.
    if whole_second(end) > whole_second(start):
        event.add("dtend", whole_second(end))
    event.add("summary", xml_text(incident.title))
    event.add("description", xml_text(_latest_text(incident, entry_locale(page), links)))
    event.add("url", links.incident(incident.code))
    event.add("status", "CANCELLED" if incident.is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    if incident.components:
        event.add(
            "categories", [xml_text(component.full_name) for component in incident.components]
        )
    return event


@lru_cache(maxsize=256)
def _latest_text(incident: IncidentView, locale: EntryLocale, links: Links) -> str:
    if incident.latest is None:
        return ""
    moment, status = (
        locale.time(incident.latest.happened_at),
        locale.say(incident.latest.status.label),
    )
    text = incident.latest.text_below(links.home)
    return f"{moment}{locale.say(', ')}{status} - {text}"
