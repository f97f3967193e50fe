"""Now, and how a time is shown and read in a zone.

Inside, every time is aware and UTC.  People always see a zone.  Local wall times follow the zone's
rules (IANA tz database): one that does not exist or that happens twice is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_skeleton, get_datetime_format

from statuspage.core.languages import translations

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What people may type.  Sums with such times, and their form in any zone, stay on the calendar,
# whose ends (the years 1 and 9999) raise OverflowError.
TYPED_YEARS = range(1970, 3000)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def as_utc(moment: datetime) -> datetime:
    """``moment`` in UTC; a naive one is refused, because nobody knows what it means."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """All zone names a person may pick, sorted: ``UTC`` first, then Area/City."""
    areas = tuple(sorted(name for name in available_timezones() if "/" in name))
    return ("UTC", *(name for name in areas if not name.startswith(("Etc/", "posix/", "right/"))))


def zones_by_area() -> dict[str, list[str]]:
    """:func:`zone_names` by what precedes the first ``/``; ``UTC`` is an area of its own."""
    areas = groupby(zone_names(), lambda name: name.partition("/")[0])
    return {area: list(names) for area, names in areas}


def read_zone(name: str) -> ZoneInfo:
    """The zone of that name; ``ValueError`` with a sentence for people where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a time zone; pick one like Europe/Berlin or UTC"
        ) from None


def zone_label(moment: datetime, zone: ZoneInfo) -> str:
    """The zone's short name at that moment: ``PST``.

    ``UTC+8`` where it has no letters, or where its letters are read as another zone's.
    """
    name = moment.astimezone(zone).tzname() or ""
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    if name.isalpha() and _AS_READ.get(name, offset) == offset:
        return name
    return _offset_label(offset)


def zone_with_offset(moment: datetime, zone: ZoneInfo) -> str:
    """The zone's short name and its offset: ``PST (UTC−8)``; one of them where they say the same.

    For readers who may not know the letters.
    """
    label = zone_label(moment, zone)
    offset = _offset_label(moment.astimezone(zone).utcoffset() or timedelta())
    return label if label.startswith("UTC") else f"{label} ({offset})"


