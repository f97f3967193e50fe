"""The public page in a browser, made from sample views: what only a browser can tell."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from markupsafe import Markup
from playwright.sync_api import Browser, Page, expect

from statuspage.public import html_pages
from statuspage.public.times import Times
from tests.browser.axe import OF_THE_LOOK
from tests.browser.conftest import NewPage
from tests.browser.focus import await_focus
from tests.browser.showcase import Showcase, shots
from tests.clock_changes import IN_BROWSERS, SPANS
from tests.public import samples
from tests.public.samples import LINKS, NOON, PAGE, ago, post, shop, snapshot

NEW_YORK = {"timezone_id": "America/New_York"}
# Milliseconds of the page's own clock; it looks for news at least every 35 seconds.
STEP = 2_000
MOST_STEPS = 200

HOME = html_pages.render_home(samples.ONE_MINOR, LINKS)
SAVED = post(samples.IDENTIFIED, "We know why.", ago(minutes=1))
NEWER_INCIDENT = replace(samples.SLOW_SIGN_IN, updates=(SAVED, *samples.SLOW_SIGN_IN.updates))
NEWER = html_pages.render_home(
    snapshot(tree=shop(sign_in=samples.PARTIAL), incidents=[NEWER_INCIDENT, *samples.PAST]), LINKS
)


def visit(page: Page, html: str = HOME) -> Showcase:
    """Open the page at noon, with a clock that the test moves."""
    page.clock.install(time=NOON)
    showcase = Showcase(page, html)
    page.goto(LINKS.home)
    return showcase


def wait(page: Page, showcase: Showcase, *, looks: int = 1) -> None:
    """Let time go by until the page has looked for news so many times more."""
    goal = showcase.looks + looks
    for _ in range(MOST_STEPS):
        if showcase.looks >= goal:
            break
        page.clock.run_for(STEP)
        page.wait_for_timeout(5)
    # What it found may make it ask for more.
    page.wait_for_timeout(50)


# How it looks.


WIDTHS = (320, 768, 1440)


# All rules once, and those that width and colours matter to a second time.
@pytest.mark.parametrize(
    ("scheme", "first", "options"), [("dark", 0, {}), ("light", 1, {"runOnly": OF_THE_LOOK})]
)
def test_axe_finds_nothing_and_nothing_needs_sideways_scrolling(
    new_page: NewPage, scheme: str, first: int, options: dict[str, Any]
) -> None:
    page = new_page(scheme=scheme)
    # One window for all of them: opening one takes as long as looking.
    showcase = visit(page, "")
    found, wide = {}, {}
    # Each page in two of the sizes, and each size in both schemes: axe takes its time.
    for turn, shot in enumerate(shots(), start=first):
        showcase.html = shot.html
        size = WIDTHS[turn % len(WIDTHS)]
        page.set_viewport_size({"width": size, "height": 900})
        page.reload()
        answer = Axe().run(page, options={"resultTypes": ["violations"], **options})
        found[shot.name] = [
            (each["id"], [node["target"] for node in each["nodes"]])
            for each in answer.response["violations"]
        ]
        for width in (size, WIDTHS[0]):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wide[shot.name] = width
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert wide == {}


def test_a_wall_screen_shows_everything_larger(page: Page) -> None:
    visit(page)
    usual = page.locator("h1").bounding_box()
    page.set_viewport_size({"width": 2560, "height": 1440})
    large = page.locator("h1").bounding_box()
    assert usual is not None
    assert large is not None
    assert large["height"] > 1.5 * usual["height"]


def test_right_to_left_the_page_is_mirrored(page: Page) -> None:
    arabic = replace(PAGE, language="ar")
    visit(page, html_pages.render_home(snapshot(page=arabic, tree=shop()), LINKS))
    name = page.locator(".component .name").first.bounding_box()
    state = page.locator(".component .state").first.bounding_box()
    assert name is not None
    assert state is not None
    assert name["x"] > state["x"]


def test_printed_folded_groups_are_open_and_controls_are_gone(page: Page) -> None:
    visit(page, html_pages.render_home(samples.MANY_COMPONENTS, LINKS))
    page.emulate_media(media="print")
    expect(page.get_by_text("Compute (Tokyo)")).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.locator("#subscribe")).to_be_hidden()


# Without a script, and without a mouse.


def test_without_javascript_the_page_says_everything(new_page: NewPage) -> None:
    page = new_page(javascript=False, **NEW_YORK)
    Showcase(page, html_pages.render_home(samples.WORST_DAY, LINKS))
    page.goto(LINKS.home)
    expect(page.get_by_role("heading", level=1)).to_have_text("Major System Outage")
    expect(page.locator("#overall .facts")).to_have_text("Last change Mar 4, 2026, 11:48 UTC")
    expect(page.get_by_text("Times are in UTC.")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.locator(".days > li").last).to_contain_text("No incidents reported.")


def test_the_first_key_press_leads_past_the_header(page: Page) -> None:
    visit(page)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await_focus(skip)
    box = skip.bounding_box()
    assert box is not None
    assert box["height"] > 20
    page.keyboard.press("Enter")
    await_focus(page.locator("main"))


def test_groups_are_folded_by_keyboard(page: Page) -> None:
    visit(page)
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Catalog", exact=True)).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Catalog", exact=True)).to_be_visible()


def component_page() -> str:
    [payments] = [each for each in samples.WORST_DAY.components if each.name == "Payments"]
    view = samples.component_page(payments, samples.WORST_DAY.incidents)
    return html_pages.render_component(samples.WORST_DAY.frame, view, LINKS)


def test_the_days_are_opened_by_keyboard_and_read_as_a_table(page: Page) -> None:
    visit(page, component_page())
    page.locator("#table > summary").focus()
    page.keyboard.press("Enter")
    row = page.get_by_role("row", name="Feb 27, 2026")
    expect(row.get_by_role("rowheader")).to_have_text("Feb 27, 2026")
    expect(row.get_by_role("cell").nth(0)).to_have_text("Major outage")
    expect(row.get_by_role("link")).to_have_text("Card payments were declined")
    expect(page.get_by_role("row")).to_have_count(91)


def test_the_bar_is_an_image_that_says_what_it_shows(page: Page) -> None:
    visit(page, component_page())
    bar = page.get_by_role("img")
    expect(bar).to_have_accessible_name(re.compile(r"Last 90 days, \d\d\.\d\d% uptime, problems"))


def test_a_phone_shows_the_last_thirty_days_of_the_bar(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    visit(page, component_page())
    whole = page.get_by_role("img").bounding_box()
    window = page.locator(".columns").bounding_box()
    assert whole is not None
    assert window is not None
    assert whole["width"] == pytest.approx(3 * window["width"], abs=1)
    assert whole["x"] + whole["width"] == pytest.approx(window["x"] + window["width"], abs=1)
    expect(page.get_by_text("Feb 3, 2026").first).to_be_visible()


def test_what_has_the_focus_is_outlined(page: Page) -> None:
    visit(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    style = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(style) == "solid"


# Times.


def test_times_are_told_in_the_visitors_zone(new_page: NewPage) -> None:
    page = new_page(**NEW_YORK)
    visit(page)
    expect(page.locator("#overall .facts")).to_have_text("Last change Mar 4, 2026, 06:48 EST")
    expect(page.locator("#zone")).to_contain_text("Times are in your time zone, America/New_York.")


def test_times_within_texts_are_told_in_the_visitors_zone_and_keep_what_was_written(
    new_page: NewPage,
) -> None:
    due, span = "Mar 4, 2026, 12:30 UTC", "Mar 4, 2026, 13:00 – 14:00 UTC"
    update = replace(
        post(samples.INVESTIGATING, f"Next update by {due}. Work: {span}.", ago(minutes=5)),
        times=(
            (due, "2026-03-04T12:30:00+00:00"),
            (span, "2026-03-04T13:00:00+00:00/2026-03-04T14:00:00+00:00"),
        ),
    )
    view = snapshot(tree=shop(), incidents=[samples.incident("Slow", update)])
    page = new_page(**NEW_YORK)
    visit(page, html_pages.render_home(view, LINKS))
    prose = page.locator(".prose").first
    expect(prose).to_have_text(
        "Next update by Mar 4, 2026, 07:30 EST. Work: Mar 4, 2026, 08:00 – 09:00 EST."
    )
    assert [each.get_attribute("title") for each in prose.locator("[title]").all()] == [due, span]
    page.get_by_role("button", name="Show times in UTC").click()
    expect(prose).to_have_text(f"Next update by {due}. Work: {span}.")
    expect(prose.locator("[title]")).to_have_count(0)


# How far things moved that nobody touched, as browsers count it (Layout Instability API).
COUNT_SHIFTS = """
window.moved = 0;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) window.moved += shift.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def test_the_script_moves_nothing_that_was_shown(new_page: NewPage) -> None:
    page = new_page(view="phone", timezone_id="Asia/Tokyo", locale="de-DE")
    page.add_init_script(COUNT_SHIFTS)
    showcase = visit(page, "")
    moved = {}
    for shot in shots():
        showcase.html = shot.html
        page.reload()
        page.wait_for_timeout(100)
        moved[shot.name] = page.evaluate("window.moved")
    assert {name: shift for name, shift in moved.items() if shift} == {}


