"""Which incidents were going on at some time: the one rule for days, months and a component's
table.

An incident belongs to the day on which it begins.  It is told again, as continued, on every later
day of which it took a part, unless it was cancelled or is only scheduled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from statuspage.public import statements
from statuspage.public.days import day_of, midnight

_INSTANT = timedelta(microseconds=1)


class Stretch(NamedTuple):
    """An incident's key, when it began, and when it ended; None while it goes on."""

    key: int
    begins_at: datetime
    ended_at: datetime | None


def begins_in(begins_at: datetime, since: datetime, until: datetime) -> bool:
    """Whether an incident belongs to this day or month, which ends before ``until``."""
    return since <= begins_at < until


def continues_in(
    begins_at: datetime, ended_at: datetime | None, since: datetime, *, now: datetime
) -> bool:
    """Whether an incident that began before ``since`` goes on in the day or month that
    begins then.
    """
    return begins_at < since < (ended_at or max(now, since + _INSTANT))


def read_continued(connection: Connection, since: datetime, *, now: datetime) -> list[Stretch]:
    """The incidents that began before ``since`` and went on after it, the newest first."""
    rows: Sequence[Row[*tuple[Any, ...]]] = connection.execute(
        statements.ENDED_LATER, {"since": since}
    ).all()
    if since <= now:
        rows = [*rows, *connection.execute(statements.STILL_OPEN, {"since": since})]
    found = [Stretch(*row) for row in rows]
    return sorted(found, key=lambda each: (each.begins_at, each.key), reverse=True)


class Window(NamedTuple):
    """The keys of a day's incidents, the newest first: those that began, and those that went on."""

    begun: list[int]
    continued: list[int]


def read_window(
    connection: Connection, count: int, *, zone: ZoneInfo, now: datetime, until: datetime
) -> dict[date, Window]:
    """The last so many days before ``until``, today first."""
    days = [day_of(now, zone) - timedelta(days=n) for n in range(count)]
    since = midnight(days[-1], zone)
    rows = connection.execute(statements.WINDOW, {"since": since, "until": until})
    incidents = [Stretch(*row) for row in rows]
    incidents += read_continued(connection, since, now=now)
    begun: dict[date, list[int]] = defaultdict(list)
    for incident in incidents:
        begun[day_of(incident.begins_at, zone)].append(incident.key)
    window = {}
    for day in days:
        start = midnight(day, zone)
        continued = [
            incident.key
            for incident in incidents
            if continues_in(incident.begins_at, incident.ended_at, start, now=now)
        ]
        window[day] = Window(begun[day], continued)
    return window


def last_moment(connection: Connection, until: datetime, *, now: datetime) -> datetime | None:
    """The last moment before ``until`` at which any incident began or went on; None
    where none did.
    """
    begun = connection.scalar(statements.HISTORY_BACKWARDS, {"until": until})
    if begun is None:
        return None
    if read_continued(connection, until, now=now):
        return until - _INSTANT
    ended = connection.scalar(statements.ENDED_BACKWARDS, {"until": until})
    goes_on = connection.execute(statements.STILL_OPEN, {"since": until}).first()
    moments = filter(None, (begun, ended, now if goes_on else None))
    return min(max(moments), until - _INSTANT)


def first_moment(
    connection: Connection, since: datetime, until: datetime, *, now: datetime
) -> datetime | None:
    """The first moment from ``since`` on at which any incident went on or began before
    ``until``.
    """
    if since < until and read_continued(connection, since, now=now):
        return since
    return connection.scalar(statements.HISTORY_FORWARDS, {"since": since, "until": until})