def _offset_label(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    if minutes == 0:
        return "UTC"
    sign, minutes = ("+", minutes) if minutes > 0 else ("−", -minutes)
    hours, rest = divmod(minutes, 60)
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


# Names that zones share (IANA tz database), with the offset that they are read as, which is CLDR's
# for English: China and Cuba say CST too, the Philippines PST.  India, Ireland and Israel all say
# IST, so that it names none; IDT would stand beside it where Israel's clocks change.
_AS_READ: Final = {
    "CST": timedelta(hours=-6),
    "CDT": timedelta(hours=-5),
    "PST": timedelta(hours=-8),
    "IST": None,
    "IDT": None,
}


Label = Callable[[datetime, ZoneInfo], str]
"""How a zone is named beside a time: `zone_label` or `zone_with_offset`."""


def show(
    moment: datetime,
    zone: ZoneInfo,
    locale: str = "en",
    *,
    seconds: bool = False,
    label: Label = zone_label,
) -> str:
    """Date, year, time and zone: ``Mar 4, 2026, 12:00 UTC``, or with ``12:00:30 UTC``."""
    text = _date_and_time(_on_the_wall(moment, zone), locale, seconds=seconds)
    return f"{text} {label(moment, zone)}"


def show_date(day: date, locale: str = "en") -> str:
    """A calendar day: ``March 4, 2026``."""
    return format_date(day, format="long", locale=locale)


def show_time(
    moment: datetime,
    zone: ZoneInfo,
    locale: str = "en",
    *,
    seconds: bool = False,
    label: Label = zone_label,
) -> str:
    """The time of day with its zone: ``12:00 UTC``, or ``12:00:30 UTC``."""
    text = _time_of_day(_on_the_wall(moment, zone), locale, seconds=seconds)
    return f"{text} {label(moment, zone)}"


def _on_the_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock there shows, without its zone: aware times of two zones may be equal."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


# A screen shows the same moments again and again, and Babel reads its pattern anew for each.
@lru_cache(maxsize=8192)
def _date_and_time(local: datetime, locale: str, *, seconds: bool = False) -> str:
    pattern = str(get_datetime_format("medium", locale=locale)).replace("'", "")
    day = format_skeleton("yMMMd", local, locale=locale)
    time = _time_of_day(local, locale, seconds=seconds)
    return pattern.replace("{1}", day).replace("{0}", time)


@lru_cache(maxsize=8192)
def _time_of_day(local: datetime, locale: str, *, seconds: bool) -> str:
    return format_skeleton("Hms" if seconds else "Hm", local, locale=locale)


def in_order(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """A span as it may be shown: one that would end before it begins is the moment of its end.

    The only place that decides this; times that others wrote down run backwards at times.
    """
    return min(start, end), end


def show_span(
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    locale: str = "en",
    *,
    label: Label = zone_label,
) -> str:
    """From when to when, the date named once where it is the same day; always :func:`in_order`."""
    start, end = in_order(start, end)
    if start.astimezone(zone).date() != end.astimezone(zone).date():
        is_one_zone = zone_label(start, zone) == zone_label(end, zone)
        first = show(start, zone, locale, label=zone_label if is_one_zone else label)
        return f"{first} – {show(end, zone, locale, label=label)}"
    first = _date_and_time(_on_the_wall(start, zone), locale)
    if zone_label(start, zone) != zone_label(end, zone):
        first = show(start, zone, locale, label=label)
    return f"{first} – {show_time(end, zone, locale, label=label)}"


def show_duration(length: timedelta, language: str = "en") -> str:
    """A length in words, two units at most: ``2 hours 30 minutes``; under a minute says so."""
    words, minutes = translations(language), int(length.total_seconds() // 60)
    if minutes < 1:
        return words.gettext("less than a minute")
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [
        (days, words.ngettext("%(num)d day", "%(num)d days", days)),
        (hours, words.ngettext("%(num)d hour", "%(num)d hours", hours)),
        (minutes, words.ngettext("%(num)d minute", "%(num)d minutes", minutes)),
    ]
    while not parts[0][0]:
        del parts[0]
    first, *second = (text % {"num": number} for number, text in parts[:2] if number)
    if not second:
        return first
    both = words.gettext("%(first)s %(second)s")
    return both % {"first": first, "second": second[0]}


def read_local(text: str, zone: ZoneInfo, *, fold: int | None = None) -> datetime:
    """The moment that a wall-clock text (``2026-03-04T12:00``) names in ``zone``, in UTC.

    ``fold`` picks the first (0) or second (1) of a time that happens twice.  ``ValueError`` for
    what is no time, what is not of `TYPED_YEARS`, what never happens (clocks go forward) or happens
    twice with no choice made.
    """
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("write the time as date and time, like 2026-03-04 12:00") from None
    _require_typed_year(local)
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    # In a gap the round trip over UTC moves the wall clock; in a fold it does not.
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(
            f"{local:%Y-%m-%d %H:%M} does not exist in {zone.key}: the clocks go forward then"
        )
    if fold is None:
        raise ValueError(
            f"{local:%Y-%m-%d %H:%M} happens twice in {zone.key}: "
            f"choose {zone_label(first, zone)} or {zone_label(second, zone)}"
        )
    return (second if fold else first).astimezone(UTC)


def read_exact(text: str) -> datetime | None:
    """The moment that a form carries along unseen, ISO 8601 with its offset, in UTC.

    None for anything else: only somebody who changed the form can have sent that.
    """
    try:
        moment = datetime.fromisoformat(text)
        _require_typed_year(moment)
        return as_utc(moment)
    except ValueError:
        return None


def read_day(text: str) -> date:
    """The calendar day of ``2026-03-04``; ``ValueError`` with a sentence where there is none."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("write the day as year, month and day, like 2026-03-04") from None
    _require_typed_year(day)
    return day


def _require_typed_year(moment: date) -> None:
    if moment.year not in TYPED_YEARS:
        first, last = TYPED_YEARS[0], TYPED_YEARS[-1]
        raise ValueError(f"use a year from {first} to {last}")


def write_local(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment as a ``datetime-local`` form field holds it, in ``zone``; empty for none."""
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}" if moment else ""


def iso_millis(moment: datetime, zone: ZoneInfo) -> str:
    """ISO 8601 with milliseconds and the zone's offset, ``Z`` for UTC, as Statuspage writes it."""
    text = moment.astimezone(zone).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
