"""What a browser is called where people tell their sessions apart: “Firefox on Linux”."""

from __future__ import annotations

from typing import Final

from statuspage.core.richtext import clean_line

# In this order: each names the ones after it too, to be served what those are.
_BROWSERS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
_LONGEST: Final = 80


def name_device(user_agent: str) -> str:
    """A short name from a ``User-Agent`` header; what it begins with, where nothing is known."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or clean_line(user_agent)[:_LONGEST] or "Unknown browser"
