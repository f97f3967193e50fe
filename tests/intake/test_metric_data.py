"""Numbers of metrics are counted in buckets, right across clock changes and in bounded space."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from time_machine import Traveller

from statuspage.configuration import metrics as verbs
from statuspage.configuration.editing import MetricDetails
from statuspage.core.db import current_session, db, writing
from statuspage.core.errors import Invalid
from statuspage.intake.metric_data import (
    DAY,
    FIVE_MINUTES,
    HOUR,
    KEPT,
    OLDEST,
    Point,
    add_points,
    forget_old_numbers,
)
from statuspage.models import Metric, MetricBucket, Page
from tests.announcing import ACTOR
from tests.factories import NOON, make_page

MINUTE = timedelta(minutes=1)


@pytest.fixture
def code(app: Flask, frozen: Traveller) -> str:
    with app.app_context():
        with writing() as session:
            make_page(session)
        return verbs.add_metric(MetricDetails("Response time", "ms"), actor=ACTOR).code


def send(app: Flask, code: str, *points: tuple[datetime, float]) -> None:
    with app.app_context():
        add_points({code: [Point(at, value) for at, value in points]}, actor=ACTOR)


def buckets(app: Flask, seconds: int) -> Sequence[tuple[datetime, float, float, float, int]]:
    chosen = select(
        MetricBucket.begins_at,
        MetricBucket.least,
        MetricBucket.most,
        MetricBucket.total,
        MetricBucket.count,
    )
    with app.app_context():
        rows = current_session().execute(
            chosen.filter_by(seconds=seconds).order_by(MetricBucket.begins_at)
        )
        return [tuple(row) for row in rows]


def test_numbers_are_counted_in_five_minutes_hours_and_days(app: Flask, code: str) -> None:
    send(app, code, (NOON - 61 * MINUTE, 3), (NOON - MINUTE, 4), (NOON - 2 * MINUTE, 2))
    send(app, code, (NOON - MINUTE, 9))
    assert buckets(app, FIVE_MINUTES) == [
        (NOON - 65 * MINUTE, 3, 3, 3, 1), (NOON - 5 * MINUTE, 2, 9, 15, 3),
    ]  # fmt: skip
    assert buckets(app, HOUR) == [
        (NOON - 120 * MINUTE, 3, 3, 3, 1), (NOON - 60 * MINUTE, 2, 9, 15, 3),
    ]  # fmt: skip
    assert buckets(app, DAY) == [(NOON - 720 * MINUTE, 2, 9, 18, 4)]
    with app.app_context():
        metric = current_session().scalars(select(Metric)).one()
        assert metric.newest_at == NOON - MINUTE


def test_a_day_is_the_pages_also_where_the_clocks_change(
    app: Flask, code: str, frozen: Traveller
) -> None:
    with app.app_context(), writing() as session:
        session.scalars(select(Page)).one().time_zone = "Europe/Berlin"
    # March 29 has 23 hours there.
    frozen.move_to(datetime(2026, 3, 30, 12, tzinfo=UTC))
    for hour in (22, 23, 45, 46):
        send(app, code, (datetime(2026, 3, 28, tzinfo=UTC) + timedelta(hours=hour), hour))
    assert [(begins, total) for begins, _, _, total, _ in buckets(app, DAY)] == [
        (datetime(2026, 3, 27, 23, tzinfo=UTC), 22),
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23 + 45),
        (datetime(2026, 3, 29, 22, tzinfo=UTC), 46),
    ]
    assert [total for _, _, _, total, _ in buckets(app, HOUR)] == [22, 23, 45, 46]


@pytest.mark.parametrize(
    ("at", "value", "field"),
    [
        (NOON - OLDEST - MINUTE, 1.0, "timestamp"),
        (NOON + 6 * MINUTE, 1.0, "timestamp"),
        (NOON, float("nan"), "value"),
        (NOON, float("-inf"), "value"),
        (NOON, 1e16, "value"),
    ],
)
@pytest.mark.only_on("sqlite")
def test_what_does_not_count_is_refused_with_all_that_came_with_it(
    app: Flask, code: str, at: datetime, value: float, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        send(app, code, (NOON, 1), (at, value))
    assert refused.value.field == field
    assert buckets(app, DAY) == []


@pytest.mark.only_on("sqlite")
def test_a_metric_that_is_not_there_or_read_elsewhere_takes_nothing(app: Flask, code: str) -> None:
    with app.app_context():
        read = verbs.add_metric(MetricDetails("Load", query="up"), actor=ACTOR).code
    for wrong in (read, "nobody000000"):
        with app.app_context(), pytest.raises(Invalid):
            add_points({code: [Point(NOON, 1)], wrong: [Point(NOON, 1)]}, actor=ACTOR)
    assert buckets(app, DAY) == []


def test_old_buckets_are_dropped(app: Flask, code: str, frozen: Traveller) -> None:
    send(app, code, (NOON, 1))
    left = []
    for days in (13, 2, 79, 638):
        frozen.shift(timedelta(days=days))
        with app.app_context():
            forget_old_numbers()
            left.append(current_session().scalar(select(func.count()).select_from(MetricBucket)))
    assert left == [3, 2, 1, 0]


def test_a_late_number_makes_no_bucket_that_is_dropped_already(app: Flask, code: str) -> None:
    send(app, code, (NOON - timedelta(days=20), 1))
    assert [len(buckets(app, seconds)) for seconds in KEPT] == [0, 1, 1]


def test_a_metric_takes_less_than_30_megabytes_however_long_it_is_sent(
    app: Flask, code: str
) -> None:
    rows = sum(int(kept.total_seconds()) // seconds + 2 for seconds, kept in KEPT.items())
    assert rows == 7_001
    begins = [NOON - 5 * number * MINUTE for number in range(rows)]
    with app.app_context():
        with writing() as session:
            metric_id = session.scalars(select(Metric.id)).one()
            session.execute(
                MetricBucket.__table__.insert(),
                [
                    {"metric_id": metric_id, "seconds": FIVE_MINUTES, "begins_at": at,
                     "least": 0.1, "most": 0.3, "total": 0.2, "count": 1} for at in begins
                ],
            )  # fmt: skip
        is_sqlite = db.engine.dialect.name == "sqlite"
        size = (
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            if is_sqlite
            else "SELECT pg_total_relation_size('metric_buckets')"
        )
        with db.engine.connect() as connection:
            taken = connection.exec_driver_sql(size).scalar_one()
    # On SQLite that is the whole file.  Rewriting a bucket leaves a version of it for a while.
    assert 5 * taken < 30_000_000
