from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import throttle
from statuspage.core.db import writing
from statuspage.models import Throttle

WINDOW = timedelta(minutes=10)


def count(whose: str = "a", *, what: str = "test") -> timedelta | None:
    with writing() as session:
        return throttle.count_try(session, what, whose, limit=2, window=WINDOW)


def test_tries_within_the_limit_need_not_wait(session: Session, frozen: Traveller) -> None:
    assert [count(), count(), count()] == [None, None, WINDOW]


def test_a_window_begins_with_its_first_try(session: Session, frozen: Traveller) -> None:
    count()
    frozen.shift(timedelta(minutes=4))
    count()
    assert count() == timedelta(minutes=6)
    frozen.shift(timedelta(minutes=6))
    assert count() is None


def test_everybody_and_everything_is_counted_apart(session: Session, frozen: Traveller) -> None:
    counted = [count("a"), count("a"), count("b"), count("a", what="other"), count("a")]
    assert counted == [None, None, None, None, WINDOW]


def test_tries_can_be_forgotten(session: Session, frozen: Traveller) -> None:
    count(), count()
    with writing() as session:
        throttle.forget_tries(session, "test", "a")
    assert count() is None


def test_old_windows_are_dropped(session: Session, frozen: Traveller) -> None:
    count("a")
    frozen.shift(timedelta(days=1, seconds=1))
    count("b")
    with writing() as session:
        throttle.forget_old_tries(session)
    assert len(session.scalars(select(Throttle)).all()) == 1
