"""Accessibility, as far as a machine can tell."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# WCAG 2.2 at level AA: https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#axe-core-tags
AXE_OPTIONS: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # The one rule of WCAG 2.2, off unless asked for.
    "rules": {"target-size": {"enabled": True}},
}

# The page's own policy lets only the first look of `wait_for_function` evaluate its text.
_UNTIL_ALL_STAND_STILL = """async () => {
    const running = () => document.getAnimations().filter((one) => one.playState === "running");
    while (running().length) await Promise.allSettled(running().map((one) => one.finished));
}"""


def axe_violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA, one line for each element."""
    # A colour that is fading in has no contrast yet.
    page.evaluate(_UNTIL_ALL_STAND_STILL)
    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    return [
        f"{violation['id']}: {violation['help']}: {' '.join(map(str, node['target']))}"
        for violation in found
        for node in violation["nodes"]
    ]
