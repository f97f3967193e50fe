"""Metrics that are read from Prometheus: one number of each a minute.

Asked is the one server that PROMETHEUS_URL names, whatever a query says
(https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).  Why one could not be
read stands with its metric until it can.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

from sqlalchemy import select

from statuspage.core import clock
from statuspage.core.config import Settings, current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.core.fetching import FetchFailed, fetch
from statuspage.intake.metric_data import Point, check_point, keep_points
from statuspage.models import Metric
from statuspage.models.columns import LINE_LIMIT

ALL_SECONDS: Final = 30
_SECONDS: Final = 4
_AT_ONCE: Final = 8
_MOST_BYTES: Final = 64 * 1024
NOT_SET: Final = "PROMETHEUS_URL is not set"


class NoNumber(Exception):
    """A query that gives no number; the text says why, for people."""


def ask(settings: Settings, query: str) -> float | None:
    """The number that a query gives now; None where there is none at present.

    Raises :class:`NoNumber` where it cannot be had, or there are several.
    """
    if settings.prometheus_url is None:
        raise NoNumber(NOT_SET)
    try:
        answer = fetch(
            f"{settings.prometheus_url}/api/v1/query",
            query={"query": query},
            seconds=_SECONDS,
            most_bytes=_MOST_BYTES,
        )
    except FetchFailed as error:
        raise NoNumber(f"Prometheus: {error}") from None
    return _read(answer.status, answer.body)


def read_due() -> int:
    """Read every metric that has a query; how many gave a number.  The worker's duty."""
    asked = dict(
        current_session().execute(select(Metric.id, Metric.query).where(Metric.query != "")).all()
    )
    current_session().rollback()
    if not asked:
        return 0
    found = _ask_all(current_settings(), asked)
    with writing() as session:
        now, count = clock.now(), 0
        for metric in session.scalars(select(Metric).where(Metric.id.in_(asked))):
            number = found[metric.id]
            # Somebody may have changed it meanwhile.
            if metric.query != asked[metric.id]:
                continue
            if isinstance(number, str):
                metric.failure = number[:LINE_LIMIT]
                continue
            metric.failure, metric.read_at = "", now
            if number is not None:
                keep_points(session, {metric: [Point(now, number)]})
                count += 1
        return count


def _ask_all(settings: Settings, asked: Mapping[int, str]) -> dict[int, float | str | None]:
    """The number of each, or why there is none; never longer than :data:`ALL_SECONDS`."""
    threads = ThreadPoolExecutor(_AT_ONCE)
    running = {key: threads.submit(_try, settings, query) for key, query in asked.items()}
    wait(running.values(), timeout=ALL_SECONDS)
    threads.shutdown(wait=False, cancel_futures=True)
    late = "Prometheus: no answer in time"
    return {key: each.result() if each.done() else late for key, each in running.items()}


def _try(settings: Settings, query: str) -> float | str | None:
    try:
        number = ask(settings, query)
        if number is not None:
            check_point(Point(clock.now(), number))
    except NoNumber as error:
        return str(error)
    except Invalid:
        return "the number is too large"
    return number


def _read(status: int, body: bytes) -> float | None:
    try:
        said = json.loads(body)
        if said["status"] != "success":
            raise NoNumber(f"Prometheus: {said['error']}")
        kind, result = said["data"]["resultType"], said["data"]["result"]
        samples = [result] if kind == "scalar" else [each["value"] for each in result]
        numbers = [float(sample[1]) for sample in samples]
    except (KeyError, IndexError, TypeError, ValueError):
        raise NoNumber(f"Prometheus answered {status}, and no number") from None
    if len(numbers) > 1:
        raise NoNumber(f"the query gives {len(numbers)} numbers; sum or average them")
    return next((number for number in numbers if math.isfinite(number)), None)
