"""Passkeys, by Chromium's own virtual authenticator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.ports import free_port
from tests.service import FirstStart, Service


@pytest.fixture
def by_name(
    tmp_path: Path, first_start: FirstStart, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """The service under a name: browsers bind no passkey to a bare IP address."""
    port = free_port()
    monkeypatch.setattr("tests.service.free_port", lambda: port)
    running = Service(tmp_path, {"PUBLIC_URL": f"http://localhost:{port}"}, first_start=first_start)
    yield running
    running.stop()


def test_a_passkey_is_added_and_signs_in_alone_and_after_the_password(
    by_name: Service, new_page: NewPage
) -> None:
    page, admin = new_page(), f"http://localhost:{by_name.port}/admin"
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )

    def enter_password() -> None:
        page.goto(f"{admin}/login")
        page.get_by_label("Email address").fill(by_name.email)
        page.get_by_label("Password").fill(by_name.password)
        page.get_by_role("button", name="Sign in", exact=True).click()

    def sign_out() -> None:
        page.goto(f"{admin}/me")
        page.get_by_role("button", name="Sign out everywhere").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    enter_password()
    page.goto(f"{admin}/me/passkeys")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{admin}/")
    page.goto(f"{admin}/me/passkeys")
    expect(page.get_by_text("Last used")).to_be_visible()
    sign_out()
    enter_password()
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{admin}/")
