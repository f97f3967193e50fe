"""The days of a component: against a slow, obvious count, minute by minute, and by example."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statuspage.core.enums import ComponentStatus
from statuspage.public.uptime import DOWN, Change, Uptime, count_days, since_when

MINUTE = timedelta(minutes=1)
OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE
MAINTAINED = ComponentStatus.UNDER_MAINTENANCE
BERLIN = ZoneInfo("Europe/Berlin")

# Around these the clocks change: forward, back, at midnight either way, by half an hour, and by a
# whole day that there never was.
ODD_DAYS = [
    (BERLIN, date(2026, 3, 29)),
    (BERLIN, date(2026, 10, 25)),
    (ZoneInfo("America/Havana"), date(2026, 3, 8)),
    (ZoneInfo("America/Havana"), date(2026, 11, 1)),
    (ZoneInfo("America/Sao_Paulo"), date(2019, 2, 17)),
    (ZoneInfo("Australia/Lord_Howe"), date(2026, 4, 5)),
    (ZoneInfo("Pacific/Apia"), date(2011, 12, 30)),
    (ZoneInfo("UTC"), date(2026, 3, 4)),
]
DAYS = 4


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[Change, ...], ZoneInfo, datetime]:
    """A log in which incidents overlap, were told late and were put right, and when it is read.

    It is made as the service makes it: the worst of what is said at a time, whenever that changes.
    """
    zone, day = draw(st.sampled_from(ODD_DAYS))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    minutes = st.integers(-6 * 24 * 60, 3 * 24 * 60)
    incidents = draw(
        st.lists(st.tuples(minutes, st.integers(0, 3000), st.sampled_from(ComponentStatus)))
    )
    first = draw(minutes)
    marks = sorted(
        {first, *(start for start, _, _ in incidents), *(s + n for s, n, _ in incidents)}
    )
    changes = [
        Change(
            noon + mark * MINUTE,
            ComponentStatus.worst(
                (status for start, length, status in incidents if start <= mark < start + length),
                OPERATIONAL,
            ),
        )
        for mark in marks
    ]
    return tuple(changes), zone, noon + draw(minutes) * MINUTE


def count_slowly(
    changes: tuple[Change, ...], zone: ZoneInfo, until: datetime
) -> dict[date, Counter[ComponentStatus]]:
    """Ask of each minute which day it is and how the component was."""
    last = until.astimezone(zone).date()
    days = {last - timedelta(days=back): Counter[ComponentStatus]() for back in range(DAYS)}
    moment = until - MINUTE * 60 * 24 * (DAYS + 2)
    while moment < until:
        day = moment.astimezone(zone).date()
        told = [change.status for change in changes if change.at <= moment]
        if day in days and told:
            days[day][told[-1]] += 60
        moment += MINUTE
    return days


@settings(max_examples=50, deadline=None)
@given(histories())
@example(((), BERLIN, datetime(2026, 3, 29, 12, tzinfo=UTC)))
def test_it_counts_what_a_walk_over_every_minute_counts(
    history: tuple[tuple[Change, ...], ZoneInfo, datetime],
) -> None:
    changes, zone, until = history
    slow = count_slowly(changes, zone, until)
    counted = count_days(changes, zone=zone, until=until, days=DAYS)
    for day in counted.days:
        assert {status: seconds for status, seconds in day.seconds if seconds} == slow[day.day]
    assert [day.day for day in counted.days] == sorted(slow)


@settings(max_examples=50, deadline=None)
@given(histories())
def test_the_worst_state_of_a_day_is_one_that_it_spent_time_in_or_stands_in(
    history: tuple[tuple[Change, ...], ZoneInfo, datetime],
) -> None:
    changes, zone, until = history
    standing = [change.status for change in changes if change.at <= until][-1:]
    counted = count_days(changes, zone=zone, until=until, days=DAYS)
    for day in counted.days:
        spent = [status for status, seconds in day.seconds if seconds]
        seen = [*spent, *(standing if day is counted.days[-1] else [])]
        assert day.worst is (ComponentStatus.worst(seen, OPERATIONAL) if seen else None)


@settings(max_examples=50, deadline=None)
@given(histories())
def test_uptime_is_what_the_rule_says_of_all_known_minutes(
    history: tuple[tuple[Change, ...], ZoneInfo, datetime],
) -> None:
    changes, zone, until = history
    total = sum(count_slowly(changes, zone, until).values(), Counter())
    known = sum(total.values())
    down = sum(Fraction(seconds * DOWN.get(status, 0), 100) for status, seconds in total.items())
    counted = count_days(changes, zone=zone, until=until, days=DAYS)
    assert counted.ratio == (1 - down / known if known else None)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days_of(*changes: tuple[str, ComponentStatus], until: str, days: int = 3) -> Uptime:
    log = tuple(Change(at(moment), status) for moment, status in changes)
    return count_days(log, zone=ZoneInfo("UTC"), until=at(until), days=days)


def test_a_day_before_the_first_change_is_not_green():
    counted = days_of(("2026-03-03T18:00", OPERATIONAL), until="2026-03-04T12:00")
    assert [day.worst for day in counted.days] == [None, OPERATIONAL, OPERATIONAL]
    assert counted.days[1].seconds == ((OPERATIONAL, 6 * 3600),)
    assert counted.known_days == 2


def test_a_component_nobody_logged_has_no_uptime():
    assert days_of(until="2026-03-04T12:00").percent is None


def test_a_state_that_has_just_begun_is_the_days_worst_already():
    counted = days_of(
        ("2026-01-01T00:00", OPERATIONAL), ("2026-03-04T12:00", MAJOR), until="2026-03-04T12:00"
    )
    assert counted.days[-1].worst is MAJOR
    assert counted.days[-1].seconds == ((MAJOR, 0), (OPERATIONAL, 12 * 3600))


def test_an_outage_over_midnight_belongs_to_both_days():
    counted = days_of(
        ("2026-01-01T00:00", OPERATIONAL),
        ("2026-03-03T23:30", MAJOR),
        ("2026-03-04T00:15", OPERATIONAL),
        until="2026-03-04T12:00",
    )
    assert [dict(day.seconds).get(MAJOR, 0) for day in counted.days] == [0, 1800, 900]


def test_the_day_the_clocks_go_forward_has_23_hours():
    log = (Change(at("2026-01-01T00:00"), OPERATIONAL),)
    counted = count_days(log, zone=BERLIN, until=at("2026-03-30T12:00"), days=3)
    assert [dict(day.seconds)[OPERATIONAL] // 3600 for day in counted.days] == [24, 23, 14]


@pytest.mark.parametrize(
    ("status", "percent"),
    [(MAJOR, "0.00"), (PARTIAL, "70.00"), (DEGRADED, "100"), (MAINTAINED, "100")],
)
def test_how_much_a_state_counts(status: ComponentStatus, percent: str) -> None:
    assert days_of(("2026-01-01T00:00", status), until="2026-03-04T12:00").percent == percent


def test_a_single_second_of_outage_keeps_it_from_a_hundred():
    counted = days_of(
        ("2026-01-01T00:00", OPERATIONAL),
        ("2026-03-03T12:00:00", MAJOR),
        ("2026-03-03T12:00:01", OPERATIONAL),
        until="2026-03-04T12:00",
    )
    assert counted.percent == "99.99"


def test_what_is_told_of_the_future_is_not_counted():
    counted = days_of(
        ("2026-01-01T00:00", OPERATIONAL), ("2026-03-04T13:00", MAJOR), until="2026-03-04T12:00"
    )
    assert not counted.troubled_days


def test_ninety_days_begin_at_the_first_ones_midnight():
    noon = at("2026-04-20T12:00")
    assert since_when(noon, BERLIN) == at("2026-01-20T23:00")


@pytest.mark.parametrize(
    ("hours", "is_new"), [(0, True), (11, True), (13, False), (24 * 40, False)]
)
def test_only_on_its_first_day_is_a_component_new(hours: int, is_new: bool) -> None:
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    log = (Change(noon - timedelta(hours=hours), OPERATIONAL),)
    assert count_days(log, zone=ZoneInfo("UTC"), until=noon).is_new is is_new


def test_of_what_nobody_knows_nothing_is_new() -> None:
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert not count_days((), zone=BERLIN, until=noon).is_new
