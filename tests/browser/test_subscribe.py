"""Subscribing in a browser: from the page to the confirmed subscription, read from the mail."""

from __future__ import annotations

import email
import email.policy
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import axe_violations
from tests.browser.conftest import NewPage, sign_in
from tests.service import Service


def newest_mail(service: Service, address: str, subject: str = "") -> str:
    """The text of the newest mail file to an address, once there is one of that subject."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = [
            file
            for file in mail_files(service)
            if f"<{address}>" in file.read_text() and f"Subject: {subject}" in file.read_text()
        ]
        if found:
            newest = max(found, key=lambda file: file.stat().st_mtime_ns)
            message = email.message_from_bytes(newest.read_bytes(), policy=email.policy.default)
            return str(message.get_body(("plain",)).get_content())  # type: ignore[union-attr, attr-defined]
        time.sleep(0.1)
    raise AssertionError(f"no mail to {address}")


def mail_files(service: Service) -> list[Path]:
    return list((service.folder / "data" / "mail").rglob("*.eml"))


def link_in(text: str) -> str:
    found = re.search(r"(http://\S+/subscriptions/\S+)", text)
    assert found is not None, text
    return found[1]


def subscribe(page: Page, service: Service, address: str) -> None:
    """From the page's own entry to the answer that everybody gets."""
    page.goto(service.url)
    page.get_by_role("navigation").get_by_role("link", name="Subscribe").click()
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Scheduled maintenance").uncheck()
    page.get_by_text("Only some components").click()
    page.get_by_label("Checkout").check()
    page.get_by_role("button", name="Subscribe by email").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_subscribing_takes_one_form_one_mail_and_one_button(
    new_page: NewPage, service: Service, javascript: bool
) -> None:
    page = new_page(view="phone", javascript=javascript)
    address = f"sam{javascript:d}@example.com"
    subscribe(page, service, address)
    page.goto(link_in(newest_mail(service, address)))
    expect(page.get_by_text("incidents of")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re subscribed")
    expect(page.get_by_label("Checkout")).to_be_checked()
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Saved")
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re unsubscribed")


def test_axe_finds_nothing_on_the_way(any_page: Page, service: Service) -> None:
    any_page.goto(f"{service.url}/subscribe")
    any_page.get_by_text("Only some components").click()
    assert axe_violations(any_page) == []
    any_page.locator("form").evaluate("form => form.noValidate = true")
    any_page.get_by_label("Email address").fill("nobody")
    any_page.get_by_role("button", name="Subscribe by email").click()
    expect(any_page.locator("#problem")).to_be_visible()
    assert axe_violations(any_page) == []
    any_page.goto(f"{service.url}/subscribe/sent")
    assert axe_violations(any_page) == []


def test_axe_finds_nothing_where_it_is_confirmed_and_managed(
    new_page: NewPage, service: Service
) -> None:
    page = new_page()
    subscribe(page, service, "ann@example.com")
    page.goto(link_in(newest_mail(service, "ann@example.com")))
    assert axe_violations(page) == []
    page.get_by_role("button", name="Confirm").click()
    assert axe_violations(page) == []
    page.get_by_role("button", name="Unsubscribe").click()
    assert axe_violations(page) == []


def test_the_admin_finds_who_subscribed(new_page: NewPage, service: Service) -> None:
    page = new_page()
    subscribe(page, service, "zoe@example.com")
    sign_in(page, service)
    page.get_by_role("link", name="Subscribers").click()
    assert axe_violations(page) == []
    page.get_by_role("link", name="zoe@example.com").click()
    expect(page.get_by_text("Not confirmed yet")).to_be_visible()
    assert axe_violations(page) == []