def test_the_visitor_can_go_back_to_the_pages_zone_and_is_remembered(new_page: NewPage) -> None:
    page = new_page(**NEW_YORK)
    visit(page)
    page.get_by_role("button", name="Show times in UTC").click()
    expect(page.locator("#overall .facts")).to_have_text("Last change Mar 4, 2026, 11:48 UTC")
    expect(page.locator("#zone")).to_contain_text("Times are in UTC.")
    page.reload()
    expect(page.locator("#overall .facts")).to_have_text("Last change Mar 4, 2026, 11:48 UTC")
    page.get_by_role("button", name="Show times in America/New_York").click()
    expect(page.locator("#overall .facts")).to_have_text("Last change Mar 4, 2026, 06:48 EST")


def test_a_span_names_a_second_day_where_the_visitors_midnight_falls_in_it(
    new_page: NewPage,
) -> None:
    page = new_page(**NEW_YORK)
    visit(page, html_pages.render_home(samples.ALL_FINE, LINKS))
    outage = page.locator(".line", has_text="Card payments").locator("[data-span]")
    expect(outage).to_have_text("Feb 27, 2026, 04:30 – 07:00 EST")
    night = samples.maintenance(
        "Night work",
        post(samples.SCHEDULED, "At night.", ago(days=1)),
        start=NOON + timedelta(hours=16, minutes=30),
        end=NOON + timedelta(hours=17, minutes=30),
    )
    visit(page, html_pages.render_home(snapshot(incidents=[night]), LINKS))
    expect(page.locator("#upcoming [data-span]")).to_have_text(
        "Mar 4, 2026, 23:30 EST – Mar 5, 2026, 00:30 EST"
    )


