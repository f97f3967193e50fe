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

# What the rules say of one document differs between widths and schemes in these alone.
OF_THE_LOOK = ["color-contrast", "target-size"]

# The page's own policy lets only the first look of `wait_for_function` evaluate its text.
_UNTIL_ALL_STAND_STILL = """async () => {
    const running = () => document.getAnimations().filter((one) => one.playState === "running");
    while (running().length) await Promise.allSettled(running().map((one) => one.finished));
}"""


def axe_violations(page: Page, **options: Any) -> list[str]:
    """What axe finds against WCAG 2.2 AA, one line for each element; options are axe's own."""
    # A colour that is fading in has no contrast yet.
    page.evaluate(_UNTIL_ALL_STAND_STILL)
    return [
        f"{violation['id']}: {violation['help']}: {' '.join(map(str, node['target']))}"
        for violation in _found(page, **options)
        for node in violation["nodes"]
        if violation["id"] != "target-size" or _is_small_in_the_middle(page, *node["target"])
    ]


def _found(page: Page, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        Axe().run(page, options=AXE_OPTIONS | options).response["violations"]
    )
    return found


def _is_small_in_the_middle(page: Page, selector: str) -> bool:
    """Whether a target is too small where no bar at the window's edge covers a part of it."""
    page.locator(selector).evaluate("one => one.scrollIntoView({block: 'center'})")
    page.evaluate(_UNTIL_ALL_STAND_STILL)
    targets = [
        node["target"]
        for violation in _found(page, runOnly=["target-size"])
        for node in violation["nodes"]
    ]
    return [selector] in targets
