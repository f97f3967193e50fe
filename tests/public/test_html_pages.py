"""What a visitor reads, from plain views: no database, no server."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import lxml.html
import pytest
from jinja2 import Environment

from statuspage.core.enums import ComponentStatus, Impact
from statuspage.core.links import Links
from statuspage.public import html_pages, times
from statuspage.public.assets import FOLDER, asset_documents, read_asset
from statuspage.public.snapshot import EarlierText, Frame, IncidentView, Snapshot
from statuspage.public.uptime import Change, count_days
from tests.htmlchecker import HtmlChecker
from tests.public import samples
from tests.public.samples import LINKS, NOON, PAGE, ago, component, group, incident, post, snapshot

CALM = samples.ALL_FINE.frame
WORST = samples.WORST_DAY

Element = lxml.html.HtmlElement


def shots() -> dict[str, str]:
    """Every kind of page on every kind of day, by name."""
    home = {name: html_pages.render_home(view, LINKS) for name, view in samples.SAMPLES.items()}
    return {
        **home,
        "unconfirmed": html_pages.mark_unconfirmed(home["all-fine"], since=NOON),
        **{
            f"story-{incident.code}": html_pages.render_incident(view.frame, incident, LINKS)
            for view in samples.SAMPLES.values()
            for incident in (*view.open_incidents, *view.active, *view.upcoming, *view.recent[:3])
        },
        **{
            f"component-{name}-{view.code}": html_pages.render_component(
                sample.frame, samples.component_page(view, sample.incidents), LINKS
            )
            for name in ("all-fine", "worst-day", "hostile")
            for sample in [samples.SAMPLES[name]]
            for view in sample.components[:3]
        },
        "history": html_pages.render_history(CALM, samples.MONTH, LINKS),
        "history-empty": html_pages.render_history(CALM, samples.EMPTY_MONTH, LINKS),
        "history-paged": html_pages.render_history(WORST.frame, samples.PAGED_MONTH, LINKS),
        **{f"error-{code}": html_pages.render_error(code) for code in (404, 405, 410, 500, 503)},
        "error-in-frame": html_pages.render_error(404, frame=WORST.frame, links=LINKS),
    }


SHOTS = shots()
every_page = pytest.mark.parametrize("html", SHOTS.values(), ids=SHOTS.keys())


def home(view: Snapshot, links: Links = LINKS) -> Element:
    return lxml.html.fromstring(html_pages.render_home(view, links))


def incident_page(incident: IncidentView, frame: Frame = CALM) -> Element:
    return lxml.html.fromstring(html_pages.render_incident(frame, incident, LINKS))


def read(root: Element, selector: str) -> str:
    """The text of the one element that the selector finds, as it is read."""
    [found] = root.cssselect(selector)
    return _squeeze(found.text_content())


def read_all(root: Element, selector: str) -> list[str]:
    return [_squeeze(found.text_content()) for found in root.cssselect(selector)]


def facts(root: Element) -> list[tuple[str, str]]:
    """What the head of an incident's page says, term by term."""
    terms, values = read_all(root, ".summary dt"), read_all(root, ".summary dd")
    return list(zip(terms, values, strict=True))


def symbols(elements: Iterable[Element]) -> list[str]:
    return [use.get("href", "") for each in elements for use in each.cssselect("use")]


def _squeeze(text: str) -> str:
    return " ".join(text.split())


# One glance.


@pytest.mark.parametrize(
    ("name", "words", "symbol"),
    [
        ("all-fine", "All Systems Operational", "#i-fine"),
        ("minor", "Partially Degraded Service", "#i-minor"),
        ("worst-day", "Major System Outage", "#i-critical"),
        ("maintenance", "Service Under Maintenance", "#i-planned"),
    ],
)
def test_the_overall_state_is_told_by_words_shape_and_title(
    name: str, words: str, symbol: str
) -> None:
    root = home(samples.SAMPLES[name])
    assert read(root, "#overall h1") == words
    assert symbols(root.cssselect("#overall"))[0] == symbol
    assert read(root, "title") == f"{words} · Marigold Status"
    [icon] = root.cssselect("link[rel=icon]")
    assert symbol.removeprefix("#i-") in icon.get("href")


def test_what_is_affected_stands_under_the_overall_state() -> None:
    assert read_all(home(WORST), "#overall p") == [
        "Affected: Checkout, Payments",
        "Last change Mar 4, 2026, 11:48 UTC",
    ]


def test_beyond_four_affected_components_are_counted() -> None:
    view = snapshot(tree=[component(f"Part {n}", samples.DEGRADED) for n in range(1, 8)])
    affected = read_all(home(view), "#overall p")[0]
    assert affected == "Affected: Part 1, Part 2, Part 3, Part 4 and 3 more"


