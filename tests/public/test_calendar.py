"""The calendar of maintenances, as calendars read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar

from statuspage.public.calendar import write_calendar
from statuspage.public.snapshot import IncidentView
from tests.public.samples import (
    COMPLETED,
    IN_PROGRESS,
    LINKS,
    PAGE,
    SCHEDULED,
    ago,
    component,
    maintenance,
    post,
)

UPGRADE = maintenance(
    "Database upgrade",
    post(SCHEDULED, "We upgrade.", ago(days=1)),
    start=ago(days=-2),
    end=ago(days=-2, hours=-2),
    components=[component("Checkout", group="Shop")],
)


def events(*incidents: IncidentView) -> list[Calendar]:
    calendar = Calendar.from_ical(write_calendar(PAGE, incidents, LINKS))
    return list(calendar.walk("VEVENT"))


def test_a_maintenance_is_an_event_from_its_planned_start_to_its_end() -> None:
    (event,) = events(UPGRADE)
    assert (event["dtstart"].dt, event["dtend"].dt) == (UPGRADE.begins_at, UPGRADE.scheduled_until)
    assert str(event["summary"]) == "Database upgrade"
    assert str(event["description"]) == "Mar 3, 2026, 12:00 UTC, Scheduled - We upgrade."
    assert (event["status"], event["url"]) == ("CONFIRMED", LINKS.incident(UPGRADE.code))


def test_an_event_keeps_its_id_and_its_number_rises_with_every_change() -> None:
    moved = replace(
        UPGRADE,
        title="Bigger upgrade",
        begins_at=ago(days=-3),
        scheduled_for=ago(days=-3),
        updated_at=ago(hours=1),
    )
    called_off = replace(moved, cancelled_at=ago(), status=COMPLETED, updated_at=ago())
    found = events(UPGRADE, moved, called_off)
    assert len({event["uid"] for event in found}) == 1
    numbers = [event["sequence"] for event in found]
    assert numbers == sorted(set(numbers))
    assert [event["status"] for event in found] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]


def test_a_maintenance_that_ended_early_ends_early_in_the_calendar() -> None:
    done = replace(
        UPGRADE,
        status=COMPLETED,
        begins_at=ago(hours=2),
        scheduled_for=ago(hours=2),
        scheduled_until=ago(hours=-2),
        resolved_at=ago(hours=1),
    )
    (event,) = events(done)
    assert event["dtend"].dt == ago(hours=1)


def test_an_event_without_length_has_no_end() -> None:
    """An end must be later than the start (RFC 5545, 3.8.2.2)."""
    within_a_second = replace(
        UPGRADE, scheduled_until=UPGRADE.begins_at + timedelta(milliseconds=900)
    )
    for odd in (replace(UPGRADE, status=IN_PROGRESS, scheduled_until=None), within_a_second):
        (event,) = events(odd)
        assert (event["dtstart"].dt, "dtend" in event) == (UPGRADE.begins_at, False)


def test_the_calendar_names_the_page_and_how_often_to_look() -> None:
    calendar = Calendar.from_ical(write_calendar(PAGE, [UPGRADE], LINKS))
    assert (calendar["x-wr-calname"], calendar["method"]) == ("Marigold maintenance", "PUBLISH")


def test_a_calendar_without_maintenance_still_has_a_component() -> None:
    """RFC 5545, 3.6 asks for one, RFC 5546, 3.2.1 for an event in whatever is published."""
    written = write_calendar(PAGE, [], LINKS)
    calendar = Calendar.from_ical(written)
    assert [each.name for each in calendar.subcomponents] == ["VTIMEZONE"]
    assert "method" not in calendar
    assert b"BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n" in written
    assert write_calendar(PAGE, [], LINKS) == written


def test_a_zone_changes_the_words_of_a_calendar_and_not_its_times() -> None:
    page = replace(PAGE, time_zone="Asia/Tokyo")
    (event,) = Calendar.from_ical(write_calendar(page, [UPGRADE], LINKS)).walk("VEVENT")
    assert event["dtstart"].dt == UPGRADE.begins_at
    assert str(event["description"]).startswith("Mar 3, 2026, 21:00")
    assert page.zone == ZoneInfo("Asia/Tokyo")


def test_hostile_text_begins_no_event() -> None:
    hostile = replace(UPGRADE, title="BEGIN:VEVENT\r\nUID:evil\n<script>")
    (event,) = events(hostile)
    assert event["uid"] == f"{UPGRADE.code}@{PAGE.code}"
    assert str(event["summary"]) == "BEGIN:VEVENT\nUID:evil\n<script>"
