"""What a night of work needs, by the keyboard alone: with the script, and without one on a phone.

A note for colleagues, a draft that is kept, an update for later, a notice, and an incident of the
past.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from statuspage.core import clock
from tests.browser.conftest import NewPage, sign_in
from tests.service import Service

PACIFIC = clock.read_zone("America/Los_Angeles")


def press(target: Locator) -> None:
    # A screen that a form led to takes no press at once.
    expect(target).to_be_enabled()
    target.focus()
    target.press("Enter")


def write(field: Locator, text: str) -> None:
    field.focus()
    field.press("Control+A")
    field.page.keyboard.insert_text(text)


def unfold(page: Page, words: str) -> None:
    """Open what is folded under these words."""
    summary = page.locator("summary", has_text=words).first
    if not summary.evaluate("one => one.parentElement.open"):
        press(summary)


def at(hours: float) -> str:
    """A time in the page's zone, as its fields take it."""
    moment = datetime.now(PACIFIC) + timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M")


def said(page: Page, words: str) -> None:
    """Wait for what the screen says of the last press."""
    expect(page.locator("main [role=status]", has_text=words)).to_be_visible()


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


@pytest.mark.parametrize(
    ("view", "scheme", "javascript"), [("desktop", "light", True), ("phone", "dark", False)]
)
def test_the_keyboard_does_a_night_s_work(
    new_page: NewPage, own_service: Service, view: str, scheme: str, javascript: bool
) -> None:
    page = new_page(view=view, scheme=scheme, javascript=javascript)
    sign_in(page, own_service)
    press(page.get_by_role("link", name="Signing in fails for some customers").first)
    incident = page.url
    note_it(page)
    keep_a_draft(page, incident)
    schedule(page)
    post_a_notice(page, own_service)
    tell_the_past(page, own_service)


def note_it(page: Page) -> None:
    unfold(page, "Add a note")
    write(page.locator(".notes textarea"), "The last region takes sign-ins again.")
    press(button(page, "Add note"))
    said(page, "The note is kept.")
    newest = page.get_by_role("region", name="Timeline").get_by_role("listitem").first
    expect(newest).to_contain_text("The last region takes sign-ins again.")
    page.get_by_label("Public", exact=True).check()
    expect(newest).not_to_contain_text("sign-ins again.")


def keep_a_draft(page: Page, incident: str) -> None:
    write(page.locator("#resolution"), "Every region takes sign-ins.")
    press(button(page, "Save draft"))
    said(page, "The draft is saved.")
    page.goto(incident)
    expect(page.locator("#resolution")).to_have_value("Every region takes sign-ins.")


def schedule(page: Page) -> None:
    unfold(page, "Severity and time")
    page.get_by_label("Post at").fill(at(2))
    press(page.locator("[name=publish]"))
    waiting = page.get_by_role("region", name="Scheduled update")
    expect(waiting).to_contain_text("Every region takes sign-ins.")
    press(button(page, "Cancel scheduled update"))
    expect(waiting).to_have_count(0)


def post_a_notice(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/admin/notices/new")
    write(page.get_by_label("Title").first, "New sign-in page from Monday")
    write(page.get_by_label("Text").first, "The page looks different, and works as before.")
    press(button(page, "Post the notice"))
    said(page, "It’s on the page.")
    page.goto(f"{service.url}/admin/notices")
    press(page.locator("main").get_by_role("link", name="New sign-in page from Monday"))
    unfold(page, "End this notice")
    press(page.get_by_role("button", name="End the notice"))
    said(page, "The notice is off the page.")


def tell_the_past(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/admin/incidents/past")
    write(page.get_by_label("Title"), "Receipts were printed twice")
    for row, (hours, text) in {
        0: (-30, "Receipts come twice."),
        3: (-29, "They don’t now."),
    }.items():
        update = page.get_by_role("listitem", name=f"Update {row + 1}")
        update.get_by_label("Posted at").fill(at(hours))
        write(update.get_by_label("Text"), text)
    press(button(page, "Add to the history"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Receipts were printed twice")