def test_a_page_that_is_not_set_up_claims_nothing() -> None:
    root = home(samples.NOT_SET_UP)
    assert read(root, "title") == "This page is being set up · Status"
    [picture] = root.cssselect('meta[property="og:image:alt"]')
    assert picture.get("content") == "This page is being set up"
    assert symbols(root.cssselect("#overall")) == ["#i-unknown"]


def test_a_page_whose_name_says_status_is_not_called_so_twice() -> None:
    root = home(snapshot(page=replace(PAGE, name="Marigold status page")))
    assert read(root, ".brand") == "Marigold status page"


@pytest.mark.parametrize(
    "html",
    [
        SHOTS["worst-day"],
        SHOTS["history-paged"],
        SHOTS["error-in-frame"],
        html_pages.render_incident(WORST.frame, samples.SLOW_SIGN_IN, LINKS),
    ],
    ids=["home", "history", "error", "another incident"],
)
def test_an_open_incident_of_the_worst_severity_is_pinned_on_every_page(html: str) -> None:
    root = lxml.html.fromstring(html)
    assert read_all(root, ".banner") == ["Orders cannot be placed Identified · Update overdue"]
    [link] = root.cssselect(".banner a")
    assert link.get("href") == f"/incidents/{samples.CHECKOUT_DOWN.code}"


def test_nothing_is_pinned_while_no_incident_is_that_severe() -> None:
    assert home(samples.ONE_MINOR).cssselect(".banner") == []


# Open incidents and maintenance.


def test_the_gravest_open_incident_comes_first() -> None:
    titles = read_all(home(WORST), "#open h3")
    assert titles == ["Orders cannot be placed", "Slow sign-in"]


def test_beside_the_gravest_open_incident_the_others_are_folded() -> None:
    first, second = home(WORST).cssselect("#open .card")
    assert (first.tag, second.tag, second.get("open")) == ("article", "details", None)
    assert read(second, "summary h3") == "Slow sign-in"
    assert read(second, "summary .facts") == (
        "Monitoring · Minor impact · Last update Mar 4, 2026, 11:48 UTC"
    )
    assert read(second, "summary .gist").startswith("Sign-in is back to its usual speed")
    assert second.cssselect("summary a") == []
    assert read_all(second, ".post h4") == ["Monitoring", "Investigating"]
    [page] = second.cssselect(".card > .facts a")
    assert page.get("href") == f"/incidents/{samples.SLOW_SIGN_IN.code}"


def test_an_open_incident_shows_impact_components_promise_and_posts_newest_first() -> None:
    root = home(samples.ONE_MINOR)
    assert read(root, "#open .facts") == "Minor impact · since Mar 4, 2026, 11:12 UTC"
    assert read_all(root, "#open .affected li") == ["Degraded performance Sign-in"]
    assert read(root, "#open .promise") == "Next update by Mar 4, 2026, 12:30 UTC"
    assert read_all(root, "#open .post h4") == ["Monitoring", "Investigating"]
    assert read_all(root, "#open .post .when") == [
        "Mar 4, 2026, 11:48 UTC",
        "Mar 4, 2026, 11:12 UTC",
    ]


def test_a_promise_that_was_not_kept_is_said_plainly() -> None:
    [late] = home(WORST).cssselect(".promise.late")
    assert _squeeze(late.text_content()) == (
        "Update overdue: it was due by Mar 4, 2026, 11:55 UTC."
    )


def test_posts_beyond_five_are_counted_and_found_on_the_storys_page() -> None:
    root = home(samples.VERY_LONG)
    assert len(root.cssselect("#open .post")) == html_pages.MOST_POSTS_ON_HOME
    assert read(root, "#open .more") == "25 earlier updates"


def test_planned_work_says_when_and_for_how_long() -> None:
    root = home(samples.MAINTENANCE)
    assert read(root, "#active .facts") == ("Maintenance · Mar 4, 2026, 11:40 – 13:40 UTC, 2 hours")
    assert read(root, "#upcoming .facts") == (
        "Maintenance · Mar 6, 2026, 22:00 – 23:30 UTC, 1 hour 30 minutes"
    )


def test_components_in_one_state_share_it_the_worst_first_and_removed_ones_have_none() -> None:
    shown = [
        samples.component("Search", samples.PARTIAL),
        samples.component("Old API", is_removed=True),
        samples.component("Orders", samples.MAJOR),
        samples.component("Cards", samples.PARTIAL),
    ]
    incident = replace(samples.CHECKOUT_DOWN, components=tuple(shown))
    assert read_all(incident_page(incident), ".affected li") == [
        "Major outage Orders",
        "Partial outage Search, Cards",
        "Old API",
    ]


