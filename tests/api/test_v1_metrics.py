"""Metrics over v1: what clients of Statuspage send, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.core.enums import KeyScope
from statuspage.models import MetricBucket
from tests.announcing import Scenario
from tests.api.statuspage_tool import StatuspageTool, refusal
from tests.browsing import actions
from tests.factories import NOON

NOW = int(NOON.timestamp())


def totals(app: Flask) -> list[tuple[int, float]]:
    """How many numbers each day's bucket counts, and their sum."""
    with app.app_context():
        chosen = select(MetricBucket.count, MetricBucket.total).filter_by(seconds=86_400)
        return [(count, total) for count, total in current_session().execute(chosen)]


def test_a_metric_is_read_as_statuspage_shows_it(tool: StatuspageTool, frozen: Traveller) -> None:
    code = tool.add_metric(unit="ms", decimals=1, query="histogram_quantile(0.9, secret)")
    assert tool.get("/metrics") == [tool.get(f"/metrics/{code}.json")]
    assert tool.get(f"/metrics/{code}") == {
        "id": code, "metrics_provider_id": None, "metric_identifier": None,
        "name": "Response time", "display": True, "tooltip_description": None,
        "backfilled": False, "y_axis_min": None, "y_axis_max": None, "y_axis_hidden": False,
        "suffix": "ms", "decimal_places": 1, "most_recent_data_at": None,
        "created_at": "2026-03-04T12:00:00.000Z", "updated_at": "2026-03-04T12:00:00.000Z",
        "last_fetched_at": None, "backfill_percentage": None, "reference_name": None,
    }  # fmt: skip


def test_one_number_is_sent_as_json_and_as_a_form(
    app: Flask, tool: StatuspageTool, frozen: Traveller
) -> None:
    code = tool.add_metric()
    sent = {"data": {"timestamp": NOW, "value": 12.5}}
    answer = tool.send("POST", f"/metrics/{code}/data.json", sent)
    assert (answer.status_code, answer.json) == (201, sent)
    pairs = [("data[timestamp]", str(NOW)), ("data[value]", "7")]
    assert tool.send_form("POST", f"/metrics/{code}/data", pairs).status_code == 201
    assert totals(app) == [(2, 19.5)]
    assert tool.get(f"/metrics/{code}")["most_recent_data_at"] == "2026-03-04T12:00:00.000Z"


def test_numbers_of_several_metrics_are_sent_at_once(
    app: Flask, tool: StatuspageTool, frozen: Traveller
) -> None:
    first, second = tool.add_metric(), tool.add_metric(name="Orders")
    sent = {
        first: [{"timestamp": NOW - 60, "value": 1}, {"timestamp": NOW, "value": 2}],
        second: [{"timestamp": NOW, "value": 4}],
    }
    answer = tool.send("POST", "/metrics/data", {"data": sent})
    assert (answer.status_code, answer.json) == (201, sent)
    assert sorted(totals(app)) == [(1, 4), (2, 3)]
    wrong = {"data": {**sent, "nobody": [{"timestamp": NOW, "value": 1}]}}
    assert refusal(tool.send("POST", "/metrics/data", wrong))[0] == "data"
    assert sorted(totals(app)) == [(1, 4), (2, 3)]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"timestamp": NOW}, "value"),
        ({"timestamp": NOW, "value": None}, "value"),
        ({"timestamp": NOW, "value": True}, "value"),
        ({"timestamp": NOW, "value": "nan"}, "value"),
        ({"timestamp": NOW, "value": [1]}, "value"),
        ({"timestamp": "soon", "value": 1}, "timestamp"),
        ({"timestamp": 1e300, "value": 1}, "timestamp"),
        ({"timestamp": 0, "value": 1}, "timestamp"),
        ([], "data"),
    ],
)
def test_what_is_no_number_is_refused_by_its_field(
    tool: StatuspageTool, frozen: Traveller, data: Any, field: str
) -> None:
    code = tool.add_metric()
    assert refusal(tool.send("POST", f"/metrics/{code}/data", {"data": data}))[0] == field
    for wrong in ([data], None, "x", {}):
        bulk = tool.send("POST", "/metrics/data", {"data": {code: wrong}})
        assert bulk.status_code == 422
    assert refusal(tool.send("POST", "/metrics/data", {"data": [data]}))[0] == "data"


def test_a_metric_is_renamed_cleared_and_removed(app: Flask, tool: StatuspageTool) -> None:
    code = tool.add_metric()
    changed = tool.send("PATCH", f"/metrics/{code}", {"metric": {"name": "Latency"}})
    assert (changed.status_code, changed.json["name"]) == (200, "Latency")  # type: ignore[index]
    longer = tool.send("PUT", f"/metrics/{code}", {"metric": {"name": "x" * 201}})
    assert refusal(longer)[0] == "name"
    leaking = tool.send("PUT", f"/metrics/{code}", {"metric": {"name": "db-prod-01.internal"}})
    assert leaking.json is not None
    assert (leaking.status_code, leaking.json["field"]) == (422, "name")
    assert tool.send("DELETE", f"/metrics/{code}/data").status_code == 200
    assert tool.send("DELETE", f"/metrics/{code}").status_code == 200
    assert refusal(tool.send("GET", f"/metrics/{code}"), 404)[1] == "There is no such metric."
    assert actions(app)[-3:] == ["metric.change", "metric.clear", "metric.remove"]


def test_a_key_for_numbers_sends_them_and_does_nothing_else(
    app: Flask, scenario: Scenario, tool: StatuspageTool, frozen: Traveller
) -> None:
    code = tool.add_metric()
    sender = StatuspageTool(app, scenario, KeyScope.METRICS)
    sent = {"data": {"timestamp": NOW, "value": 1}}
    assert sender.send("POST", f"/metrics/{code}/data", sent).status_code == 201
    for method, path in (
        ("GET", "/metrics"), ("GET", f"/metrics/{code}"), ("PATCH", f"/metrics/{code}"),
        ("DELETE", f"/metrics/{code}"), ("DELETE", f"/metrics/{code}/data"),
    ):  # fmt: skip
        assert sender.send(method, path, {"metric": {"name": "x"}}).status_code == 403
    reader = StatuspageTool(app, scenario, KeyScope.READ)
    assert reader.send("POST", f"/metrics/{code}/data", sent).status_code == 403
