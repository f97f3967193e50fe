"""The company's own look: accent colours, logo, links and footer, as ready bytes.

Nothing of it is markup: colours are six hexadecimal digits, the logo is a picture of a kind that
cannot run, links are a label and a web address, and a style sheet that somebody typed was checked
(:mod:`statuspage.configuration.style_sheet`) and is a file beside the page.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Final

AA: Final = 4.5
# What an accent stands on in each scheme: --ground and --surface of static/tokens.css.
LIGHT_GROUNDS: Final = ("#f6f7f8", "#ffffff")
DARK_GROUNDS: Final = ("#0f1215", "#171b20")
COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
LINK: Final = re.compile(r"(?P<label>\S.*?)\s+(?P<address>https?://[^\s/]\S*)", re.IGNORECASE)
_STYLE: Final = """\
:root {{ --accent: {accent}; --on-accent: {on_accent}; }}
@media screen and (prefers-color-scheme: dark) {{
  :root {{ --accent: {accent_dark}; --on-accent: {on_accent_dark}; }}
}}
body {{ border-block-start: 0.25rem solid var(--accent); }}
.masthead .button {{
  border-color: var(--accent); background: var(--accent); color: var(--on-accent);
}}
"""


@dataclass(frozen=True, slots=True)
class Branding:
    """The look as it is shown; colours are ``#rrggbb``, links pairs of label and address."""

    accent: str = ""
    accent_dark: str = ""
    links: tuple[tuple[str, str], ...] = ()
    footer: str = ""
    css: str = ""
    logo: bytes = field(default=b"", repr=False)
    # Shown in place of the other where the page is dark.
    logo_dark: bytes = field(default=b"", repr=False)

    @property
    def style(self) -> str:
        """The style sheet of the colours, and then the company's own; empty without either."""
        return "\n".join(filter(None, (self._colours(), self.css)))

    def _colours(self) -> str:
        if not self.accent:
            return ""
        dark = self.accent_dark or fitting(self.accent, DARK_GROUNDS)
        return _STYLE.format(
            accent=self.accent,
            on_accent=ink_on(self.accent),
            accent_dark=dark,
            on_accent_dark=ink_on(dark),
        )

    @property
    def style_path(self) -> str:
        """Where the style is served, named after its content; empty where there is none."""
        return f"/look/style.{_digest(self.style.encode())}.css" if self.style else ""

    @property
    def logo_path(self) -> str:
        """Where the logo is served, named after its content; empty where there is none."""
        return _picture_path(self.logo)

    @property
    def logo_dark_path(self) -> str:
        """Where the logo for dark backgrounds is served; empty where there is none."""
        return _picture_path(self.logo_dark)

    def files(self) -> Iterator[tuple[str, str | bytes, str]]:
        """Path, content and media type of what the pages refer to."""
        if self.style:
            yield self.style_path, self.style, "text/css; charset=utf-8"
        for picture in filter(None, (self.logo, self.logo_dark)):
            yield _picture_path(picture), picture, picture_type(picture)


@lru_cache(maxsize=8)
def read_branding(kept: tuple[tuple[str, str], ...]) -> Branding:
    """The look that a page keeps; what is not there, or is none, counts as not chosen."""
    values = dict(kept)
    accent, dark = (values.get(name, "") for name in ("accent", "accent_dark"))
    return Branding(
        accent=accent if COLOUR.fullmatch(accent) else "",
        accent_dark=dark if COLOUR.fullmatch(dark) else "",
        links=read_links(values.get("links", "")),
        footer=values.get("footer", ""),
        css=values.get("css", ""),
        logo=b64decode(values.get("logo", "")),
        logo_dark=b64decode(values.get("logo_dark", "")),
    )


def read_links(text: str) -> tuple[tuple[str, str], ...]:
    """Links written one per line, a label and then a web address; other lines are none."""
    found = (LINK.fullmatch(line.strip()) for line in text.splitlines())
    return tuple((link["label"], link["address"]) for link in found if link)


def picture_type(content: bytes) -> str:
    """``image/png``, ``image/jpeg`` or ``image/webp`` by the first bytes; empty for all else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def fits(colour: str, grounds: tuple[str, ...]) -> bool:
    """Whether text of that colour is read on all these grounds (WCAG 2.2 AA)."""
    return all(contrast(colour, ground) >= AA for ground in grounds)


def fitting(colour: str, grounds: tuple[str, ...]) -> str:
    """The colour itself where it fits, else the first towards black or white that does."""
    target = 0 if _luminance(grounds[0]) > 0.5 else 255
    channels = _channels(colour)
    for step in range(101):
        mixed = [round(each + (target - each) * step / 100) for each in channels]
        candidate = "#" + "".join(f"{each:02x}" for each in mixed)
        if fits(candidate, grounds):
            return candidate
    raise AssertionError("black and white fit every ground of ours")


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour."""
    return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, colour))


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _luminance(colour: str) -> float:
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4
        for each in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _picture_path(content: bytes) -> str:
    ending = picture_type(content).partition("/")[2]
    return f"/look/logo.{_digest(content)}.{ending}" if content else ""


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=6).hexdigest()
