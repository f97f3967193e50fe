"""The comms desk in a browser: a whole incident in few acts, with and without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import axe_violations
from tests.browser.conftest import NewPage, sign_in
from tests.browser.focus import await_focus
from tests.service import FirstStart, Service

NOTICE = "Card payments are declined at checkout."


@dataclass
class Hands:
    """Counts what takes a decision: clicks and choices from a list; typing and Tab are free."""

    page: Page
    acts: int = field(default=0)

    def press(self, locator: Locator) -> None:
        locator.click()
        self.acts += 1

    def choose(self, name: str) -> None:
        self.page.get_by_role("radio", name=name, exact=True).check()
        self.acts += 1

    def publish(self) -> None:
        self.press(self.page.locator("[name=publish]"))

    def pick(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).select_option(value)
        self.acts += 1

    def button(self, name: str) -> None:
        self.press(self.page.get_by_role("button", name=name))


def declare(page: Page, service: Service, *, title: str = "Payments fail") -> Hands:
    """From the dashboard to the first public post."""
    hands = Hands(page)
    page.goto(f"{service.url}/admin/")
    hands.press(page.get_by_role("link", name="Declare an incident").first)
    page.locator("#title").fill(title)
    hands.choose("SEV1")
    page.locator("#users_notice").fill(NOTICE)
    affect(hands, "Checkout", "major_outage")
    hands.publish()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return hands


def affect(hands: Hands, component: str, state: str) -> None:
    """Add a component: by the search box, which proposes its state, or without script by a list."""
    search = hands.page.get_by_role("combobox", name="Add affected component")
    if search.count() == 0:
        hands.pick(component, state)
        return
    search.fill(component)
    search.press("Enter")
    hands.acts += 1
    expect(hands.page.get_by_label(component, exact=True)).to_have_value(state)


def tell(page: Page, label: str, text: str) -> None:
    """Fill in a fact; without script, one of another status lies folded."""
    field = page.get_by_label(label, exact=True).first
    if not field.is_visible():
        page.get_by_text("Kept for later").click()
    field.fill(text)


def lead_to_the_end(page: Page, service: Service) -> int:
    """A whole SEV1, from declaring to the mails; how many acts it took."""
    hands = declare(page, service)
    assert hands.acts <= 6
    hands.choose("Identified")
    tell(page, "Cause", "A certificate ran out.")
    hands.publish()
    tell(page, "What is being done", "We renewed the certificate.")
    hands.choose("Monitoring")
    hands.publish()
    before = hands.acts
    hands.choose("Resolved")
    hands.publish()
    expect(page.get_by_role("heading", level=1)).to_have_text("Resolve: Payments fail")
    page.get_by_label("Resolve before the monitoring period ends, because").fill("It is a test.")
    hands.button("Resolve and email")
    assert hands.acts - before <= 4
    expect(page.get_by_role("heading", level=1)).to_have_text("Payments fail")
    return hands.acts


def told(page: Page, words: str) -> None:
    """Wait until the report on customers says so."""
    mail = page.locator(".told > li").filter(has_text="Customer email")
    expect(mail.locator(".counts")).to_have_text(re.compile(words))


@pytest.fixture
def patient_service(tmp_path: Path, first_start: FirstStart) -> Iterator[Service]:
    """The service with its demo, whose mails about an end can be cancelled for four seconds."""
    running = Service(tmp_path, {"CANCEL_WINDOW": "4"}, first_start=first_start)
    yield running
    running.stop()


def test_a_sev1_takes_few_acts_from_its_declaration_to_the_mails(
    page: Page, patient_service: Service
) -> None:
    sign_in(page, patient_service)
    assert lead_to_the_end(page, patient_service) <= 12
    waiting = page.get_by_label("Resolution emails")
    expect(waiting.get_by_role("button", name="Cancel the emails")).to_be_visible()
    # The report follows by itself while mails go out, and what could be cancelled goes with them.
    told(page, r"^\d+ accepted, \d+ suppressed$")
    expect(waiting).to_have_count(0)


def test_the_same_works_without_script(new_page: NewPage, own_service: Service) -> None:
    page = new_page(javascript=False)
    sign_in(page, own_service)
    assert lead_to_the_end(page, own_service) <= 12
    for _ in range(20):
        if "waiting" not in page.locator(".told").inner_text():
            break
        page.wait_for_timeout(500)
        page.reload()
    told(page, "accepted")


def test_without_script_the_texts_are_shown_edited_and_made_again(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(javascript=False, storage_state=signed_in)
    page.goto(f"{service.url}/admin/incidents/new")
    page.locator("#title").fill("Payments fail")
    page.locator("#users_notice").fill(NOTICE)
    page.get_by_role("button", name="Preview").last.click()
    public = page.locator("[data-sheet=public]")
    expect(public.locator(".reading")).to_contain_text(NOTICE)
    public.get_by_text("Edit this text").click()
    public.get_by_label("Public post").fill("We know.")
    page.locator("#title").press("Enter")
    expect(public.locator(".reading")).to_have_text("We know.")
    expect(public.locator(".mark")).to_have_text("edited")
    public.get_by_text("Edit this text").click()
    public.get_by_role("button", name="Generate again").click()
    expect(public.locator(".reading")).to_contain_text(NOTICE)


def test_the_texts_follow_what_is_typed_and_leave_alone_what_was_edited(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/incidents/new")
    page.locator("#title").fill("Payments fail")
    public = page.locator("[data-sheet=public]")
    gap = public.get_by_role("link", name="what users notice")
    gap.click()
    await_focus(page.locator("#users_notice"))
    page.keyboard.type(NOTICE)
    expect(public.locator(".reading")).to_contain_text(NOTICE)
    expect(gap).to_have_count(0)

    public.get_by_text("Edit this text").click()
    public.get_by_label("Public post").fill("We know.")
    expect(public.locator(".reading")).to_have_text("We know.")
    expect(public.locator(".mark")).to_have_text("edited")
    page.locator("#users_notice").fill("Nobody can pay.")
    expect(public).to_contain_text("A fact has changed since you edited this text.")
    expect(public.get_by_label("Public post")).to_have_value("We know.")
    colleagues = page.locator("[data-sheet=internal] .reading")
    expect(colleagues).to_contain_text("Nobody can pay.")

    public.get_by_role("button", name="Generate again").click()
    expect(public.locator(".reading")).to_contain_text("Nobody can pay.")
    expect(public.get_by_label("Public post")).to_have_value(re.compile("^Nobody can pay."))


def test_a_text_that_would_leak_waits_for_a_reason(
    new_page: NewPage, signed_in: Any, service: Service
) -> None:
    page = new_page(storage_state=signed_in)
    page.goto(f"{service.url}/admin/incidents/new")
    page.locator("#title").fill("Payments fail")
    why = page.get_by_label("Publish anyway because")
    expect(why).to_be_hidden()
    page.locator("#users_notice").fill("Payments fail on db-01.")
    public = page.locator("[data-sheet=public]")
    expect(public.locator(".reading mark.held")).to_have_text("db-01")
    why.fill("It is")
    page.locator("#users_notice").fill("Payments still fail on db-01.")
    expect(page.locator("[data-sheet=internal] .reading")).to_contain_text("still fail")
    expect(why).to_have_value("It is")
    page.locator("#users_notice").fill("Payments fail.")
    expect(why).to_be_hidden()


@pytest.fixture(scope="package")
def incident(browser: Browser, service: Service, signed_in: Any) -> str:
    """The address of an incident that the demo tells as open."""
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    page.goto(f"{service.url}/admin/incidents?show=open")
    address = str(page.locator(".stories h2 a").first.get_attribute("href"))
    context.close()
    return address


SCREENS = (
    "incidents",
    "incidents/new",
    "incidents/new?drill=1",
    "maintenances",
    "maintenances/new",
    "words",
    "incident-templates",
)


@pytest.mark.parametrize(("view", "scheme"), [("phone", "dark"), ("desktop", "light")])
def test_axe_finds_nothing_and_nothing_needs_sideways_scrolling(
    new_page: NewPage, signed_in: Any, service: Service, incident: str, view: str, scheme: str
) -> None:
    page = new_page(view=view, scheme=scheme, storage_state=signed_in)
    found: dict[str, list[str]] = {}
    wide: dict[str, int] = {}

    def look(name: str) -> None:
        found[name] = axe_violations(page)
        wide[name] = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    for screen in SCREENS:
        page.goto(f"{service.url}/admin/{screen}")
        look(screen)
    page.goto(f"{service.url}/admin/incidents/new")
    page.locator("#title").fill("Payments fail")
    page.locator("#users_notice").fill("Payments on db-01 fail, soon to be fixed.")
    if view == "phone":
        page.locator("[name=publish]").click()
    expect(page.locator("[data-sheet=public] .remarks .holds")).to_be_visible()
    look("reviewing")
    if view == "phone":
        page.get_by_role("button", name="Edit", exact=True).click()
    for unfold in page.locator("details > summary:visible").all():
        unfold.click()
    look("declaring")
    page.goto(f"{service.url}{incident}")
    # The texts are compared with those of the last message about the same step.
    page.get_by_role("radio", name="Monitoring").check()
    page.locator("#resolution").fill("We took payments off db-01.")
    look("desk")
    if view == "phone":
        page.locator("[name=publish]").click()
    expect(page.locator("[data-sheet=public] .remarks .holds")).to_be_visible()
    page.locator("[data-sheet=public] .changed summary").click()
    look("desk's texts")
    if view == "phone":
        page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("link", name="Correct this update").first.click()
    look("correcting")
    page.goto(f"{service.url}{incident}/details")
    look("details")
    page.goto(f"{service.url}{incident}")
    page.get_by_role("radio", name="Resolved").check()
    page.locator("[name=publish]").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Resolve: ")
    look("resolving")
    page.goto(f"{service.url}/admin/incidents?show=resolved")
    page.locator(".stories li", has_text="SEV1").first.get_by_role("link").first.click()
    look("resolved")
    page.get_by_role("link", name="Customer email").first.click()
    look("message")
    page.locator("tbody a").first.click()
    look("delivery")
    assert {name: problems for name, problems in found.items() if problems} == {}
    assert {name: excess for name, excess in wide.items() if excess > 0} == {}
