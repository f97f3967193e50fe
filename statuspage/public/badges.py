"""Badges: the state of the page or of one component as a small SVG, for other sites to embed.

It says the state three times, as the page does: by a word, a shape and a colour.  Nothing in it is
fetched, so it looks the same as an ``<img>`` anywhere; programs that read pages aloud find its
words in ``<title>``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import unescape
from typing import Final

from markupsafe import Markup, escape

from statuspage.core.languages import N_, translations
from statuspage.core.paths import TEMPLATES
from statuspage.public.feed_formats import xml_text
from statuspage.public.html_pages import TONES, overall_tone
from statuspage.public.snapshot import ComponentView, Frame

CONTENT_TYPE: Final = "image/svg+xml"

# White on each of these has a contrast of more than 6: static/tokens.css, its light scheme.
COLOURS: Final = {
    "fine": "#14713d",
    "planned": "#1d5fc4",
    "minor": "#855600",
    "major": "#ad3f06",
    "critical": "#b61a2a",
    "unknown": "#535b66",
}
MOST_LETTERS: Final = 40
_PAD, _SIGN, _GAP = 8, 14, 5


def page_badge(frame: Frame) -> str:
    """The overall state, in the page's own words."""
    page = frame.page
    said = frame.description if page.is_set_up else N_("Not set up")
    return _draw(page.name, said, overall_tone(frame), page.language)


def component_badge(component: ComponentView, frame: Frame) -> str:
    """One component's state."""
    tone, said = TONES[component.status], component.status.label
    return _draw(component.full_name, said, tone, frame.page.language)


def mark_unconfirmed(svg: str) -> str:
    """A badge made here that vouches for nothing any more; what is none comes back as it is."""
    found = _HEAD.match(svg)
    if found is None:
        return svg
    return _draw(unescape(found["name"]), N_("Not confirmed"), "unknown", found["language"])


# What `mark_unconfirmed` reads back.
_HEAD: Final = re.compile(
    r'<svg [^>]*xml:lang="(?P<language>[^"]*)"[^>]*><title>(?P<name>.*): [^<]*</title>', re.DOTALL
)


# As many as one page is likely to have components: with fewer places each pushes out the next.
@lru_cache(maxsize=8192)
def _draw(name: str, said: str, tone: str, language: str) -> str:
    name, said = xml_text(name), translations(language).gettext(said)
    shown = name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1].rstrip() + "…"
    left, right = _width(shown), _width(said)
    edge = left + 2 * _PAD
    width = edge + right + _SIGN + _GAP + 2 * _PAD
    return _SVG.format(
        language=escape(language),
        name=escape(name),
        said=escape(said),
        shown=escape(shown),
        left_at=_PAD + left / 2,
        right_at=edge + _PAD + _SIGN + _GAP + right / 2,
        edge=edge,
        width=width,
        inner=width - 5,
        sign_at=edge + _PAD,
        scale=_SIGN / 20,
        colour=COLOURS[tone],
        sign=_signs()[tone],
    )


# The texts stand in the middle of the room that was reckoned for them: which font draws them is not
# known, and `textLength` would stretch them in browsers and is not read by librsvg.
# Words are escaped before they come here: a Markup would look at every number, too.
_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="24"'
    ' viewBox="0 0 {width} 24" role="img" aria-label="{name}: {said}" xml:lang="{language}">'
    "<title>{name}: {said}</title>"
    '<path fill="#2a3037" d="M5 0H{edge}v24H5a5 5 0 0 1-5-5V5a5 5 0 0 1 5-5z"/>'
    '<path fill="{colour}" d="M{edge} 0H{inner}a5 5 0 0 1 5 5v14a5 5 0 0 1-5 5H{edge}z"/>'
    '<g fill="#fff" font-family="system-ui,-apple-system,Segoe UI,Roboto,Liberation Sans,'
    'sans-serif" font-size="12" font-weight="600">'
    '<g transform="translate({sign_at} 5) scale({scale})">{sign}</g>'
    '<text x="{left_at}" y="16.2" text-anchor="middle">{shown}</text>'
    '<text x="{right_at}" y="16.2" text-anchor="middle">{said}</text></g></svg>\n'
)


@lru_cache(maxsize=1)
def _signs() -> dict[str, Markup]:
    """The shapes that the page's own symbols have."""
    symbols = (TEMPLATES / "public" / "icons.svg").read_text(encoding="utf-8")
    found = re.findall(r'<symbol id="i-(\w+)"[^>]*>(.*?)</symbol>', symbols)
    # Inside an <img> there is no text colour to inherit.
    return {name: Markup(shape.replace("currentColor", "#fff")) for name, shape in found}


def _width(text: str) -> int:
    """About how wide it is in DejaVu Sans Bold of 12 pixels, wider than most sans-serifs."""
    return round(sum(_advance(letter) for letter in text)) or 1


def _advance(letter: str) -> float:
    category = unicodedata.category(letter)
    if category in {"Mn", "Me", "Cf"}:
        return 0
    if category == "Mc":
        # A vowel sign of Indic scripts stands beside its letter.
        return 4
    if unicodedata.east_asian_width(letter) in "WF":
        return 12
    # An accent changes no width: é is as wide as e.
    letter = unicodedata.normalize("NFD", letter)[0]
    if letter in _NARROW:
        return 5
    if letter in _WIDE:
        return 12.4
    return 9.4 if letter.isupper() else 8.3


_NARROW: Final = frozenset("iljtfIJr .,:;'|!()[]")
_WIDE: Final = frozenset("mwMW@%—…")
