"""Headers that the settings ask for: HTTPS from now on, and who may show the page in a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from statuspage.core.config import Settings

HeaderList = list[tuple[str, str]]

# Two years, as browsers' lists of such sites ask; other names below ours are not ours to promise
# for (RFC 6797, 6.1).  Browsers take it from encrypted answers alone.
HSTS: Final = ("Strict-Transport-Security", "max-age=63072000")
NOBODY: Final = "frame-ancestors 'none'"


def is_encrypted(settings: Settings) -> bool:
    """Whether people reach the page over HTTPS, by PUBLIC_URL."""
    return settings.public_url.startswith("https://")


def framed_by(policy: str, settings: Settings) -> str:
    """A public document's policy, with the sites that FRAME_ANCESTORS names."""
    return policy.replace(NOBODY, f"frame-ancestors {settings.frame_ancestors}")


def public_headers(settings: Settings) -> Callable[[HeaderList], HeaderList]:
    """What makes a public document's headers those that the settings ask for."""
    added = [HSTS] if is_encrypted(settings) else []
    if settings.frame_ancestors == "'none'":
        return (lambda headers: [*headers, *added]) if added else (lambda headers: headers)

    def change(headers: HeaderList) -> HeaderList:
        return [
            (name, framed_by(value, settings) if name == "Content-Security-Policy" else value)
            for name, value in headers
        ] + added

    return change
