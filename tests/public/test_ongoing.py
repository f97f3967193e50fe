"""To which days an incident belongs: that on which it began, and those on which it went on."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from statuspage.public.days import midnight
from statuspage.public.ongoing import (
    begins_in,
    continues_in,
    first_moment,
    last_moment,
    read_continued,
    read_window,
)
from tests.factories import NOON, make_incident, make_page

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
OVER = ("investigating", "resolved")
UTC = ZoneInfo("UTC")


def test_an_incident_begins_on_one_day_alone() -> None:
    days = [NOON + n * DAY for n in (-1, 0, 1)]
    assert [begins_in(NOON, day, day + DAY) for day in days] == [False, True, False]


@pytest.mark.parametrize(
    ("began", "ended", "goes_on"),
    [
        (-HOUR, HOUR, True),
        (-HOUR, timedelta(), False),
        (-HOUR, INSTANT, True),
        (timedelta(), HOUR, False),
        (-HOUR, None, True),
        (HOUR, None, False),
    ],
)
def test_an_incident_goes_on_in_a_day_that_it_began_before_and_outlasts(
    began: timedelta, ended: timedelta | None, goes_on: bool
) -> None:
    end = None if ended is None else NOON + ended
    assert continues_in(NOON + began, end, NOON, now=NOON) is goes_on


def test_an_open_incident_goes_on_in_the_day_that_begins_right_now() -> None:
    assert continues_in(NOON - HOUR, None, NOON, now=NOON - DAY)


def test_days_hold_what_began_in_them_and_what_went_on_the_newest_first(session: Session) -> None:
    make_page(session)
    long = make_incident(
        session, started_at=NOON - 3 * DAY, updates=OVER, step_minutes=2 * 24 * 60
    ).id
    still_open = make_incident(session, started_at=NOON - 2 * DAY).id
    midnight_sharp = make_incident(
        session, started_at=midnight(NOON.date(), UTC) - HOUR, updates=OVER, step_minutes=60
    ).id
    session.flush()
    window = read_window(
        session.connection(), 4, zone=UTC, now=NOON, until=midnight(NOON.date() + DAY, UTC)
    )
    assert {day.day: (each.begun, each.continued) for day, each in window.items()} == {
        4: ([], [still_open]),
        3: ([midnight_sharp], [still_open, long]),
        2: ([still_open], [long]),
        1: ([long], []),
    }
    found = read_continued(session.connection(), midnight(date(2026, 3, 3), UTC), now=NOON)
    assert [each.key for each in found] == [still_open, long]


def test_the_history_has_a_first_and_a_last_moment_between_any_two(session: Session) -> None:
    make_page(session)
    connection = session.connection()
    assert last_moment(connection, NOON, now=NOON) is None
    began = NOON - 10 * DAY
    make_incident(session, started_at=began, updates=OVER, step_minutes=24 * 60)
    session.flush()
    assert [last_moment(connection, NOON - n * DAY, now=NOON) for n in (0, 9.5, 11)] == [
        NOON - 9 * DAY, NOON - 9.5 * DAY - INSTANT, None,
    ]  # fmt: skip
    since = [NOON - n * DAY for n in (20, 9.5, 5)]
    assert [first_moment(connection, each, NOON, now=NOON) for each in since] == [
        began, NOON - 9.5 * DAY, None,
    ]  # fmt: skip
