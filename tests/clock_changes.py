"""Spans around the moments at which clocks change, as they read in their zones.

The server writes them in the page's zone and static/page.js in the visitor's: one table for both.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple


class Span(NamedTuple):
    """From one moment to another in UTC, and how that reads in English in a zone."""

    zone: str
    start: datetime
    end: datetime
    text: str


def _span(zone: str, start: str, end: str, text: str) -> Span:
    return Span(
        zone, *(datetime.fromisoformat(f"{at}Z").astimezone(UTC) for at in (start, end)), text
    )


SPANS: Final = (
    # The same wall time twice.
    _span(
        "Europe/Berlin",
        "2026-10-25T00:30",
        "2026-10-25T01:15",
        "Oct 25, 2026, 02:30 CEST – 02:15 CET",
    ),
    _span(
        "Europe/Berlin",
        "2026-10-25T00:30",
        "2026-10-25T01:30",
        "Oct 25, 2026, 02:30 CEST – 02:30 CET",
    ),
    # An hour that never was, and the ordinary days before and after.
    _span(
        "Europe/Berlin",
        "2026-03-29T00:30",
        "2026-03-29T01:15",
        "Mar 29, 2026, 01:30 CET – 03:15 CEST",
    ),
    _span(
        "Europe/Berlin", "2026-03-28T00:30", "2026-03-28T01:15", "Mar 28, 2026, 01:30 – 02:15 CET"
    ),
    # Over midnight and the change.
    _span(
        "Europe/Berlin",
        "2026-10-24T21:30",
        "2026-10-25T01:15",
        "Oct 24, 2026, 23:30 CEST – Oct 25, 2026, 02:15 CET",
    ),
    _span(
        "America/Los_Angeles",
        "2026-11-01T08:30",
        "2026-11-01T09:15",
        "Nov 1, 2026, 01:30 PDT – 01:15 PST",
    ),
    _span(
        "America/Los_Angeles",
        "2026-11-01T07:30",
        "2026-11-01T07:45",
        "Nov 1, 2026, 00:30 – 00:45 PDT",
    ),
    # Half an hour; and where the names are no letters.
    _span(
        "Australia/Lord_Howe",
        "2026-04-04T14:45",
        "2026-04-04T15:10",
        "Apr 5, 2026, 01:45 UTC+11 – 01:40 UTC+10:30",
    ),
    # At midnight, so that one day has the end of the day before in it again.
    _span(
        "Asia/Beirut",
        "2026-10-24T20:30",
        "2026-10-24T21:30",
        "Oct 24, 2026, 23:30 EEST – 23:30 EET",
    ),
    # No change at all, far from Greenwich.
    _span(
        "Asia/Kolkata",
        "2026-10-25T00:30",
        "2026-10-25T01:15",
        "Oct 25, 2026, 06:00 – 06:45 UTC+5:30",
    ),
    _span(
        "Asia/Shanghai",
        "2026-10-24T15:30",
        "2026-10-24T16:15",
        "Oct 24, 2026, 23:30 UTC+8 – Oct 25, 2026, 00:15 UTC+8",
    ),
)
# What browsers write in English for the names that only some regions use.
IN_BROWSERS: Final = {"CET": "GMT+1", "CEST": "GMT+2", "EET": "GMT+2", "EEST": "GMT+3"}
