"""The incident screen in a browser: its order, its heights, its fields, its button and its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus, Impact
from statuspage.models.revision import bump
from statuspage.runtime.application import create_app
from tests.browser.conftest import NewPage, sign_in
from tests.browser.focus import await_focus
from tests.factories import make_component, make_group, make_incident
from tests.service import FirstStart, Service

NOTICE = "Card payments are declined at checkout."
LINES = (
    "We are investigating reports that card payments are declined at checkout.",
    "We have found where the problem lies. We are switching to another provider.",
    "A fix is in place. We will watch it for 30 minutes before we call this incident resolved.",
    "A fix is in place, and we are still watching it. Payments go through again.",
)

# The page's own policy lets only the first look of `wait_for_function` evaluate its text.
LIT_IN_TIME = """async () => {
    const lit = () => (CSS.highlights.get("written")?.size ?? 0) > 0;
    const until = performance.now() + 10_000;
    while (!lit() && performance.now() < until) await new Promise(requestAnimationFrame);
    return lit();
}"""


def work_on(service: Service) -> Iterator[None]:
    """The service's own database, for what would take too long to click."""
    app = create_app(
        load_settings({"DATA_DIR": str(service.folder / "data"), "PUBLIC_URL": service.url})
    )
    with app.app_context():
        yield
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def busy_service(
    tmp_path_factory: pytest.TempPathFactory, first_start: FirstStart
) -> Iterator[Service]:
    """The service with 60 components in groups, and 12 open incidents of four updates each."""
    running = Service(tmp_path_factory.mktemp("busy"), first_start=first_start)
    for _ in work_on(running):
        fill()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def changed_service(
    tmp_path_factory: pytest.TempPathFactory, first_start: FirstStart
) -> Iterator[Service]:
    """The service with its demo, whose open incident the tests here post to in turn."""
    running = Service(tmp_path_factory.mktemp("changed"), first_start=first_start)
    yield running
    running.stop()


def fill() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with writing() as session:
        parts = []
        for number in range(6):
            group = make_group(session, f"Region {number + 1}")
            parts += [
                make_component(
                    session,
                    f"Region {number + 1}, service {place + 1}",
                    group=group,
                    status=ComponentStatus.PARTIAL_OUTAGE,
                )
                for place in range(10)
            ]
        steps = ("investigating", "identified", "monitoring", "monitoring")
        for number in range(12):
            make_incident(
                session,
                f"Orders are delayed in region {number + 1}",
                updates=list(zip(steps, LINES, strict=True)),
                components=parts[number * 5 : number * 5 + 5],
                started_at=now - timedelta(hours=1),
                severity_rank=1,
                severity_name="SEV1",
                impact=Impact.CRITICAL,
                users_notice=NOTICE,
                next_update_at=now + timedelta(minutes=20),
            )
        bump(session)


def top_of(page: Page, selector: str) -> float:
    return float(
        page.locator(selector).first.evaluate("one => one.getBoundingClientRect().top + scrollY")
    )


