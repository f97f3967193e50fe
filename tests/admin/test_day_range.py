"""The days that a list is filtered by."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

from statuspage.admin.day_range import DayRange, asked_days
from statuspage.core.db import writing
from tests.factories import make_page


def test_days_begin_and_end_in_the_zone_of_the_page(app: Flask) -> None:
    with app.app_context(), writing() as session:
        make_page(session, time_zone="Europe/Berlin")
    with app.test_request_context("/?since=2026-03-04&until=2026-03-04"):
        asked = asked_days()
    assert (asked.since, asked.until) == (
        datetime(2026, 3, 3, 23, tzinfo=UTC),
        datetime(2026, 3, 4, 23, tzinfo=UTC),
    )


def test_what_cannot_be_read_is_named_and_counts_for_nothing(app: Flask) -> None:
    with app.test_request_context("/?since=yesterday&until=99999-01-01"):
        assert asked_days() == DayRange(None, None, ["since", "until"])