def test_a_coming_maintenance_does_not_lend_its_components_their_present_state() -> None:
    assert read(home(samples.MAINTENANCE), "#upcoming .affected") == "Affected: Catalog, Search"


# Components.


def test_a_group_shows_the_worst_state_in_it() -> None:
    states = read_all(home(WORST), "#components summary")
    assert states == ["Storefront Major outage", "Accounts Degraded performance"]


def test_groups_stand_open_on_a_small_page() -> None:
    groups = home(samples.ALL_FINE).cssselect("#components details")
    assert [group.get("open") for group in groups] == ["", ""]


def test_on_a_large_page_only_groups_with_trouble_stand_open() -> None:
    groups = home(samples.MANY_COMPONENTS).cssselect("#components details")
    assert [group.get("open") is not None for group in groups] == [True] + [False] * 6


def test_a_page_of_very_many_components_lists_the_worst_and_the_first_of_them() -> None:
    tree = [component(f"Part {number}") for number in range(300)]
    tree[200] = component("Part 200", samples.PARTIAL)
    root = home(snapshot(tree=tree))
    names = read_all(root, ".component .name")
    assert names == [*(f"Part {number}" for number in range(24)), "Part 200"]
    rest = root.cssselect("#components .rest a")
    assert [(each.text_content(), each.get("href")) for each in rest] == [
        ("Show all 300 components", "/components")
    ]


def test_a_large_group_leads_to_all_of_its_own() -> None:
    large = group("Regions", *(component(f"Region {number}") for number in range(150)))
    root = home(snapshot(tree=[large]))
    assert len(root.cssselect("details .component")) == 25
    (rest,) = root.cssselect("details .rest a")
    assert rest.text_content() == "Show all 150 components"
    everything = html_pages.render_components(CALM, (large,), {}, LINKS)
    whole = lxml.html.fromstring(everything)
    assert len(whole.cssselect(f"{rest.get('href').removeprefix('/components')} .component")) == 150
    assert whole.cssselect(".rest") == []


def test_a_component_can_be_shown_only_while_it_is_degraded() -> None:
    fine = component("Legacy", only_show_if_degraded=True)
    broken = component("Legacy", samples.PARTIAL, only_show_if_degraded=True)
    assert home(snapshot(tree=[fine])).cssselect(".component") == []
    shown = home(snapshot(tree=[broken]))
    assert read_all(shown, ".component :is(.name, .state)") == ["Legacy", "Partial outage"]


def test_a_page_without_components_says_so() -> None:
    assert read(home(samples.NOTHING), "#components .empty") == "No components are listed yet."


@pytest.mark.parametrize("status", ComponentStatus)
def test_every_state_has_a_word_a_shape_and_a_colour(status: ComponentStatus) -> None:
    root = home(snapshot(tree=[component("API", status)]))
    [state] = root.cssselect(".component .state")
    [symbol] = symbols([state])
    assert _squeeze(state.text_content()) == status.label
    assert len(root.cssselect(f"symbol{symbol}")) == 1
    assert symbol == f"#i-{state.get('class').split()[1]}"


# The last days and the history.


def test_each_of_the_last_days_says_what_was_and_quiet_ones_on_end_say_it_once() -> None:
    days = read_all(home(samples.ALL_FINE), ".days > li")
    assert [day.partition(", 2026 ")[0] for day in days] == [
        "Feb 28 – Mar 4",
        "Feb 27",
        "Feb 24 – 26",
        "Feb 23",
        "Feb 22",
        "Feb 21",
        "Feb 18 – 20",
    ]
    assert days[0] == "Feb 28 – Mar 4, 2026 No incidents reported."
    assert days[1] == (
        "Feb 27, 2026 Card payments were declined "
        "Resolved · was critical · Feb 27, 2026, 09:30 – 12:00 UTC, 2 hours 30 minutes "
        "Card payments work again. From 09:30 to 12:00 UTC on February 27 most of them were "
        "declined, and we are sorry for the orders that this cost you."
    )


def test_a_month_in_which_incidents_only_went_on_names_them() -> None:
    month = replace(
        samples.MONTH, incidents=(), continued=(samples.PAYMENTS_OUTAGE,), later_pages=3
    )
    root = lxml.html.fromstring(html_pages.render_history(CALM, month, LINKS))
    assert read_all(root, "#month h2") == ["Continued from earlier"]
    assert read(root, "#month h3") == "Card payments were declined"
    assert root.cssselect("#month .empty") == []
    assert root.cssselect("[rel=prev]")[0].get("href") == "/history/2026-03/3"


