"""The days that a list is filtered by: ``since`` and ``until`` of its address."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import request

from statuspage.admin.base import zone
from statuspage.core import clock


@dataclass(frozen=True, slots=True)
class DayRange:
    """From the start of one day to the end of another, in the reader's zone.

    ``wrong`` names those that could not be read and count for nothing.
    """

    since: datetime | None
    until: datetime | None
    wrong: Collection[str]


def asked_days() -> DayRange:
    """The days of the address."""
    days, wrong = {}, []
    for name in ("since", "until"):
        typed = request.args.get(name, "")
        try:
            days[name] = clock.read_day(typed) if typed else None
        except ValueError:
            days[name] = None
            wrong.append(name)
    since, until = days["since"], days["until"]
    return DayRange(
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
        wrong=wrong,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), zone())
