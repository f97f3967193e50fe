"""How often visitors may send a form: each kind is counted by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import alarms, visitor_limits
from statuspage.access.visitor_limits import TooManyVisitors, clear_old_alarm, count_visitor


def test_what_one_form_has_used_up_another_still_has(session: Session, frozen: Traveller) -> None:
    for _ in range(visitor_limits.MOST_BY_CLIENT):
        count_visitor("report", "192.0.2.1")
    with pytest.raises(TooManyVisitors, match=r"Too many reports from your network.+in 1 hour"):
        count_visitor("report", "192.0.2.1")
    count_visitor("report", "192.0.2.2")
    count_visitor("sign-up", "192.0.2.1")


def test_too_many_of_all_raise_an_alarm_until_an_hour_later(
    session: Session, frozen: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor_limits, "MOST_BY_ALL", 1)
    count_visitor("report", "192.0.2.1")
    with pytest.raises(TooManyVisitors, match="Too many reports at present"):
        count_visitor("report", "192.0.2.2")
    (alarm,) = alarms.open_alarms(session)
    assert alarm.text.startswith("More than 1 reports of visitors came within an hour")
    frozen.shift(timedelta(hours=1, seconds=1))
    clear_old_alarm("report")
    assert alarms.open_alarms(session) == []