@pytest.mark.parametrize("zone", sorted({span.zone for span in SPANS}))
def test_a_span_over_a_change_of_clocks_reads_as_the_server_would_write_it(
    new_page: NewPage, zone: str
) -> None:
    spans = [span for span in SPANS if span.zone == zone]
    written = Markup("").join(Times("en", "UTC").span(span.start, span.end) for span in spans)
    page = new_page(timezone_id=zone)
    visit(page, HOME.replace("</main>", f'<div id="spans">{written}</div></main>'))

    texts = page.locator("#spans > [data-span]").all_text_contents()

    assert texts == [in_a_browser(span.text) for span in spans]


def in_a_browser(text: str) -> str:
    """A text of :mod:`statuspage.core.clock` with the names of zones that browsers write."""
    words = [IN_BROWSERS.get(word, word) for word in text.split(" ")]
    return re.sub(r"UTC(?=[+−])", "GMT", " ".join(words))


def test_a_zone_of_another_name_with_the_same_clocks_is_no_other_zone(new_page: NewPage) -> None:
    html = HOME.replace('data-zone="UTC"', 'data-zone="Asia/Kolkata"')
    page = new_page(timezone_id="Asia/Calcutta")
    visit(page, html)

    expect(page.locator("#zone button")).to_have_count(0)
    expect(page.locator("#overall .facts")).to_have_text("Last change Mar 4, 2026, 11:48 UTC")


