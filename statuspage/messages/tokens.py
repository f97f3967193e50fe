"""Tokens: what each recipient's copy of a text is filled with.

A composed text for customers holds ``[[started]]`` and its like, so that one text serves everybody
and each reads times in their own zone.  Nothing that a person typed as a fact can be a token:
:func:`disarm` parts its brackets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

from statuspage.core import clock
from statuspage.core.languages import direction, nearest, translations
from statuspage.core.richtext import clean

NAMELESS = "there"
# What two times make together.
_SPANS = {
    "span": ("started", "ended"),
    "scheduled_span": ("scheduled_for", "scheduled_until"),
}

# Wider than what is ever filled: a token in capitals is a mistake, and must not go out either.
TOKEN = re.compile(r"\[\[\s*([^\W\d]\w{0,39})\s*\]\]")
_DOUBLE = re.compile(r"\[(?=\[)")
_JOINER = "\u2060"


def token(name: str) -> str:
    """The token of that name, as it is written in a text."""
    return f"[[{name}]]"


def disarm(value: str) -> str:
    """``value`` with an invisible word joiner between double brackets: text, never a token."""
    return _DOUBLE.sub(f"[{_JOINER}", value)


def fillable(moments: Mapping[str, str]) -> frozenset[str]:
    """The tokens that a text for customers may hold, given the times that are known."""
    known = {"name", "greeting", *moments}
    known |= {span for span, ends in _SPANS.items() if known.issuperset(ends)}
    return frozenset(known)


def token_values(
    moments: Mapping[str, str], *, zone: str, locale: str = "en", name: str = ""
) -> dict[str, str]:
    """What the tokens say to one recipient.

    ``moments`` are ISO 8601 times by token name; a zone stands with its offset.  A zone or locale
    that does not exist gives UTC or English: a wrong row in a list of customers must not cost
    anybody their mail.
    """
    times = _times(tuple(sorted(moments.items())), zone, locale, clock.zone_with_offset)
    return {**times, "name": salutation(name), "greeting": greeting(name, locale)}


def greeting(name: str, language: str) -> str:
    """How a mail begins: “Hello Ada,”, or “Hello,” to somebody whose name nobody knows."""
    words, called = translations(nearest(language)), " ".join(name.split())
    if not called:
        return words.gettext("Hello,")
    return words.gettext("Hello %(name)s,") % {"name": called}


def isolated(text: str, language: str) -> str:
    """A time that keeps its order within a sentence that is read from right to left."""
    return f"\u2067{text}\u2069" if direction(language) == "rtl" else text


def salutation(name: str) -> str:
    """The name after “Hello”; :data:`NAMELESS` where none is known."""
    return " ".join(name.split()) or NAMELESS


def page_times(moments: Mapping[str, str], *, zone: str, locale: str) -> dict[str, str]:
    """The same times by token name, as a finished public text says them."""
    shown = _times(tuple(sorted(moments.items())), zone, locale, clock.zone_label)
    return {name: clean(text) for name, text in shown.items()}


def times_in(text: str, moments: Mapping[str, str], *, zone: str, locale: str) -> dict[str, str]:
    """The known times that stand in a finished public text, by how they stand there.

    ``moments`` are ISO 8601 times by token name; a span is two with ``/`` between them.
    """
    known = dict(moments)
    for span, (start, end) in _SPANS.items():
        if start in moments and end in moments:
            known[span] = f"{moments[start]}/{moments[end]}"
    shown = page_times(moments, zone=zone, locale=locale)
    return {shown[name]: moment for name, moment in known.items() if shown[name] in text}


@lru_cache(maxsize=2048)
def _times(
    moments: tuple[tuple[str, str], ...], zone: str, locale: str, label: clock.Label
) -> Mapping[str, str]:
    place, language = _zone(zone), _locale(locale)
    known = {name: datetime.fromisoformat(moment) for name, moment in moments}
    shown = {
        name: clock.show(moment, place, language, label=label) for name, moment in known.items()
    }
    for span, (start, end) in _SPANS.items():
        if start in known and end in known:
            shown[span] = clock.show_span(known[start], known[end], place, language, label=label)
    code = language.replace("_", "-")
    return {name: isolated(text, code) for name, text in shown.items()}


def _zone(name: str) -> ZoneInfo:
    try:
        return clock.read_zone(name)
    except ValueError:
        return ZoneInfo("UTC")


def _locale(name: str) -> str:
    try:
        return str(Locale.parse(name.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return "en"
