"""Times, days, lengths and percentages as the pages of one language and zone show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_interval, format_skeleton
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from statuspage.core import clock
from statuspage.core.languages import direction, locale_name, translations


class Times:
    """How the pages of one language and zone show what is counted and dated.

    A moment becomes a ``<time>`` element that static/page.js rewrites in the visitor's own zone.
    """

    def __init__(self, language: str, zone: str) -> None:
        self.language = language
        self.direction = direction(language)
        self.zone = clock.read_zone(zone)
        self.words = translations(language)
        self._locale = locale_name(language)

    def full(self, moment: datetime) -> Markup:
        """``Mar 4, 2026, 12:00 UTC``."""
        return _full(moment, self.zone, self._locale)

    def near(self, moment: datetime) -> Markup:
        """The same, to which the script adds how long ago or how soon that is."""
        return _near(moment, self.zone, self._locale)

    def span(self, start: datetime, end: datetime) -> Markup:
        """``Mar 4, 2026, 12:00 – 13:30 UTC``."""
        return _span(start, end, self.zone, self._locale)

    def day(self, day: date) -> Markup:
        """``Mar 4, 2026``: a day of the page's zone, whatever the visitor's."""
        return _day(day, self._locale)

    def days(self, first: date, last: date) -> Markup | str:
        """``Mar 1 – 4, 2026``: days of the page's zone, or the one day that they are."""
        return self.day(first) if first == last else _days(first, last, self._locale)

    def month(self, month: date) -> str:
        """``March 2026``."""
        return _month(month, self._locale)

    def duration(self, start: datetime, end: datetime) -> str:
        """How long it took, in two units at most: ``2 hours 30 minutes``."""
        return self.length(int((end - start).total_seconds()))

    def length(self, seconds: int) -> str:
        """So many seconds, in two units at most."""
        return clock.show_duration(timedelta(seconds=seconds), self.language)

    def percent(self, number: str) -> str:
        """``99.95%`` of :attr:`~statuspage.public.uptime.Uptime.percent`, with as many digits."""
        return _percent(number, self._locale)

    def number(self, value: float, decimals: int) -> str:
        """``1,234.50``, with so many decimals."""
        pattern = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
        return format_decimal(value, pattern, locale=self._locale)


# A moment reads the same for as long as there is a page, and formatting one costs more than the
# rest of its line.
@lru_cache(maxsize=8192)
def _full(moment: datetime, zone: ZoneInfo, locale: str) -> Markup:
    return _element(moment, clock.show(moment, zone, locale))


@lru_cache(maxsize=2048)
def _near(moment: datetime, zone: ZoneInfo, locale: str) -> Markup:
    return _element(moment, clock.show(moment, zone, locale), near=True)


@lru_cache(maxsize=4096)
def _span(start: datetime, end: datetime, zone: ZoneInfo, locale: str) -> Markup:
    first, _, last = clock.show_span(start, end, zone, locale).partition(" – ")
    parts = _element(start, first), _element(end, last)
    return _SPAN.format(*parts)


_SPAN: Final = Markup("<span data-span>{} – {}</span>")


@lru_cache(maxsize=1024)
def _day(day: date, locale: str) -> Markup:
    text = format_skeleton("yMMMd", day, locale=locale)
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), text)


@lru_cache(maxsize=1024)
def _month(month: date, locale: str) -> str:
    return str(format_skeleton("yMMMM", month, locale=locale))


@lru_cache(maxsize=1024)
def _days(first: date, last: date, locale: str) -> str:
    return str(format_interval(first, last, "yMMMd", locale=locale))


def iso(moment: datetime) -> str:
    """A moment as ``datetime`` attributes hold it, in UTC and to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _element(moment: datetime, text: str, *, near: bool = False) -> Markup:
    mark = Markup(" data-near" if near else "")
    return Markup('<time datetime="{}"{}>{}</time>').format(iso(moment), mark, text)


def mark_times(html: Markup, times: Iterable[tuple[str, str]]) -> Markup:
    """Safe HTML in which these times are elements; each stands as it did.

    ``times`` are ISO 8601 moments, or two with ``/`` between them, by how a text says them; what is
    neither is left out.
    """
    known = [(text, _read_moments(moment)) for text, moment in times]
    elements = {
        _as_in_html(text): _as_elements(text, moments) for text, moments in known if moments
    }
    if not elements:
        return html
    longest_first = sorted(elements, key=len, reverse=True)
    # Never part of a longer number, name or offset.
    told = re.compile(
        rf"(?<![0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![A-Za-z0-9]|[+−:][0-9])"
    )
    # Texts and tags take turns; an address holds no time, for it has no blanks.
    parts = _TAG.split(html)
    parts[::2] = [told.sub(lambda found: elements[found[0]], text) for text in parts[::2]]
    return Markup("".join(parts))


_TAG: Final = re.compile("(<[^>]*>)")


def _as_in_html(text: str) -> str:
    return str(escape(text)).replace("\u00a0", "&nbsp;")


def _read_moments(moment: str) -> list[datetime]:
    try:
        return [clock.as_utc(datetime.fromisoformat(each)) for each in moment.split("/")]
    except ValueError:
        return []


def _as_elements(text: str, moments: Sequence[datetime]) -> Markup:
    if len(moments) == 1:
        return _element(moments[0], text)
    first, _, last = text.partition(" – ")
    return _SPAN.format(_element(moments[0], first), _element(moments[-1], last))


@lru_cache(maxsize=1024)
def _percent(number: str, locale: str) -> str:
    _, dot, fraction = number.partition(".")
    pattern = Locale.parse(locale).percent_formats[None].pattern
    exact = _LAST_DIGIT.sub(f"0{dot}{fraction and '0' * len(fraction)}", pattern)
    return format_percent(Decimal(number) / 100, exact, locale=locale)


_LAST_DIGIT: Final = re.compile("0(?=[^0]*$)")
