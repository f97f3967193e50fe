from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import alarms
from statuspage.core import clock
from statuspage.core.db import writing


def texts(session: Session) -> list[tuple[str, str]]:
    return [(alarm.key, alarm.text) for alarm in alarms.open_alarms(session)]


def test_an_alarm_is_shown_until_it_is_cleared(session: Session) -> None:
    with writing() as session:
        alarms.raise_alarm(session, "disk", "The disk is full.")
        alarms.raise_alarm(session, "clock", "The clock jumped.")
    assert texts(session) == [
        ("disk", "The disk is full."),
        ("clock", "The clock jumped."),
    ]
    with writing() as session:
        alarms.clear_alarm(session, "disk")
    assert texts(session) == [("clock", "The clock jumped.")]


def test_an_alarm_that_is_raised_again_keeps_its_time_and_shows_the_newer_text(
    session: Session, frozen: Traveller
) -> None:
    first = clock.now()
    for text in ("One mail waits.", "Two mails wait."):
        with writing() as session:
            alarms.raise_alarm(session, "mail", text)
        frozen.shift(timedelta(minutes=1))
    (alarm,) = alarms.open_alarms(session)
    assert (alarm.text, alarm.raised_at) == ("Two mails wait.", first)


def test_an_alarm_raised_meanwhile_is_not_cleared(session: Session, frozen: Traveller) -> None:
    before = clock.now()
    frozen.shift(timedelta(seconds=1))
    with writing() as session:
        alarms.raise_alarm(session, "mail", "One mail waits.")
        alarms.clear_alarm(session, "mail", raised_before=before)
    assert texts(session) == [("mail", "One mail waits.")]
