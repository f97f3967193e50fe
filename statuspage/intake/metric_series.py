"""What the page draws of a metric: the last day, week and month, written every five minutes.

So an edition reads one short text for each metric, however many numbers come in, and what has not
changed is the same text again.  It is JSON: for each of ``day``, ``week`` and ``month`` when it
``begins`` (ISO 8601; a month on a day of the page's), the ``seconds`` of a step, and ``steps`` of
``[least, mean, most]``, or null where there are no numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.clock import EPOCH
from statuspage.core.db import current_session, writing
from statuspage.intake.metric_data import DAY, FIVE_MINUTES, HOUR, OLDEST
from statuspage.models import Metric, MetricBucket, revision
from statuspage.models.page import the_page

# Numbers of the last five minutes may be on their way.
GRACE: Final = timedelta(minutes=1)
_DAYS: Final = 30


def refresh_due() -> int:
    """Write what has changed since the last full five minutes; how many.  The worker's duty."""
    until = _floor(clock.now() - GRACE, FIVE_MINUTES)
    if not _due(current_session(), until):
        return 0
    with writing() as session:
        page, due = the_page(session), _due(session, until)
        if page is None:
            return 0
        rows = _read(session, due, until)
        changed = 0
        for metric in due:
            written = _write(rows[metric.id], until, page.zone, metric.decimals + 1)
            if metric.is_shown and written != metric.series:
                changed += 1
            metric.series = written
        if changed:
            revision.bump(session)
        return changed


def _due(session: Session, until: datetime) -> list[Metric]:
    """What was not yet written up to ``until``."""
    measured = select(Metric).where(or_(Metric.newest_at > until - OLDEST, Metric.series != ""))
    head = f'{{"until":"{until.isoformat()}"'
    return [one for one in session.scalars(measured) if not one.series.startswith(head)]


def _floor(moment: datetime, seconds: int) -> datetime:
    return moment - (moment - EPOCH) % timedelta(seconds=seconds)


def _ceiling(moment: datetime, seconds: int) -> datetime:
    return EPOCH + -((EPOCH - moment) // timedelta(seconds=seconds)) * timedelta(seconds=seconds)


def _read(
    session: Session, metrics: Iterable[Metric], until: datetime
) -> dict[int, list[MetricBucket]]:
    since = {
        FIVE_MINUTES: timedelta(days=1), HOUR: timedelta(days=7), DAY: timedelta(days=_DAYS + 1)
    }  # fmt: skip
    wanted = [
        (MetricBucket.seconds == seconds) & (MetricBucket.begins_at >= until - length)
        for seconds, length in since.items()
    ]
    found: dict[int, list[MetricBucket]] = defaultdict(list)
    chosen = select(MetricBucket).where(
        MetricBucket.metric_id.in_([metric.id for metric in metrics]),
        MetricBucket.begins_at < until,
        or_(*wanted),
    )
    for bucket in session.scalars(chosen):
        found[bucket.metric_id].append(bucket)
    return found


def _write(buckets: Iterable[MetricBucket], until: datetime, zone: ZoneInfo, digits: int) -> str:
    today = until.astimezone(zone).date()
    day = _ceiling(until, 900) - timedelta(days=1)
    week = _ceiling(until, HOUR) - timedelta(days=7)
    month = today - timedelta(days=_DAYS - 1)
    by_length: dict[int, list[MetricBucket]] = defaultdict(list)
    for bucket in buckets:
        by_length[bucket.seconds].append(bucket)
    drawn = {
        "day": {
            "begins": day.isoformat(), "seconds": 900,
            "steps": _steps(by_length[FIVE_MINUTES], _since(day, 900), 96, digits),
        },
        "week": {
            "begins": week.isoformat(), "seconds": 2 * HOUR,
            "steps": _steps(by_length[HOUR], _since(week, 2 * HOUR), 84, digits),
        },
        "month": {
            "begins": month.isoformat(), "seconds": DAY,
            "steps": _steps(
                by_length[DAY],
                lambda begins: (begins.astimezone(zone).date() - month).days,
                _DAYS,
                digits,
            ),
        },
    }  # fmt: skip
    if not any(step for part in drawn.values() for step in part["steps"]):  # type: ignore[attr-defined]
        return ""
    return orjson.dumps({"until": until.isoformat(), **drawn}).decode()


def _since(first: datetime, seconds: int) -> Callable[[datetime], int]:
    return lambda begins: (begins - first) // timedelta(seconds=seconds)


def _steps(
    buckets: Iterable[MetricBucket], place: Callable[[datetime], int], count: int, digits: int
) -> list[list[float] | None]:
    """Least, mean and most of each step."""
    members: dict[int, list[MetricBucket]] = defaultdict(list)
    for bucket in buckets:
        members[place(bucket.begins_at)].append(bucket)
    return [_together(members[number], digits) for number in range(count)]


def _together(buckets: list[MetricBucket], digits: int) -> list[float] | None:
    if not buckets:
        return None
    mean = sum(one.total for one in buckets) / sum(one.count for one in buckets)
    figures: tuple[Any, ...] = (
        min(one.least for one in buckets), mean, max(one.most for one in buckets)
    )  # fmt: skip
    return [round(figure, digits) for figure in figures]
