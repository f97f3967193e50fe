"""The numbers of metrics as they come in: kept as least, most, total and count of buckets.

A number counts in the bucket of its five minutes, its hour, and its day in the page's zone.
Buckets are kept as long as :data:`KEPT` says, so a metric has a bounded size however long and
however often it is sent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import case, delete, or_, select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.clock import EPOCH
from statuspage.core.db import count_written, insert_new, writing
from statuspage.core.errors import Invalid
from statuspage.models import Metric, MetricBucket
from statuspage.models.page import the_page

FIVE_MINUTES: Final = 300
HOUR: Final = 3_600
DAY: Final = 86_400
KEPT: Final[Mapping[int, timedelta]] = {
    FIVE_MINUTES: timedelta(days=14),
    HOUR: timedelta(days=93),
    DAY: timedelta(days=731),
}
"""How long the buckets of each length are kept."""

OLDEST: Final = timedelta(days=31)
# Clocks differ.
MOST_AHEAD: Final = timedelta(minutes=5)
LARGEST: Final = 1e15


@dataclass(frozen=True, slots=True)
class Point:
    """A number and when it was measured."""

    at: datetime
    value: float


def check_point(point: Point) -> None:
    """Raise :class:`Invalid` for what is no number, of long ago, or of a time to come."""
    if not math.isfinite(point.value) or abs(point.value) > LARGEST:
        raise Invalid("value", "Send a number")
    now = clock.now()
    if not now - OLDEST <= point.at <= now + MOST_AHEAD:
        raise Invalid("timestamp", f"Send seconds since 1970, of the last {OLDEST.days} days")


@needs(Permission.MEASURE)
def add_points(points: Mapping[str, Sequence[Point]], *, actor: Actor) -> None:
    """Keep the numbers that a tool sent, by the codes of their metrics: all of them, or none.

    Raises :class:`Invalid` for a number that does not count, and for a metric that there is not,
    or that Prometheus is asked for.
    """
    for point in (each for group in points.values() for each in group):
        check_point(point)
    with writing() as session:
        found = {
            metric.code: metric
            for metric in session.scalars(select(Metric).where(Metric.code.in_(list(points))))
        }
        for code in points:
            if code not in found:
                raise Invalid("data", f"There is no metric “{code[:40]}”")
            if found[code].query:
                raise Invalid("data", f"“{found[code].name}” is read from Prometheus")
        keep_points(session, {found[code]: group for code, group in points.items()})


def keep_points(session: Session, points: Mapping[Metric, Sequence[Point]]) -> None:
    """Count numbers in their buckets."""
    page = the_page(session)
    zone, now = page.zone if page else ZoneInfo("UTC"), clock.now()
    rows: dict[tuple[int, int, datetime], dict[str, Any]] = {}
    for metric, group in points.items():
        for point in group:
            for seconds, begins_at in _buckets(point.at, zone):
                if begins_at > now - KEPT[seconds]:
                    key = (metric.id, seconds, begins_at)
                    rows[key] = _counted(rows.get(key), key, point.value)
        newest = max((point.at for point in group), default=None)
        if newest and (metric.newest_at is None or newest > metric.newest_at):
            metric.newest_at = newest
    session.flush()
    if rows:
        # In one order, so that two who write at a time wait and do not lock each other.
        session.execute(_upsert(session), [rows[key] for key in sorted(rows)])


def forget_old_numbers() -> int:
    """Drop the buckets that are kept no longer; how many.  The worker's duty."""
    now = clock.now()
    is_old = [
        (MetricBucket.seconds == seconds) & (MetricBucket.begins_at < now - kept)
        for seconds, kept in KEPT.items()
    ]
    with writing() as session:
        return count_written(session, delete(MetricBucket).where(or_(*is_old)))


def _buckets(at: datetime, zone: ZoneInfo) -> Iterable[tuple[int, datetime]]:
    for seconds in (FIVE_MINUTES, HOUR):
        yield seconds, at - (at - EPOCH) % timedelta(seconds=seconds)
    local = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    yield DAY, clock.as_utc(local)


def _counted(
    row: dict[str, Any] | None, key: tuple[int, int, datetime], value: float
) -> dict[str, Any]:
    if row is None:
        metric_id, seconds, begins_at = key
        row = {"metric_id": metric_id, "seconds": seconds, "begins_at": begins_at,
               "least": value, "most": value, "total": 0.0, "count": 0}  # fmt: skip
    row["least"], row["most"] = min(row["least"], value), max(row["most"], value)
    row["total"], row["count"] = row["total"] + value, row["count"] + 1
    return row


def _upsert(session: Session) -> Any:
    statement = insert_new(session, MetricBucket)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["metric_id", "seconds", "begins_at"],
        set_={
            "least": case((new.least < MetricBucket.least, new.least), else_=MetricBucket.least),
            "most": case((new.most > MetricBucket.most, new.most), else_=MetricBucket.most),
            "total": MetricBucket.total + new.total,
            "count": MetricBucket.count + new["count"],
        },
    )
