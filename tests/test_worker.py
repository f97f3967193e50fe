from datetime import timedelta

from statuspage.worker import Every
from tests.factories import NOON

SECOND = timedelta(seconds=1)


def test_a_duty_comes_once_each_interval() -> None:
    every = Every(seconds=1, timezone="UTC")
    late = NOON + timedelta(milliseconds=3)
    assert every.get_next_fire_time(NOON, late) == NOON + SECOND


def test_a_month_that_the_clock_skipped_is_not_made_up_for_second_by_second() -> None:
    every = Every(seconds=1, timezone="UTC")
    later = NOON + timedelta(days=30)
    assert every.get_next_fire_time(NOON, later) == later + SECOND
