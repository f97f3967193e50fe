"""Metrics over v1: read, renamed and removed, and the numbers that tools send of them.

On Statuspage a metric is made at a provider; here a person makes it in the admin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from statuspage.api import callers, v1_objects
from statuspage.api.v1_requests import MissingRecord, answer, paged, route, sent_body, sent_object
from statuspage.api.v1_values import read_line
from statuspage.configuration import metrics as verbs
from statuspage.configuration.editing import MetricDetails, read_as
from statuspage.core.db import current_session
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from statuspage.intake.metric_data import Point, add_points
from statuspage.models import Metric
from statuspage.models.columns import TITLE_LIMIT
from statuspage.models.page import the_page


@route("/metrics", "GET", KeyScope.READ)
def list_metrics() -> ResponseReturnValue:
    """All metrics, by name."""
    return answer([_object(metric) for metric in paged(verbs.metrics(current_session()))])


@route("/metrics/<id:code>", "GET", KeyScope.READ)
def get_metric(code: str) -> ResponseReturnValue:
    """One metric."""
    return answer(_object(_metric(code)))


@route("/metrics/<id:code>", "PATCH", KeyScope.COMPONENTS)
@route("/metrics/<id:code>", "PUT", KeyScope.COMPONENTS)
def change_metric(code: str) -> ResponseReturnValue:
    """Rename a metric."""
    metric = _metric(code)
    name = read_line(sent_object("metric"), "name") or metric.name
    if len(name) > TITLE_LIMIT:
        raise Invalid("name", f"Send at most {TITLE_LIMIT} characters")
    details = replace(read_as(MetricDetails, metric), name=name)
    verbs.change_metric(metric.id, details, actor=callers.caller().actor)
    return get_metric(code)


@route("/metrics/<id:code>", "DELETE", KeyScope.COMPONENTS)
def remove_metric(code: str) -> ResponseReturnValue:
    """Remove a metric with its numbers."""
    metric = _metric(code)
    shown = _object(metric)
    verbs.remove_metric(metric.id, actor=callers.caller().actor)
    return answer(shown)


@route("/metrics/<id:code>/data", "DELETE", KeyScope.COMPONENTS)
def clear_metric(code: str) -> ResponseReturnValue:
    """Remove the numbers of a metric."""
    verbs.clear_metric(_metric(code).id, actor=callers.caller().actor)
    return get_metric(code)


@route("/metrics/<id:code>/data", "POST", KeyScope.METRICS)
def add_metric_data(code: str) -> ResponseReturnValue:
    """Keep one number of a metric."""
    _metric(code)
    point = _point(sent_object("data"))
    add_points({code: [point]}, actor=callers.caller().actor)
    return answer({"data": _shown(point)}, 201)


@route("/metrics/data", "POST", KeyScope.METRICS)
def add_data() -> ResponseReturnValue:
    """Keep numbers of several metrics, by their ids; all, or none."""
    sent = sent_body().get("data")
    if not isinstance(sent, Mapping):
        raise Invalid("data", "Send an object of lists of numbers by metric ids")
    points = {code: _points(group) for code, group in sent.items()}
    add_points(points, actor=callers.caller().actor)
    return answer({code: [_shown(each) for each in group] for code, group in points.items()}, 201)


def _points(group: object) -> list[Point]:
    if not isinstance(group, list) or not all(isinstance(each, Mapping) for each in group):
        raise Invalid("data", "Send a list of timestamps and values for each metric")
    return [_point(each) for each in group]


def _point(sent: Mapping[str, Any]) -> Point:
    try:
        moment = datetime.fromtimestamp(_number(sent, "timestamp"), UTC)
    except (OverflowError, OSError, ValueError):
        raise Invalid("timestamp", "Send seconds since 1970") from None
    return Point(moment, _number(sent, "value"))


def _number(sent: Mapping[str, Any], name: str) -> float:
    """A number, as JSON or as forms write it."""
    value = sent.get(name)
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(name, "Send a number") from None


def _shown(point: Point) -> dict[str, Any]:
    return {"timestamp": int(point.at.timestamp()), "value": point.value}


def _metric(code: str) -> Metric:
    found = current_session().scalars(select(Metric).filter_by(code=code)).one_or_none()
    if found is None:
        raise MissingRecord("metric")
    return found


def _object(metric: Metric) -> dict[str, Any]:
    page = the_page(current_session())
    assert page is not None  # else there is no address of it
    return v1_objects.metric_object(metric, page.zone)