def test_a_day_with_more_incidents_than_fit_leads_to_its_month() -> None:
    view = samples.VERY_LONG
    [more] = home(view).cssselect(".days .more a")
    assert _squeeze(more.text_content()) == "5 more on this day"
    assert more.get("href") == "/history/2026-03"


def test_the_history_of_a_month_leads_to_its_neighbours() -> None:
    root = lxml.html.fromstring(SHOTS["history"])
    assert read(root, "h1") == "February 2026"
    assert read_all(root, "#month h2") == [
        "Feb 28, 2026",
        "Feb 27, 2026",
        "Feb 23, 2026",
        "Feb 21, 2026",
    ]
    links = [(link.get("rel"), link.get("href")) for link in root.cssselect("nav.turn a")]
    assert links == [("prev", "/history/2026-03"), ("next", "/history/2025-12")]


def test_a_month_too_long_for_one_page_is_turned_page_by_page() -> None:
    root = lxml.html.fromstring(SHOTS["history-paged"])
    assert read(root, "h1") == "February 2026 page 2 of 3"
    links = [(link.get("rel"), link.get("href")) for link in root.cssselect("nav.turn a")]
    assert links == [("prev", "/history/2026-02"), ("next", "/history/2026-02/3")]


def test_a_month_in_which_nothing_happened_says_so() -> None:
    root = lxml.html.fromstring(SHOTS["history-empty"])
    assert read(root, "#month .empty") == "No incidents reported in January 2026."


def test_a_incident_belongs_to_its_day_in_the_pages_zone() -> None:
    frame = replace(CALM, page=replace(PAGE, time_zone="Pacific/Auckland"))
    late = incident("Late", post(samples.RESOLVED, "Over.", ago(days=5, hours=-5)))
    month = replace(samples.MONTH, incidents=(late,))
    root = lxml.html.fromstring(html_pages.render_history(frame, month, LINKS))
    assert read_all(root, "#month h2") == ["Feb 28, 2026"]


# One incident.


def test_a_incident_tells_status_span_duration_and_what_was_affected() -> None:
    root = incident_page(samples.PAYMENTS_OUTAGE)
    assert read(root, "h1") == "Card payments were declined"
    assert read(root, ".story .kind") == "Incident · was critical"
    assert facts(root) == [
        ("Status", "Resolved"),
        ("When", "Feb 27, 2026, 09:30 – 12:00 UTC"),
        ("Duration", "2 hours 30 minutes"),
        ("Affected", "Checkout, Payments"),
    ]


@pytest.mark.parametrize(
    ("impact", "words"),
    [
        (Impact.CRITICAL, "was critical"),
        (Impact.MAJOR, "was major"),
        (Impact.MINOR, "was minor"),
        (Impact.NONE, "No impact"),
    ],
)
def test_what_is_resolved_is_grey_and_says_how_grave_it_was(impact: Impact, words: str) -> None:
    past = replace(samples.PAYMENTS_OUTAGE, impact=impact)
    page = incident_page(past)
    [icon] = page.cssselect(".story .kind .icon")
    assert (icon.get("class"), symbols([icon])) == ("icon over", ["#i-fine"])
    assert read(page, ".story .kind") == f"Incident · {words}"
    month = replace(samples.MONTH, incidents=(past,))
    line = lxml.html.fromstring(html_pages.render_history(CALM, month, LINKS))
    assert line.cssselect(".line .icon")[0].get("class") == "icon over"
    assert read(line, ".line .facts").startswith(f"Resolved · {words} · ")


def test_a_false_alarm_had_no_impact() -> None:
    alarm = replace(samples.PAYMENTS_OUTAGE, cancelled_at=NOON)
    assert read(incident_page(alarm), ".story .kind") == "Incident · No impact"


def told(body: str, *, language: str = "", **columns: object) -> Element:
    """The text of a post as a page shows it."""
    update = replace(post(samples.INVESTIGATING, body, ago(minutes=5)), **columns)  # type: ignore[arg-type]
    frame = replace(CALM, read_in=language)
    [prose] = incident_page(incident("Slow", update), frame).cssselect(".prose")
    return prose


DUE = ("Mar 4, 2026, 12:30 UTC", "2026-03-04T12:30:00+00:00")


def test_a_time_that_is_known_in_a_text_is_an_element_and_any_other_is_text() -> None:
    prose = told(f"Next update by {DUE[0]}. Not Mar 5, 2026, 12:30 UTC.", times=(DUE,))
    assert [(each.text, each.get("datetime")) for each in prose.iter("time")] == [
        (DUE[0], "2026-03-04T12:30:00Z")
    ]
    assert _squeeze(prose.text_content()) == (
        "Next update by Mar 4, 2026, 12:30 UTC. Not Mar 5, 2026, 12:30 UTC."
    )