def open_busy(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/admin/incidents?show=open")
    page.get_by_role("link", name="Orders are delayed in region 1", exact=True).click()
    expect(page.locator(".composer")).to_be_visible()


def open_demo(page: Page, service: Service) -> None:
    """The incident that the demo tells as open."""
    page.goto(f"{service.url}/admin/incidents?show=open")
    page.get_by_role("link", name="Signing in fails for some customers", exact=True).click()
    expect(page.locator(".composer")).to_be_visible()


def test_the_screens_stay_short_with_many_components_and_incidents(
    new_page: NewPage, busy_service: Service
) -> None:
    page = new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    sign_in(page, busy_service)
    open_busy(page, busy_service)
    order = [top_of(page, part) for part in (".promised", ".last-said", ".composer", ".after")]
    assert order == sorted(order)
    assert top_of(page, "#said") <= 1_600
    heights = {}
    for name in ("incidents/new", ""):
        page.goto(f"{busy_service.url}/admin/{name}")
        heights[name] = page.evaluate("document.documentElement.scrollHeight")
    assert heights["incidents/new"] <= 1_500
    assert heights[""] <= 2_000
    page.set_viewport_size({"width": 390, "height": 844})
    open_busy(page, busy_service)
    assert top_of(page, "#said") <= 2_600


def test_no_change_takes_one_choice_from_the_dashboard(
    new_page: NewPage, busy_service: Service
) -> None:
    page = new_page()
    sign_in(page, busy_service)
    story = page.locator(".story", has_text="Orders are delayed in region 12")
    story.get_by_role("button", name="No change yet").click()
    expect(page.get_by_role("status")).to_have_text(
        "Orders are delayed in region 12: posted that there is no change yet."
    )
    assert page.url == f"{busy_service.url}/admin/"


def test_many_components_are_found_by_words_added_in_groups_and_given_one_state(
    new_page: NewPage, busy_service: Service
) -> None:
    page = new_page()
    sign_in(page, busy_service)
    page.goto(f"{busy_service.url}/admin/incidents/new")
    page.get_by_role("radio", name="SEV1").check()
    search = page.get_by_role("combobox", name="Add affected component")
    search.fill("region 2")
    page.get_by_role("option", name="Region 2: all 10").click()
    rows = page.locator(".component:visible")
    expect(rows).to_have_count(10)
    expect(rows.first.get_by_role("combobox")).to_have_value("major_outage")
    search.fill("Checkout, region 3 service 4")
    search.press("Enter")
    expect(rows).to_have_count(12)
    # What we proposed follows the severity; what somebody chose does not.
    page.get_by_label("Checkout", exact=True).select_option("degraded_performance")
    page.get_by_role("radio", name="SEV2").check()
    expect(page.get_by_label("Region 3, service 4", exact=True)).to_have_value("partial_outage")
    expect(page.get_by_label("Checkout", exact=True)).to_have_value("degraded_performance")
    page.get_by_label("Set all to").select_option("major_outage")
    expect(page.get_by_label("Checkout", exact=True)).to_have_value("major_outage")
    page.get_by_role("button", name="Remove Checkout").click()
    expect(rows).to_have_count(11)


def test_the_fields_follow_the_status_and_light_their_sentence(
    new_page: NewPage, signed_in: Any, changed_service: Service
) -> None:
    page = new_page()
    sign_in(page, changed_service)
    open_demo(page, changed_service)
    first = page.locator(".said-facts > [data-fact]")
    page.get_by_role("radio", name="Identified").check()
    names = first.evaluate_all("all => all.map((one) => one.dataset.fact)")
    assert names == ["cause", "action", "unaffected", "workaround", "expected_back"]
    # A fact that is older than the status is kept or rewritten, and what it says is lit.
    older = page.locator(".kept-since:visible").first
    expect(older).to_contain_text("Still true?")
    workaround = page.locator("#workaround")
    workaround.focus()
    expect(page.locator("[data-sheet=public] [data-part=reading]")).to_contain_text(
        workaround.input_value()
    )
    assert page.evaluate(LIT_IN_TIME)
    page.get_by_role("button", name="Post to page").click()
    expect(page.locator(".problems")).to_contain_text("Keep it or rewrite it")
    for box in page.locator(".kept-since:visible input").all():
        box.check()
    page.get_by_role("button", name="Post to page").click()
    expect(page.locator("#last-update")).to_have_text("Last update: Identified")


def test_on_a_phone_the_press_first_opens_the_text(new_page: NewPage, own_service: Service) -> None:
    page = new_page(view="phone")
    sign_in(page, own_service)
    open_demo(page, own_service)
    texts = page.locator(".texts")
    expect(texts).to_be_hidden()
    press = page.locator("[data-part=press]")
    press.click()
    expect(texts).to_be_visible()
    expect(page.locator(".last-said")).to_be_hidden()
    press.dispatch_event("click")  # the second press of the same finger
    expect(texts).to_be_visible()
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(texts).to_be_hidden()
    page.locator("#resolution").fill("We renewed the certificate.")
    press.click()
    expect(texts).to_be_visible()
    expect(texts).to_contain_text("We renewed the certificate.")
    press.click()
    expect(page.locator(".last-said")).to_contain_text("We renewed the certificate.")


def test_the_keys_lead_everywhere_and_are_listed(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text("Declare an incident")
    page.locator("#users_notice").focus()
    page.keyboard.press("Control+Enter")
    await_focus(page.locator("[name=publish]"))
    page.goto(f"{service.url}/admin/incidents?show=open")
    page.locator(".stories h2 a").first.click()
    expect(page.locator(".composer")).to_be_visible()
    page.keyboard.press("u")
    await_focus(page.locator("[name=status]:checked"))


def test_a_template_fills_in_what_is_empty_and_can_be_undone(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/incidents/new")
    page.locator("#title").fill("My own title")
    page.get_by_label("Template").select_option(index=1)
    expect(page.locator("[data-filled]")).to_be_visible()
    expect(page.locator("#title")).to_have_value("My own title")
    assert page.locator("#users_notice").input_value() != ""
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#users_notice")).to_have_value("")
    expect(page.locator("#title")).to_have_value("My own title")


def test_the_keyboard_alone_declares_a_sev1_in_few_tabs(
    new_page: NewPage, changed_service: Service
) -> None:
    page = new_page()
    sign_in(page, changed_service)
    page.keyboard.press("n")
    await_focus(page.locator("#title"))
    page.keyboard.type("Payments fail")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("checkout")
    page.keyboard.press("Enter")
    while page.evaluate("document.activeElement.name") != "users_notice":
        page.keyboard.press("Tab")
    page.keyboard.type(NOTICE)
    tabs = 0
    while page.evaluate("document.activeElement.name") != "publish":
        page.keyboard.press("Tab")
        tabs += 1
        assert tabs <= 12
    expect(page.locator("[name=publish]")).to_have_text(re.compile("^Publish to page"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Payments fail")
    expect(page.locator(".standing")).to_contain_text("SEV1")


def test_a_template_declares_in_four_choices(new_page: NewPage, changed_service: Service) -> None:
    page = new_page()
    sign_in(page, changed_service)
    page.get_by_role("link", name="Declare an incident").first.click()  # 1
    page.get_by_label("Template").select_option(index=1)  # 2
    expect(page.locator("[data-filled]")).to_be_visible()
    search = page.get_by_role("combobox", name="Add affected component")
    search.fill("Checkout")
    search.press("Enter")  # 3
    page.locator("[name=publish]").click()  # 4
    expect(page.locator(".standing")).to_be_visible()


def test_a_colleague_s_post_appears_beside_what_is_typed(
    new_page: NewPage, changed_service: Service
) -> None:
    ours, theirs = new_page(), new_page()
    for page in (ours, theirs):
        sign_in(page, changed_service)
        open_demo(page, changed_service)
    ours.get_by_role("radio", name="Monitoring").check()
    ours.locator("#resolution").fill("We renewed the certificate.")
    theirs.get_by_role("button", name="No change yet").click()
    expect(ours.locator(".last-said")).to_contain_text("There’s no change since our last update.")
    expect(ours.locator("#resolution")).to_have_value("We renewed the certificate.")
    expect(ours.locator("[data-news]")).to_contain_text("What you typed is kept")


def test_a_sign_in_that_ends_during_a_declaration_loses_nothing(
    browser: Browser, changed_service: Service
) -> None:
    # Its requests are refused meanwhile, which a window of the other tests would complain of.
    page = browser.new_context().new_page()
    sign_in(page, changed_service)
    page.goto(f"{changed_service.url}/admin/incidents/new")
    page.locator("#title").fill("Payments fail")
    page.get_by_role("radio", name="SEV3").check()
    page.locator("#users_notice").fill(NOTICE)
    page.context.clear_cookies()
    page.locator("[name=publish]").click()
    dialog = page.get_by_role("dialog", name="Sign in")
    dialog.get_by_label("Password").fill(changed_service.password)
    dialog.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payments fail")
    expect(page.locator(".last-said")).to_contain_text(NOTICE)
    page.context.close()
