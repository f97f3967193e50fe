"""Days of a component, counted from the log of its states: the bar, the table and the percentage.

Pure: changes in, days out.  A day is the page's, from midnight to midnight in its zone, so it has
23 or 25 hours where the clocks change.  Time before the first change is not known and counts for
nothing.  The rule of the percentage is told to people in docs/uptime.md.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from statuspage.core.enums import ComponentStatus

DAYS_COUNTED: Final = 90

# How much of its time a state counts as down, in percent; what is not named counts as up.
DOWN: Final[Mapping[ComponentStatus, int]] = {
    ComponentStatus.PARTIAL_OUTAGE: 30,
    ComponentStatus.MAJOR_OUTAGE: 100,
}


@dataclass(frozen=True, slots=True)
class Change:
    """From ``at`` on the component was ``status``, until the next change."""

    at: datetime
    status: ComponentStatus


@dataclass(frozen=True, slots=True)
class Day:
    """A day's worst state, None where nothing is known of it, and the seconds in each state.

    ``seconds`` stand worst first and leave out what did not occur.
    """

    day: date
    worst: ComponentStatus | None
    seconds: tuple[tuple[ComponentStatus, int], ...]

    @property
    def is_troubled(self) -> bool:
        """Whether anything but normal operation is known of it."""
        return self.worst not in {None, ComponentStatus.OPERATIONAL}


@dataclass(frozen=True, slots=True)
class Uptime:
    """The days of one component, oldest first, the last of them counted up to ``until``.

    ``known`` are the seconds of which anything is known; ``down`` the hundredths of a second that
    count as down.
    """

    days: tuple[Day, ...]
    until: datetime
    known: int = field(init=False)
    down: int = field(init=False)

    def __post_init__(self) -> None:
        """Add up the seconds of which anything is known, and the hundredths of them down."""
        known = down = 0
        for day in self.days:
            for status, seconds in day.seconds:
                known += seconds
                down += DOWN.get(status, 0) * seconds
        object.__setattr__(self, "known", known)
        object.__setattr__(self, "down", down)

    def __hash__(self) -> int:
        """Cheap, and seldom the same for two components: thousands are looked up at a time."""
        return hash((self.until, self.known, self.down, self.days[0]))

    @property
    def ratio(self) -> Fraction | None:
        """The part of the known time in which it was up, 0 to 1; None where nothing is known."""
        return 1 - Fraction(self.down, 100 * self.known) if self.known else None

    @property
    def percent(self) -> str | None:
        """The same as people read it, ``99.95``: rounded down, so 100 means never down."""
        return percent_of(self.ratio)

    @property
    def is_new(self) -> bool:
        """Whether today is the first day of which anything is known: a percentage says little."""
        known = [day.worst is not None for day in self.days[-2:]]
        return known == [False, True]

    @property
    def known_days(self) -> int:
        """Of how many days anything is known."""
        return sum(day.worst is not None for day in self.days)

    @property
    def troubled_days(self) -> tuple[Day, ...]:
        """The days with anything but normal operation."""
        return tuple(day for day in self.days if day.is_troubled)


def percent_of(ratio: Fraction | None) -> str | None:
    """A part as people read it, ``99.95``: rounded down, so 100 means all of it."""
    if ratio is None:
        return None
    hundredths = int(ratio * 10_000)
    return "100" if ratio == 1 else f"{hundredths // 100}.{hundredths % 100:02d}"


def count_days(
    changes: tuple[Change, ...], *, zone: ZoneInfo, until: datetime, days: int = DAYS_COUNTED
) -> Uptime:
    """The last so many days up to ``until``, its own day included.

    ``changes`` stand in order of time; of several at one moment the last holds.  The state that
    stands at ``until`` is among its day's even where it has only just begun.
    """
    last = until.astimezone(zone).date()
    bounds = day_bounds(last, zone, days)
    seconds: list[dict[ComponentStatus, float]] = [{} for _ in range(days)]
    told = [change for change in changes if change.at <= until]
    if told:
        seconds[-1][told[-1].status] = 0
    place = 0
    for start, end, status in _stretches(told, bounds[0], until):
        place = bisect_right(bounds, start, lo=place) - 1
        for number in range(place, bisect_left(bounds, end, lo=place + 1)):
            length = min(end, bounds[number + 1]) - max(start, bounds[number])
            if length:
                of_day = seconds[number]
                of_day[status] = of_day.get(status, 0) + length.total_seconds()
    dates = (last - timedelta(days=days - 1 - number) for number in range(days))
    return Uptime(days=tuple(map(_day, dates, seconds)), until=until)


def since_when(until: datetime, zone: ZoneInfo, days: int = DAYS_COUNTED) -> datetime:
    """When the first of the last so many days begins."""
    return day_bounds(until.astimezone(zone).date(), zone, days)[0]


@lru_cache(maxsize=8)
def day_bounds(last: date, zone: ZoneInfo, days: int) -> tuple[datetime, ...]:
    """The midnights around and between so many days, in UTC: one more than there are days."""
    midnights = (last + timedelta(days=n) for n in range(1 - days, 2))
    # A midnight that is skipped falls on the moment of the skip; of two, the first counts.
    return tuple(datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in midnights)


def _stretches(
    changes: Sequence[Change], since: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime, ComponentStatus]]:
    """From when to when it was what, within ``since`` and ``until``."""
    ends = [*(change.at for change in changes[1:]), until]
    for change, end in zip(changes, ends, strict=False):
        start = max(change.at, since)
        if start < end:
            yield start, end, change.status


def _day(day: date, seconds: Mapping[ComponentStatus, float]) -> Day:
    return _equal_day(day, tuple(seconds.items()))


# On most days most components do the same, and a page of thousands holds each day once.
@lru_cache(maxsize=4096)
def _equal_day(day: date, seconds: tuple[tuple[ComponentStatus, float], ...]) -> Day:
    worst_first = sorted(seconds, key=lambda entry: entry[0].gravity, reverse=True)
    return Day(
        day=day,
        worst=worst_first[0][0] if worst_first else None,
        seconds=tuple((status, round(length)) for status, length in worst_first),
    )
