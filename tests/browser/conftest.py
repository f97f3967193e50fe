"""A real browser on the real service: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.chromium import launch
from tests.service import FirstStart, Service

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1440, height=900)
VIEWPORTS = {"phone": PHONE, "desktop": DESKTOP}

# Two cores shared by four test processes, each with a browser and a service: what takes a moment
# alone takes seconds then.  Nothing here tells by a time that something is right.
PATIENCE: Final = 30_000
expect.set_options(timeout=PATIENCE)

NewPage = Callable[..., Page]


# Package scope: Playwright keeps an event loop running, which other tests have no use for.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory, first_start: FirstStart) -> Iterator[Service]:
    """The service with its demo, shared by the tests here: leave it as you found it."""
    running = Service(tmp_path_factory.mktemp("service"), first_start=first_start)
    yield running
    running.stop()


@pytest.fixture
def own_service(tmp_path: Path, first_start: FirstStart) -> Iterator[Service]:
    """The service with its demo, for one test that changes what others look at."""
    running = Service(tmp_path, first_start=first_start)
    yield running
    running.stop()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """``new_page(view="phone", scheme="dark", javascript=False, …)`` opens a window of its own.

    At the end the test fails if any page broke its own policy, threw, or asked in vain.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        *, view: str = "desktop", scheme: str = "light", javascript: bool = True, **options: Any
    ) -> Page:
        context = browser.new_context(
            viewport=VIEWPORTS[view],
            color_scheme=scheme,
            java_script_enabled=javascript,
            has_touch=view == "phone",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", lambda message: complaints.extend(_console_complaint(message)))
        page.on("pageerror", lambda error: complaints.append(f"{error}"))
        page.on("response", lambda response: complaints.extend(_response_complaint(response)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A window on a desktop, in the light scheme."""
    return new_page()


@pytest.fixture(params=[("phone", "dark"), ("desktop", "light")], ids="-".join)
def any_page(request: pytest.FixtureRequest, new_page: NewPage) -> Page:
    """A window on a phone in the dark, and one on a desktop in the light: the test runs twice."""
    view, scheme = request.param
    return new_page(view=view, scheme=scheme)


@pytest.fixture(scope="package")
def signed_in(browser: Browser, service: Service) -> Any:
    """What a signed-in browser remembers: ``new_page(storage_state=signed_in)``."""
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, service)
    state = context.storage_state()
    context.close()
    return state


def sign_in(page: Page, service: Service) -> None:
    """Sign in to the admin with the sign-in that the first start printed."""
    page.goto(f"{service.url}/admin/login")
    page.get_by_label("Email address").fill(service.email)
    page.get_by_label("Password").fill(service.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service.url}/admin/")


def _console_complaint(message: ConsoleMessage) -> list[str]:
    # A page that answers 404 on purpose is told of here as well: see the responses instead.
    expected = message.text.startswith("Failed to load resource")
    return [message.text] if message.type == "error" and not expected else []


def _response_complaint(response: Response) -> list[str]:
    asked_for = response.request.resource_type
    failed = response.status >= 400 and asked_for != "document"
    return [f"{response.status} for {asked_for} {response.url}"] if failed else []