def test_the_first_line_in_the_history_has_its_times_too() -> None:
    update = replace(post(samples.RESOLVED, f"Over <b> since {DUE[0]}.", ago(days=1)), times=(DUE,))
    month = replace(samples.MONTH, incidents=(incident("Slow", update),))
    [gist] = lxml.html.fromstring(html_pages.render_history(CALM, month, LINKS)).cssselect(".gist")
    assert [each.text for each in gist.iter("time")] == [DUE[0]]
    assert gist.text_content() == f"Over <b> since {DUE[0]}."


def test_a_text_without_known_times_is_as_it_was() -> None:
    assert list(told(f"Next update by {DUE[0]}.").iter("time")) == []


def test_times_are_elements_in_a_further_language_too() -> None:
    german = ("4. März 2026, 12:30 UTC", DUE[1])
    prose = told(
        "Soon.",
        language="de",
        translations=(("de", "", f"Nächste Meldung bis {german[0]}."),),
        times=(DUE, german),
    )
    assert [each.text for each in prose.iter("time")] == [german[0]]


def test_each_post_has_an_address_of_its_own() -> None:
    root = incident_page(samples.PAYMENTS_OUTAGE)
    codes = [post.code for post in samples.PAYMENTS_OUTAGE.updates]
    assert [each.get("id") for each in root.cssselect(".post")] == [f"update-{c}" for c in codes]
    links = [link.get("href") for link in root.cssselect(".post .when a")]
    assert links == [f"/incidents/{samples.PAYMENTS_OUTAGE.code}#update-{c}" for c in codes]


def test_a_post_tells_how_components_changed() -> None:
    changes = read_all(incident_page(samples.PAYMENTS_OUTAGE), ".changes li")
    assert changes[0] == "Payments Partial outage → now Operational"


def test_a_post_made_later_than_what_it_tells_says_both_times() -> None:
    root = incident_page(samples.PAYMENTS_OUTAGE)
    identified = root.cssselect(".post")[2]
    assert read(identified, ".when") == "Feb 27, 2026, 10:25 UTC"
    assert read(identified, ".note") == "Posted Feb 27, 2026, 10:38 UTC"


def test_a_corrected_post_says_so_and_keeps_what_it_said_before() -> None:
    corrected = incident_page(samples.PAYMENTS_OUTAGE).cssselect(".post")[3]
    assert read_all(corrected, ".note") == [
        "Edited Feb 27, 2026, 09:40 UTC",
        "Until Feb 27, 2026, 09:40 UTC",
    ]
    assert read(corrected, "details .prose") == "Some card payments are declined."


def test_a_text_that_was_taken_off_is_told_of_and_not_shown() -> None:
    kept = samples.PAYMENTS_OUTAGE.updates[3]
    taken_off = replace(kept, earlier=(EarlierText("", kept.earlier[0].replaced_at),))
    root = incident_page(replace(samples.PAYMENTS_OUTAGE, updates=(taken_off,)))
    assert read_all(root, "details.earlier p") == [
        "Until Feb 27, 2026, 09:40 UTC",
        "This text was removed from the page.",
    ]


def test_a_reopened_incident_says_so() -> None:
    again = incident(
        "Back again",
        post(samples.INVESTIGATING, "It is back.", ago(minutes=5), reopens=True),
        post(samples.RESOLVED, "It is over.", ago(minutes=30)),
    )
    assert read_all(incident_page(again), ".post h3") == ["Investigating Reopened", "Resolved"]


def test_a_cancelled_maintenance_says_so() -> None:
    root = incident_page(samples.CALLED_OFF)
    assert facts(root) == [
        ("Status", "Cancelled"),
        ("Scheduled for", "Feb 28, 2026, 12:00 – 14:00 UTC, 2 hours"),
        ("Cancelled", "Feb 27, 2026, 12:00 UTC"),
    ]
    assert read_all(root, ".post h3") == ["Cancelled", "Scheduled"]


def test_a_maintenance_tells_the_plan_and_what_became_of_it() -> None:
    overrun = replace(samples.INDEX_REBUILD, resolved_at=ago(days=10, hours=23))
    assert facts(incident_page(overrun))[:4] == [
        ("Status", "Completed"),
        ("Scheduled for", "Feb 21, 2026, 10:00 – 12:00 UTC, 2 hours"),
        ("When", "Feb 21, 2026, 10:00 – 13:00 UTC"),
        ("Duration", "3 hours"),
    ]


def test_a_incident_without_public_posts_says_so() -> None:
    assert read(incident_page(incident("Quiet")), ".empty") == "No updates have been posted yet."


