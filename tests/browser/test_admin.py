"""The admin in a browser, on the running service: what only a browser can tell."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.axe import OF_THE_LOOK, axe_violations
from tests.browser.conftest import DESKTOP, PHONE, NewPage
from tests.browser.focus import await_focus
from tests.service import Service


def screens(page: Page, service: Service) -> list[str]:
    """The addresses that the menu leads to, and those that the screens' own first links do."""
    page.goto(f"{service.url}/admin/")
    menu = page.locator("#menu nav a")
    found = [
        urljoin(service.url, menu.nth(n).get_attribute("href") or "") for n in range(menu.count())
    ]
    report = mail_report(page, service)
    return [
        *found,
        report,
        f"{report}/correct",
        f"{report}?address=nobody@example.com",
        f"{service.url}/admin/components/1",
        f"{service.url}/admin/components/new",
        f"{service.url}/admin/contacts/new",
        f"{service.url}/admin/groups/1",
        f"{service.url}/admin/me",
        f"{service.url}/admin/severity/1",
        f"{service.url}/admin/severity/choose?scheme=p1",
        f"{service.url}/admin/login?again=1",
        f"{service.url}/admin/nothing",
    ]


def mail_report(page: Page, service: Service) -> str:
    """The address of the report on a mail to customers."""
    page.goto(f"{service.url}/admin/incidents")
    incidents = page.locator(".stories h2 a")
    for path in [incidents.nth(n).get_attribute("href") or "" for n in range(incidents.count())]:
        page.goto(urljoin(service.url, path))
        mail = page.get_by_role("link", name=re.compile("^Customer email"))
        if mail.count():
            return urljoin(service.url, mail.first.get_attribute("href") or "")
    raise AssertionError("the demo has mailed nobody")


def test_axe_finds_nothing_on_a_phone_in_the_dark_and_on_a_desktop_in_the_light(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(view="phone", scheme="dark", storage_state=signed_in)
    complaints: dict[str, list[str]] = {}
    for url in screens(page, service):
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="dark")
        page.goto(url)
        found = axe_violations(page) + is_wide(page)
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")
        found += axe_violations(page, runOnly=OF_THE_LOOK) + is_wide(page)
        if found:
            complaints[urlsplit(url).path] = found
    assert complaints == {}


def is_wide(page: Page) -> list[str]:
    wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return ["wider than the window"] if wider else []


def test_the_menu_opens_and_closes_on_a_phone_without_javascript(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(view="phone", javascript=False, storage_state=signed_in)
    page.goto(f"{service.url}/admin/")
    components = page.get_by_role("link", name="Components", exact=True)
    expect(components).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(components).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(components).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    components.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Components")


def test_everything_is_sent_without_javascript(new_page: NewPage, own_service: Service) -> None:
    page = new_page(javascript=False)
    page.goto(f"{own_service.url}/admin/contacts/new")
    page.get_by_label("Email address").fill(own_service.email)
    page.get_by_label("Password").fill(own_service.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Name").fill("Robin Okafor")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_have_text("Robin Okafor can be named on incidents now.")
    page.get_by_role("link", name="Robin Okafor").click()
    page.get_by_text("Remove this contact").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("link", name="Robin Okafor")).to_have_count(0)
    page.goto(f"{own_service.url}/admin/components")
    names = page.locator(".branch .row:not(.heading) .what a").all_inner_texts()
    page.get_by_role("button", name=f"Move down: {names[0]}").click()
    moved = page.locator(".branch .row:not(.heading) .what a").all_inner_texts()
    assert moved[:2] == [names[1], names[0]]


def test_a_refused_form_leads_to_what_is_wrong(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/severity/1")
    page.get_by_label("Name").fill("")
    page.get_by_label("First response within").fill("soon")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_title("Error: SEV1 · ShopStack admin")
    await_focus(page.get_by_role("alert"))
    page.get_by_role("link", name="First response within: Enter a duration").click()
    field = page.get_by_label("First response within")
    await_focus(field)
    expect(field).to_have_value("soon")
    expect(field).to_have_accessible_description(
        "Error: Enter a duration, like 30 minutes, 4 hours or 2 days"
    )
    assert axe_violations(page) == []


def test_a_form_is_sent_once_however_often_it_is_pressed(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    sent: list[str] = []
    page.on(
        "request", lambda request: sent.append(request.url) if request.method == "POST" else None
    )
    page.goto(f"{service.url}/admin/me")
    page.evaluate(
        """() => { const form = document.querySelector("form[action$='/me']");
                   form.requestSubmit(); form.requestSubmit(); form.requestSubmit(); }"""
    )
    expect(page.get_by_role("status")).to_have_text("Your name was saved.")
    assert sent == [f"{service.url}/admin/me"]


def test_the_screen_that_comes_next_takes_no_press_that_was_meant_for_the_last(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    sent: list[str] = []
    page.on(
        "request", lambda request: sent.append(request.url) if request.method == "POST" else None
    )
    page.goto(f"{service.url}/admin/me")
    save = page.locator("form[action$='/me'] button[type=submit]")
    save.click()
    expect(page.get_by_role("status")).to_have_text("Your name was saved.")
    save.click(force=True)
    page.keyboard.press("Enter")
    assert len(sent) == 1
    # The button says so while it lasts; this waits until it takes a press again.
    save.click()
    expect(page.get_by_role("status")).to_have_text("Your name was saved.")
    assert len(sent) == 2


def test_a_step_of_a_maintenance_is_chosen_before_its_button_can_be_pressed(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/maintenances")
    page.locator("main h2 a").first.click()
    press = page.locator("button[data-named]")
    expect(press).to_be_disabled()
    page.locator("[data-press]").first.check()
    expect(press).to_be_enabled()
    assert press.inner_text() == page.locator("[data-press]").first.get_attribute("data-press")


def test_the_dates_of_a_series_are_shown_before_it_is_planned(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/maintenances/series/new")
    page.get_by_label("Title").fill("Weekly upgrade")
    page.get_by_label("What we’re doing and what users will notice").fill("Checkout is slow.")
    page.get_by_label("First begins").fill("2030-03-05T21:00")
    page.get_by_label("Lasts").fill("2 hours")
    page.get_by_role("button", name="Show the dates").click()
    expect(page.locator("#dates li")).to_have_count(6)


def test_typed_text_is_not_lost_by_a_stray_click(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(f"{service.url}/admin/contacts/new")
    page.get_by_label("Name").press_sequentially("Robin")
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_label("Name")).to_have_value("Robin")
    assert asked == ["beforeunload"]


def test_the_keyboard_reaches_the_content_first(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/components")
    page.keyboard.press("Tab")
    await_focus(page.get_by_role("link", name="Skip to the content"))
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    # The first link of the content: the password of the start was printed by a command.
    await_focus(page.get_by_role("link", name="Choose one of your own."))
