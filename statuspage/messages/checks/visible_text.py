"""A text as its reader sees it, with the place of every character in what was written.

Markdown's escapes and emphasis, character references and invisible characters could hide a host
name from a rule: ``db\\-01``, ``db-**01**``.  Here they are gone, and each character still knows
where it came from.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_HIDING = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<reference>&(?:[A-Za-z]{2,31}|\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6});)"
    r"|(?P<mark>[*`\u00ad\u200b-\u200f\u2060-\u2064\ufeff])"
    r"|(?P<wide>[\u2010\u2011\u2024\u3000-\u3002\uff01-\uff60\U0001d400-\U0001d7ff])"
)
_FOLDED = {"\u2010": "-", "\u2011": "-", "\u3002": "."}


@dataclass(frozen=True, slots=True)
class Reading:
    """``places[i]`` is where character ``i`` of ``text`` begins; one more is where it ends."""

    text: str
    places: tuple[int, ...]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where that part of the reading is in what was written."""
        return self.places[start], max(self.places[start], self.places[end])


def read(written: str) -> Reading:
    """The reading of a Markdown text or of a plain line."""
    text: list[str] = []
    places: list[int] = []
    for piece, start in _pieces(written):
        text.append(piece)
        step = 1 if written.startswith(piece, start) else 0
        places.extend(start + step * index for index in range(len(piece)))
    return Reading("".join(text), (*places, len(written)))


def _pieces(written: str) -> Iterator[tuple[str, int]]:
    at = 0
    for found in _HIDING.finditer(written):
        yield written[at : found.start()], at
        yield _shown(found), found.start()
        at = found.end()
    yield written[at:], at


def _shown(found: re.Match[str]) -> str:
    if found["escaped"]:
        return found["escaped"]
    if found["reference"]:
        return html.unescape(found["reference"])
    if found["wide"]:
        return _FOLDED.get(found[0]) or unicodedata.normalize("NFKC", found[0])
    return ""