def test_a_incident_can_be_followed_by_its_own_feeds() -> None:
    links = incident_page(samples.PAYMENTS_OUTAGE).cssselect(".follow a")
    base = f"/incidents/{samples.PAYMENTS_OUTAGE.code}/updates"
    assert [link.get("href") for link in links] == [f"{base}.{e}" for e in ("rss", "atom", "json")]


# Times.


@every_page
def test_every_moment_names_its_year_and_zone(html: str) -> None:
    root = lxml.html.fromstring(html)
    lone = [t for t in root.cssselect("time[datetime*=T]") if t.getparent().tag != "span"]
    spans = root.cssselect("span[data-span]")
    for text in [_squeeze(each.text_content()) for each in (*lone, *spans)]:
        assert re.search(r"\b20\d\d\b.* UTC$", text), text


def test_times_are_told_in_the_pages_zone() -> None:
    berlin = replace(
        WORST, frame=replace(WORST.frame, page=replace(PAGE, time_zone="Europe/Berlin"))
    )
    root = home(berlin)
    assert read(root, "#overall .facts") == "Last change Mar 4, 2026, 12:48 CET"
    assert read(root, "#zone") == "Times are in Europe/Berlin."


def test_a_span_over_midnight_names_both_days() -> None:
    night = samples.maintenance(
        "Night work",
        post(samples.SCHEDULED, "At night.", ago(days=1)),
        start=NOON + timedelta(hours=11),
        end=NOON + timedelta(hours=13),
    )
    assert read(home(snapshot(incidents=[night])), "#upcoming .facts") == (
        "Maintenance · Mar 4, 2026, 23:00 UTC – Mar 5, 2026, 01:00 UTC, 2 hours"
    )


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=61), "1 hour 1 minute"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(days=1, minutes=5), "1 day"),
        (timedelta(days=3, hours=1, minutes=59), "3 days 1 hour"),
    ],
)
def test_lengths_are_told_in_two_units_at_most(length: timedelta, words: str) -> None:
    assert times.Times("en", "UTC").duration(NOON, NOON + length) == words


def test_the_same_views_give_the_same_bytes() -> None:
    assert html_pages.render_home(WORST, LINKS) == SHOTS["worst-day"]


def test_the_page_tells_when_time_alone_will_change_it() -> None:
    view = replace(samples.ONE_MINOR, next_change_at=NOON + timedelta(minutes=30))
    [main] = home(view).cssselect("main")
    assert main.get("data-changes") == "2026-03-04T12:30:00Z"
    assert main.get("data-updated") == "2026-03-04T11:48:00Z"


# Errors, and a page that nobody vouches for.


@pytest.mark.parametrize(
    ("code", "headline", "ways"),
    [
        (404, "Page not found", ["/", "/history"]),
        (405, "Method not allowed", ["/", "/history"]),
        (500, "Something went wrong on our side", ["", "/", "/history"]),
        (418, "Something went wrong on our side", ["", "/", "/history"]),
        (503, "The status isn’t available right now", [""]),
    ],
)
def test_an_error_says_what_happened_and_leads_onwards(
    code: int, headline: str, ways: list[str]
) -> None:
    root = lxml.html.fromstring(html_pages.render_error(code, frame=CALM, links=LINKS))
    assert read(root, "h1") == headline
    assert read(root, ".code") == str(code)
    assert [link.get("href") for link in root.cssselect(".ways a")] == ways


def test_an_error_needs_neither_database_nor_settings() -> None:
    root = lxml.html.fromstring(html_pages.render_error(404))
    assert read(root, "title") == "Page not found"
    assert root.cssselect("header, footer, script") == []


def test_an_unconfirmed_page_says_since_when_and_shows_no_green() -> None:
    root = lxml.html.fromstring(SHOTS["unconfirmed"])
    assert read(root, "#unconfirmed") == (
        "Not confirmed since Mar 4, 2026, 12:00 UTC. "
        "What you see was accurate then and may be out of date."
    )
    assert read(root, "h1") == "Last known: All Systems Operational"
    assert read(root, "title") == "Not confirmed · All Systems Operational · Marigold Status"
    [icon] = root.cssselect("link[rel=icon]")
    assert "favicon-unknown" in icon.get("href")


def test_the_notice_needs_nothing_but_the_page() -> None:
    berlin = replace(PAGE, time_zone="Europe/Berlin")
    html = html_pages.render_home(snapshot(page=berlin), Links("https://example.com/status"))
    root = lxml.html.fromstring(html_pages.mark_unconfirmed(html, since=NOON))
    assert read(root, "#unconfirmed strong") == "Not confirmed since Mar 4, 2026, 13:00 CET."
    [icon] = root.cssselect("link[rel=icon]")
    assert icon.get("href").startswith("/status/static/favicon-unknown.")


