from dataclasses import replace

import feedparser

from statuspage.core.links import Links
from statuspage.public import feed_formats
from statuspage.public.feeds import history_feed, incident_feed, newest_told, updates_feed
from statuspage.public.snapshot import IncidentView, UpdateView
from tests.public.samples import (
    IDENTIFIED,
    INVESTIGATING,
    LINKS,
    PAGE,
    RESOLVED,
    SCHEDULED,
    ago,
    component,
    incident,
    maintenance,
    post,
)

CHECKOUT = component("Checkout", group="Shop")
FOUND = post(INVESTIGATING, "We are looking.", ago(hours=3))
CAUSE = post(IDENTIFIED, "We know *why*.", ago(hours=2), edited_at=ago(hours=1))
OVER = post(RESOLVED, "It is over.", ago(minutes=5))
OUTAGE = incident("Payments fail", CAUSE, FOUND, components=[CHECKOUT])
OLD = incident("Search is slow", post(RESOLVED, "Fast again.", ago(days=3)))
UPGRADE = maintenance(
    "Database upgrade",
    post(SCHEDULED, "We upgrade.", ago(days=1)),
    start=ago(days=-2),
    end=ago(days=-2, hours=-2),
    components=[CHECKOUT],
)


def told(*incidents: IncidentView) -> list[tuple[IncidentView, UpdateView]]:
    return newest_told(incidents, most=50)


UPDATES = updates_feed(PAGE, told(OUTAGE, OLD), LINKS)
HISTORY = history_feed(PAGE, [OUTAGE, OLD], LINKS)


def read(content: bytes) -> feedparser.FeedParserDict:
    found = feedparser.parse(content)
    assert not found.bozo
    return found


# What the feeds tell.


def test_the_history_has_one_entry_for_each_incident_with_all_its_updates_newest_first() -> None:
    first, second = read(feed_formats.write_atom(HISTORY, LINKS)).entries
    assert first.content[0].value == (
        "<p><small>Mar 4, 2026, 10:00 UTC</small><br /><strong>Identified</strong> - We know "
        "<em>why</em>.</p> <p><small>Edited Mar 4, 2026, 11:00 UTC</small></p> "
        "<p><small>Mar 4, 2026, 09:00 UTC</small><br /><strong>Investigating</strong> - We are "
        "looking.</p>"
    )
    assert (first.title, second.title) == ("Payments fail", "Search is slow")
    assert first.link == LINKS.incident(OUTAGE.code)


def test_the_updates_have_one_entry_for_each_post_newest_first() -> None:
    found = read(feed_formats.write_rss(UPDATES, LINKS))
    assert [(entry.title, entry.id) for entry in found.entries] == [
        ("Identified: Payments fail", CAUSE.entry_id),
        ("Investigating: Payments fail", FOUND.entry_id),
        ("Resolved: Search is slow", OLD.updates[0].entry_id),
    ]
    assert found.entries[0].link == LINKS.update(OUTAGE.code, CAUSE.code)


def test_an_entry_is_dated_when_it_was_posted_and_updated_when_it_was_corrected() -> None:
    entry = read(feed_formats.write_atom(UPDATES, LINKS)).entries[0]
    assert (entry.published, entry.updated) == (
        "2026-03-04T10:00:00+00:00",
        "2026-03-04T11:00:00+00:00",
    )


def test_a_correction_changes_nothing_but_text_and_date() -> None:
    corrected = replace(CAUSE, body="We know that now.", edited_at=ago(minutes=1))
    incident = replace(OUTAGE, updates=(corrected, FOUND))
    before = UPDATES.entries[0]
    after = updates_feed(PAGE, told(incident), LINKS).entries[0]
    assert (after.id, after.published, after.title) == (before.id, before.published, before.title)
    assert after.updated == ago(minutes=1)
    assert "We know that now." in after.html


def test_ids_and_dates_survive_a_change_of_address() -> None:
    moved = updates_feed(PAGE, told(OUTAGE, OLD), Links("https://new.example.net/status"))
    assert [(e.id, e.published) for e in moved.entries] == [
        (e.id, e.published) for e in UPDATES.entries
    ]
    assert moved.id == UPDATES.id


def test_times_are_told_in_the_pages_zone() -> None:
    page = replace(PAGE, time_zone="America/Los_Angeles")
    entry = updates_feed(page, [(OUTAGE, FOUND)], LINKS).entries[0]
    assert entry.html == (
        "<p><small>Mar 4, 2026, 01:00 PST</small><br><strong>Investigating</strong> - "
        "We are looking.</p>"
    )


def test_a_body_that_opens_with_a_list_stands_below_its_head() -> None:
    listed = post(INVESTIGATING, "- one\n- two", ago(hours=3))
    entry = updates_feed(PAGE, [(OUTAGE, listed)], LINKS).entries[0]
    assert entry.html == (
        "<p><small>Mar 4, 2026, 09:00 UTC</small><br><strong>Investigating</strong></p> "
        "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"
    )


def test_a_maintenance_says_for_when_it_is_planned() -> None:
    entry = history_feed(PAGE, [UPGRADE], LINKS).entries[0]
    assert entry.html.startswith(
        "<p><strong>Scheduled maintenance, Mar 6, 2026, 12:00 – 14:00 UTC</strong></p> <p><small>"
    )
    called_off = replace(UPGRADE, cancelled_at=ago())
    entry = history_feed(PAGE, [called_off], LINKS).entries[0]
    assert entry.html.startswith(
        "<p><strong>Maintenance cancelled, was scheduled for "
        "Mar 6, 2026, 12:00 – 14:00 UTC</strong>"
    )


def test_a_incident_without_public_posts_has_no_entry() -> None:
    assert history_feed(PAGE, [incident("Silent")], LINKS).entries == ()


def test_the_feeds_of_a_component_and_of_a_incident_have_addresses_and_names_of_their_own() -> None:
    found = [
        updates_feed(PAGE, [], LINKS, part=CHECKOUT),
        history_feed(PAGE, [], LINKS, part=CHECKOUT),
        incident_feed(PAGE, OUTAGE, LINKS),
        UPDATES,
        HISTORY,
    ]
    assert [(feed.path, feed.title) for feed in found] == [
        (f"/components/{CHECKOUT.code}/updates", "Marigold Shop - Checkout - Status Updates"),
        (f"/components/{CHECKOUT.code}/history", "Marigold Shop - Checkout - Incident History"),
        (f"/incidents/{OUTAGE.code}/updates", "Marigold - Payments fail"),
        ("/updates", "Marigold Status - Status Updates"),
        ("/history", "Marigold Status - Incident History"),
    ]
    assert len({feed.id for feed in found}) == 5


def test_a_page_that_is_called_status_is_not_called_so_twice() -> None:
    page = replace(PAGE, name="Marigold Status")
    assert updates_feed(page, [], LINKS).title == "Marigold Status - Status Updates"
