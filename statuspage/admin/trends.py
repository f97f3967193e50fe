"""Trends: incidents and their minutes by month, severity and component, and how long steps took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from babel.dates import format_date
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from statuspage.admin.base import admin, download, page, page_zone
from statuspage.admin.forms import read_number
from statuspage.admin.marked_texts import _
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.public.days import day_of
from statuspage.recipients.customer_csv_rows import csv_lines
from statuspage.reports.trends import MonthTrend, Trends, months_before, read_trends

PERIODS: Final = {3: N_("3 months"), 12: N_("12 months"), 24: N_("2 years"), 60: N_("5 years")}
USUAL_MONTHS: Final = 12
# The chart's own units: its height without labels, and the width of one column.
_HEIGHT, _WIDTH = 120, 56
# With more columns than this only every third has its labels.
_MOST_LABELS: Final = 24
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: its label, what it says in words, and its place in the chart's own units."""

    label: str
    said: str
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A column for each month, with its value written above it: it needs no colour to be read."""

    title: str
    bars: Sequence[Bar]
    width: int
    height: int = _HEIGHT
    column: int = _WIDTH


@admin.get("/trends")
def trends() -> ResponseReturnValue:
    """The figures of some months, as charts with a table behind each."""
    count = _months_asked()
    found = _read(count)
    return page(
        "admin/trends.html",
        trends=found,
        charts=[
            _chart(_("Incidents by month"), found, lambda month: month.incidents, str),
            _chart(_("Time in incidents by month"), found, lambda month: month.minutes, short),
            _chart(
                _("Median time to resolve by month"),
                found,
                lambda month: (month.median_resolve or timedelta()) // _MINUTE,
                short,
            ),
        ],
        months=count,
        periods=PERIODS,
        short=short,
    )


@admin.get("/trends.csv")
def export_trends_csv() -> ResponseReturnValue:
    """The months as CSV: first day, incidents, their minutes, maintenances, median minutes."""
    found = _read(_months_asked())
    return download("trends.csv", lambda: csv_lines(_rows(found)))


@admin.get("/trends.json")
def export_trends_json() -> Response:
    """All figures as JSON; times are whole minutes, months are named by their first day."""
    return jsonify(_plain(asdict(_read(_months_asked()))))


def _months_asked() -> int:
    asked = request.args.get("months", USUAL_MONTHS, type=read_number)
    return asked if asked in PERIODS else USUAL_MONTHS


def _read(months: int) -> Trends:
    now = clock.now()
    since = months_before(day_of(now, page_zone()), months)
    return read_trends(current_session(), since=since, now=now, zone=page_zone())


def _chart(
    title: str, found: Trends, value: Callable[[MonthTrend], int], say: Callable[[int], str]
) -> Chart:
    most = max(map(value, found.months), default=0) or 1
    step = 1 if len(found.months) <= _MOST_LABELS else 3
    bars = []
    for place, month in enumerate(found.months):
        height = round(_HEIGHT * value(month) / most)
        shown = place % step == 0
        bars.append(
            Bar(
                label=month_label(month.first) if shown else "",
                said=say(value(month)) if value(month) and shown else "",
                x=place * _WIDTH,
                y=_HEIGHT - height,
                height=height,
            )
        )
    return Chart(title, bars, width=len(bars) * _WIDTH)


def month_label(first: date) -> str:
    """``Mar 26``."""
    return format_date(first, "MMM yy", locale="en")


def short(minutes: int) -> str:
    """Minutes as they fit above a column: ``45 min``, ``2.5 h``, ``3 days``."""
    if minutes < 60:
        return _("%(minutes)s min", minutes=minutes)
    hours = minutes / 60
    return (
        _("%(hours)s h", hours=f"{hours:.1f}")
        if hours < 100
        else _("%(hours)s days", hours=f"{hours / 24:.0f}")
    )


def _rows(found: Trends) -> Iterator[Sequence[str]]:
    yield ["month", "incidents", "minutes", "maintenances", "median_minutes_to_resolve"]
    for month in found.months:
        resolve = "" if month.median_resolve is None else str(month.median_resolve // _MINUTE)
        yield [
            month.first.isoformat(), str(month.incidents), str(month.minutes),
            str(month.maintenances), resolve,
        ]  # fmt: skip


def _plain(value: Any) -> Any:
    """Figures as JSON has them."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, timedelta):
        return value // _MINUTE
    return value.isoformat() if isinstance(value, date) else value