def test_what_is_no_page_of_ours_is_not_marked() -> None:
    assert html_pages.mark_unconfirmed("<p>Hello</p>", since=NOON) == "<p>Hello</p>"


def test_a_title_cannot_pass_for_the_notices_place() -> None:
    html = html_pages.mark_unconfirmed(SHOTS["hostile"], since=NOON)
    root = lxml.html.fromstring(html)
    [main] = root.cssselect("main")
    assert main[0].get("id") == "unconfirmed"
    assert len(root.cssselect("#unconfirmed")) == 1


# Safety.


@every_page
def test_no_text_becomes_markup(html: str) -> None:
    root = lxml.html.fromstring(html)
    sources = [script.get("src", "") for script in root.iter("script")]
    assert all(re.fullmatch(r"/static/page\.\w+\.js", source) for source in sources)
    assert list(root.iter("img", "style", "iframe", "object")) == []
    assert {form.action for form in root.forms} <= {"/subscribe"}
    names = {name for element in root.cssselect("*") for name in element.attrib}
    assert {name for name in names if name.startswith("on") or name == "style"} == set()
    hrefs = [link.get("href", "") for link in root.iter("a")]
    assert [href for href in hrefs if not re.match(r"(https?:|mailto:|/|#|$)", href)] == []


def test_hostile_texts_are_read_as_they_were_written() -> None:
    root = home(samples.HOSTILE)
    assert read_all(root, ".component .name")[0] == "<script>alert(1)</script> %(name)s %s {{ x }}"
    assert read_all(root, "#open h3")[0] == (
        "</title><script>alert(1)</script> <!--unconfirmed--> &amp; 100% %(x)s"
    )


def test_a_support_address_that_is_not_of_the_web_is_no_link() -> None:
    page = replace(PAGE, support_email="", support_url="javascript:alert(1)")
    assert home(snapshot(page=page)).cssselect("footer p a") == []


@every_page
def test_nothing_is_asked_of_another_host(html: str) -> None:
    root = lxml.html.fromstring(html)
    fetched = [each.get("src") for each in root.cssselect("script, img")]
    fetched += [e.get("href") for e in root.cssselect("link[rel=stylesheet], link[rel=icon]")]
    served = asset_documents()
    assert [address for address in fetched if address not in served] == []


def test_under_a_path_every_address_stays_under_it() -> None:
    root = home(WORST, Links("https://example.com/status"))
    hrefs = [each.get("href") for each in root.cssselect("[href]")]
    own = [h for h in hrefs if not h.startswith(("#", "mailto:", "https://example.com/status/"))]
    assert [href for href in own if not href.startswith("/status/")] == []


# Form.


@every_page
def test_pages_are_valid_html(html: str, html_errors: HtmlChecker) -> None:
    assert html_errors(html) == []


@every_page
def test_headings_descend_step_by_step(html: str) -> None:
    levels = [int(h.tag[1]) for h in lxml.html.fromstring(html).cssselect("main :is(h1,h2,h3,h4)")]
    written = [level for level in levels if level]
    assert written[0] == 1
    assert written.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(written))


@every_page
def test_every_id_is_there_once(html: str) -> None:
    ids = [element.get("id") for element in lxml.html.fromstring(html).cssselect("[id]")]
    assert len(ids) == len(set(ids))


@every_page
def test_every_symbol_used_is_there(html: str) -> None:
    root = lxml.html.fromstring(html)
    there = {f"#{symbol.get('id')}" for symbol in root.iter("symbol")}
    assert set(symbols([root])) <= there


@pytest.mark.parametrize("impact", [i for i in Impact if i is not Impact.MAINTENANCE])
def test_every_overall_state_has_a_favicon(impact: Impact) -> None:
    frame = replace(CALM, indicator=impact)
    root = lxml.html.fromstring(html_pages.render_history(frame, samples.MONTH, LINKS))
    [icon] = root.cssselect("link[rel=icon]")
    assert icon.get("href") in asset_documents()


@every_page
def test_a_first_visit_is_small(html: str) -> None:
    parts = [html.encode(), read_asset("page.css"), read_asset("page.js")]
    assert sum(len(gzip.compress(part)) for part in parts) < 30 * 1024


# Colours: WCAG 2.2, 1.4.3 and 1.4.11.

MEANINGS = ("fine", "planned", "minor", "major", "critical", "unknown")


