"""Pictures of the public page on its good and bad days, and of the admin: ``make pictures``.

With a folder as argument every whole page goes there, in all sizes; without one the few pictures
that the docs show go to ``docs/pictures``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chromium import ROOT, launch
from tests.browser.conftest import sign_in
from tests.browser.showcase import Shot, Showcase, shots
from tests.public.samples import LINKS, NOON
from tests.service import FirstStart, Service

WIDTHS = (320, 768, 1440)
SCHEMES = ("light", "dark")
FIX = "We took the change back everywhere, and sign-ins work again."
SHOWN = {
    "": {
        ("all-fine", 1440, "light"), ("all-fine", 320, "dark"), ("worst-day", 1440, "light"),
        ("worst-day", 1440, "dark"), ("worst-day", 320, "light"), ("maintenance", 768, "light"),
        ("unconfirmed", 768, "light"), ("incident", 768, "light"), ("history", 768, "dark"),
        ("search", 768, "light"),
    },
    "ar": {("worst-day", 768, "light"), ("component-worst", 320, "dark")},
    "ja": {("worst-day", 768, "dark"), ("subscribe", 320, "light")},
}  # fmt: skip


def take(
    browser: Browser,
    shot: Shot,
    *,
    name: str,
    language: str,
    width: int,
    scheme: str,
    folder: Path,
    whole: bool,
) -> None:
    """One picture of the page or of its first screens, ``<name>-<width>-<scheme>.png``."""
    context = browser.new_context(
        viewport={"width": width, "height": 1100},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="UTC",
        # Of somebody who reads this language: nobody is offered another.
        locale=language or "en-GB",
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOON)
    Showcase(page, shot.html)
    page.goto(LINKS.home)
    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=whole)
    context.close()


def take_admin(browser: Browser, folder: Path) -> None:
    """The dashboard of the demo, and the desk of its open incident."""
    with TemporaryDirectory() as place:
        data = Path(place)
        first_start = FirstStart.make(data)
        service = Service(data, first_start=first_start)
        try:
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": 1440, "height": 1100},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page = context.new_page()
                sign_in(page, service)
                page.screenshot(path=folder / f"dashboard-1440-{scheme}.png")
                page.goto(f"{service.url}/admin/incidents?show=open")
                page.locator(".stories h2 a").first.click()
                page.get_by_role("radio", name="Monitoring").check()
                page.locator("#resolution").fill(FIX)
                expect(page.locator(".texts")).to_contain_text(FIX)
                page.screenshot(path=folder / f"desk-1440-{scheme}.png")
                context.close()
        finally:
            service.stop()


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="all pictures go here")
    parser.add_argument("--only", default="", help="names that begin with this")
    parser.add_argument("--language", default="", help="in this language: de, pt-BR")
    asked = parser.parse_args()
    folder: Path = asked.folder or ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [
        (shot, f"{shot.name}-{language}" if language else shot.name, language, width, scheme)
        for language in ([asked.language] if asked.folder else SHOWN)
        for shot in shots(language)
        for width in WIDTHS
        for scheme in SCHEMES
        if shot.name.startswith(asked.only)
        and (asked.folder or (shot.name, width, scheme) in SHOWN[language])
    ]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for shot, name, language, width, scheme in wanted:
            take(
                browser,
                shot,
                name=name,
                language=language,
                width=width,
                scheme=scheme,
                folder=folder,
                whole=asked.folder is not None,
            )
        if not asked.folder:
            take_admin(browser, folder)
        browser.close()


if __name__ == "__main__":
    main()