def test_a_promise_counts_down(page: Page) -> None:
    showcase = visit(page)
    expect(page.locator("#open .promise")).to_contain_text("(in 30 minutes)")
    # Less than ten minutes, for the clock also runs by itself.
    page.clock.fast_forward("09:40")
    wait(page, showcase)
    expect(page.locator("#open .promise")).to_contain_text("(in 20 minutes)")


# Keeping up to date.


def test_a_change_appears_by_itself_and_is_announced(page: Page) -> None:
    showcase = visit(page)
    wait(page, showcase)
    showcase.html, showcase.updated_at = NEWER, "2026-03-04T11:59:00Z"
    wait(page, showcase)
    expect(page.locator("#open .post h4").first).to_have_text("Identified")
    expect(page.locator("#overall h1")).to_have_text("Partial System Outage")
    expect(page).to_have_title("Partial System Outage · Marigold Status")
    expect(page.get_by_role("status")).to_have_text("This page was updated. Partial System Outage")
    assert "favicon-major" in str(page.locator("link[rel=icon]").get_attribute("href"))


def test_nothing_is_fetched_but_the_state_while_nothing_changes(page: Page) -> None:
    showcase = visit(page)
    wait(page, showcase)
    showcase.asked.clear()
    wait(page, showcase)
    assert set(showcase.asked) == {"/api/v2/status.json"}
    expect(page.get_by_role("status")).to_be_empty()


def test_a_change_keeps_what_the_visitor_was_doing(page: Page) -> None:
    showcase = visit(page)
    page.locator("summary").first.click()
    link = page.locator("#open h3 a")
    link.focus()
    showcase.html, showcase.updated_at = NEWER, "2026-03-04T11:59:00Z"
    wait(page, showcase)
    expect(page.locator("#open .post")).to_have_count(3)
    await_focus(link)
    expect(page.get_by_text("Catalog", exact=True)).to_be_hidden()


def test_a_change_keeps_the_visitors_zone(new_page: NewPage) -> None:
    page = new_page(**NEW_YORK)
    showcase = visit(page)
    showcase.html, showcase.updated_at = NEWER, "2026-03-04T11:59:00Z"
    wait(page, showcase)
    expect(page.locator("#open .post .when").first).to_contain_text("Mar 4, 2026, 06:59 EST")
    page.get_by_role("button", name="Show times in UTC").click()
    expect(page.locator("#open .post .when").first).to_contain_text("Mar 4, 2026, 11:59 UTC")


def test_a_promise_that_falls_due_is_fetched_without_any_news(page: Page) -> None:
    due = replace(samples.ONE_MINOR, next_change_at=NOON + timedelta(minutes=30))
    showcase = visit(page, html_pages.render_home(due, LINKS))
    late = replace(samples.SLOW_SIGN_IN, is_overdue=True)
    showcase.html = html_pages.render_home(
        snapshot(tree=shop(sign_in=samples.DEGRADED), incidents=[late, *samples.PAST]), LINKS
    )
    page.clock.fast_forward(20 * 60_000)
    wait(page, showcase)
    expect(page.locator(".promise.late")).to_have_count(0)
    # And the moment that the script leaves the server to notice it.
    page.clock.fast_forward(10 * 60_000 + 5_000)
    wait(page, showcase)
    expect(page.locator(".promise.late")).to_contain_text("Update overdue")


