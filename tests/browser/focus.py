"""Where the keyboard is, in a browser's page."""

from __future__ import annotations

from playwright.sync_api import Locator

from tests.waiting import eventually


def await_focus(field: Locator) -> None:
    """Wait until the element has the focus of its page.

    Playwright's own ``to_be_focused`` also asks that the window has the screen's, which a browser
    without windows loses now and then.
    """
    eventually(lambda: bool(field.evaluate("(it) => it === document.activeElement")))