def _schemes() -> dict[str, dict[str, str]]:
    css = (FOLDER / "tokens.css").read_text()
    light, dark = css.split("@media screen and (prefers-color-scheme: dark)", 1)
    colours = re.compile(r"--([\w-]+): (#[0-9a-f]{3,6});")
    bright = dict(colours.findall(light))
    return {"light": bright, "dark": bright | dict(colours.findall(dark.split("@media")[0]))}


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, bright = sorted([_luminance(one), _luminance(other)])
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("meaning", MEANINGS)
def test_a_meanings_colour_reads_on_everything_it_stands_on(scheme: str, meaning: str) -> None:
    colours = _schemes()[scheme]
    for ground in ("ground", "surface", f"{meaning}-tint"):
        assert contrast(colours[meaning], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "ink-soft"])
def test_text_reads_on_everything_it_stands_on(scheme: str, ink: str) -> None:
    colours = _schemes()[scheme]
    tints = [f"{meaning}-tint" for meaning in MEANINGS]
    for ground in ("ground", "surface", "sunken", *tints):
        assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_edges_of_controls_the_focus_and_the_banner_can_be_seen(scheme: str) -> None:
    colours = _schemes()[scheme]
    for ground in ("ground", "surface"):
        assert contrast(colours["line-strong"], colours[ground]) >= 3
        assert contrast(colours["focus"], colours[ground]) >= 3
    assert contrast(colours["on-alarm"], colours["alarm"]) >= 4.5


# The days of components.


def shown_component(view: Snapshot, name: str) -> Element:
    part = next(each for each in view.components if each.name == name)
    html = html_pages.render_component(
        view.frame, samples.component_page(part, view.incidents), LINKS
    )
    return lxml.html.fromstring(html)


def test_a_bar_says_in_words_what_it_shows():
    [bar] = [
        each.cssselect("svg.bar")[0]
        for each in home(WORST).cssselect(".component")
        if read(each, ".name") == "Payments"
    ]
    label = bar.get("aria-label", "")
    assert (bar.get("role"), label.partition(",")[0]) == ("img", "Last 90 days")
    assert re.search(r"\d\d\.\d\d% uptime, problems on \d+ days?$", label)


def test_on_its_first_day_a_component_has_no_percentage_yet():
    log = (Change(ago(hours=3), samples.OPERATIONAL),)
    new = count_days(log, zone=PAGE.zone, until=NOON)
    view = snapshot(tree=[component("New")])
    root = home(replace(view, uptimes={view.components[0].code: new}))
    assert read(root, ".uptime span[aria-hidden]") == "Since today"
    label = root.cssselect("svg.bar")[0].get("aria-label")
    assert label == "Last 90 days, data since today, no problems"
    shown = replace(samples.component_page(view.components[0], ()), uptime=new)
    page = lxml.html.fromstring(html_pages.render_component(CALM, shown, LINKS))
    assert "Since today" in read_all(page, "#uptime .panel > p")


def test_a_components_name_leads_to_its_page():
    links = [each.get("href", "") for each in home(WORST).cssselect(".component .name a")]
    assert links == [f"/components/{each.code}" for each in WORST.components]


def test_the_days_of_a_component_read_as_a_table():
    root = shown_component(WORST, "Payments")
    assert read_all(root, "thead th[scope=col]") == [
        "Day",
        "Worst state",
        "Duration",
        "Related incidents",
    ]
    assert len(root.cssselect("tbody th[scope=row]")) == 90
    rows = [read_all(row, "th, td") for row in root.cssselect("tbody tr")]
    assert rows[0][:2] == ["Mar 4, 2026", "Partial outage"]
    [day] = [row for row in rows if row[0] == "Feb 27, 2026"]
    assert day == [
        "Feb 27, 2026",
        "Major outage",
        "Major outage 1 hour 50 minutes; Partial outage 40 minutes",
        "Card payments were declined",
    ]  # fmt: skip


def test_a_day_of_which_nothing_is_known_is_not_called_fine():
    rows = shown_component(WORST, "Webhooks").cssselect("tbody tr")
    assert read_all(rows[-1], "td") == ["No data", "–", "–"]


def test_the_page_of_a_component_tells_the_rule_of_its_percentage():
    told = read(shown_component(WORST, "Payments"), "#uptime .panel .uptime ~ .facts")
    assert "A major outage counts in full, a partial outage at 30 percent of its duration" in told


def test_the_headline_names_only_parts_that_make_it_so_grave() -> None:
    small = component("Payouts", samples.DEGRADED)
    view = snapshot(tree=[small])
    grave = replace(view, frame=replace(view.frame, indicator=Impact.CRITICAL))
    assert not any("Affected" in line for line in read_all(home(grave), "#overall p"))


def test_each_template_is_compiled_once_for_all_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    html_pages.render_error(404)
    html_pages._environment.cache_clear()
    monkeypatch.setattr(Environment, "compile", None)
    assert '<html lang="ja"' in html_pages.render_error(404, asked="ja")
