"""Days and months of a zone, over changes of the clocks and the ends of years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from statuspage.public.days import day_of, following_month, midnight, month_of

BERLIN = ZoneInfo("Europe/Berlin")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (ZoneInfo("UTC"), date(2026, 2, 28)),
        (KIRITIMATI, date(2026, 3, 1)),
        (ZoneInfo("America/New_York"), date(2026, 2, 28)),
    ],
)
def test_a_moment_falls_on_the_day_that_its_zone_has(zone: ZoneInfo, day: date) -> None:
    moment = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert (day_of(moment, zone), month_of(moment, zone)) == (day, day.replace(day=1))


def test_an_open_end_is_in_no_month() -> None:
    assert month_of(None, BERLIN) is None


def test_the_days_on_which_the_clocks_change_have_23_and_25_hours() -> None:
    lengths = [
        midnight(day + timedelta(days=1), BERLIN) - midnight(day, BERLIN)
        for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25))
    ]
    assert lengths == [timedelta(hours=24), timedelta(hours=23), timedelta(hours=25)]
    assert midnight(date(2026, 3, 29), BERLIN) == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_months_follow_each_other_from_any_of_their_days() -> None:
    found = [following_month(day) for day in (date(2026, 1, 31), date(2028, 2, 29))]
    assert found == [date(2026, 2, 1), date(2028, 3, 1)]
    assert following_month(date(2026, 12, 1)) == date(2027, 1, 1)