def test_a_page_that_its_server_no_longer_vouches_for_says_so_by_itself(page: Page) -> None:
    fine = html_pages.render_home(samples.ALL_FINE, LINKS)
    showcase = visit(page, fine)
    showcase.html = html_pages.mark_unconfirmed(fine, since=NOON)
    wait(page, showcase, looks=4)
    expect(page.locator("#unconfirmed")).to_contain_text("Not confirmed since Mar 4, 2026")
    expect(page.locator("#overall .icon.fine")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Last known: All Systems Operational")


def test_lost_contact_is_said_and_takes_the_green_away(page: Page) -> None:
    showcase = visit(page, html_pages.render_home(samples.ALL_FINE, LINKS))
    green = page.locator("#overall").evaluate("e => getComputedStyle(e).backgroundColor")
    showcase.is_away = True
    wait(page, showcase, looks=2)
    expect(page.get_by_role("status")).to_contain_text("No connection since 12:00 UTC")
    expect(page.locator("#overall")).not_to_have_css("background-color", green)
    expect(page.locator("#overall .icon.fine")).to_be_hidden()
    showcase.is_away = False
    wait(page, showcase)
    expect(page.get_by_role("status")).to_have_text("Connection restored.")
    expect(page.locator("#overall")).to_have_css("background-color", green)


def test_a_browser_without_network_says_so_at_once(page: Page) -> None:
    visit(page)
    page.context.set_offline(True)
    expect(page.get_by_role("status")).to_contain_text("No connection since")
    page.context.set_offline(False)
    expect(page.get_by_role("status")).to_have_text("Connection restored.")


def test_a_hidden_page_asks_nothing_and_asks_at_once_when_seen_again(page: Page) -> None:
    showcase = visit(page)
    wait(page, showcase)
    _hide(page, True)
    showcase.asked.clear()
    page.clock.run_for(10 * 60_000)
    assert showcase.asked == []
    _hide(page, False)
    page.wait_for_timeout(50)
    assert showcase.asked == ["/api/v2/status.json"]


def test_a_incident_that_was_withdrawn_is_not_left_standing(browser: Browser) -> None:
    # A window of its own, for here it is right that the page asks in vain.
    page = browser.new_page()
    html = html_pages.render_incident(samples.ONE_MINOR.frame, samples.SLOW_SIGN_IN, LINKS)
    showcase = visit(page, html)
    wait(page, showcase)
    showcase.html = html_pages.render_error(404, frame=samples.ALL_FINE.frame, links=LINKS)
    showcase.status, showcase.updated_at = 404, "2026-03-04T11:59:00Z"
    wait(page, showcase)
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    page.close()


def _hide(page: Page, is_hidden: bool) -> None:
    page.evaluate(
        """isHidden => {
            Object.defineProperty(document, "hidden", {value: isHidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


# In other languages.


def test_a_visitor_is_told_once_that_the_page_is_there_in_their_language(new_page: NewPage) -> None:
    page = new_page(locale="de-AT")
    visit(page, html_pages.render_home(samples.ALL_FINE, LINKS))
    hint = page.locator(".hint")
    offered = hint.get_by_role("link", name="Diese Seite gibt es auf Deutsch")
    expect(offered).to_have_attribute("href", "/de/")
    expect(hint).to_have_attribute("lang", "de")
    hint.get_by_role("button", name="Schließen").click()
    expect(hint).to_have_count(0)
    page.reload()
    expect(page.get_by_role("navigation", name="Languages")).to_be_visible()
    expect(hint).to_have_count(0)


def test_who_reads_the_page_s_language_or_none_of_ours_is_offered_nothing(
    new_page: NewPage,
) -> None:
    for locale in ("en-GB", "nl"):
        page = new_page(locale=locale)
        visit(page, html_pages.render_home(samples.ALL_FINE, LINKS))
        expect(page.get_by_role("navigation", name="Languages")).to_be_visible()
        expect(page.locator(".hint")).to_have_count(0)


def test_the_script_writes_the_digits_that_the_server_writes(new_page: NewPage) -> None:
    page = new_page(locale="ar-EG", timezone_id="Asia/Tokyo")
    arabic = replace(samples.ALL_FINE, frame=replace(samples.ALL_FINE.frame, read_in="ar"))
    visit(page, html_pages.render_home(arabic, LINKS))
    shown = page.locator("#overall time").first
    expect(shown).to_contain_text("2026")
