"""Debian's Chromium, without a window."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).resolve().parents[2]

# It runs as root in containers, and has nothing to fetch or to tell but our pages.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Browser:
    """Start it; the caller closes it."""
    installed = ROOT / ".tools" / "browser"
    chromium = str(installed) if installed.exists() else shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("Chromium is missing: make .tools/browser")
    return playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
