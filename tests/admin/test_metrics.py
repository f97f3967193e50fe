"""Metrics are defined, tried and removed by hand, and say where their numbers come from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from statuspage.admin import metrics as screen
from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import writing
from statuspage.intake.metric_data import Point, keep_points
from statuspage.intake.metric_series import refresh_due
from statuspage.intake.prometheus import NoNumber
from statuspage.models import Metric
from tests.browsing import Browser, actions, reasons, texts
from tests.factories import make_component, make_group
from tests.htmlchecker import HtmlChecker

LIST, NEW = "/admin/metrics", "/admin/metrics/new"


def test_a_page_without_metrics_says_what_to_do(admin: Browser) -> None:
    assert texts(admin.get(LIST), "empty", "//strong") == ["No metrics yet"]


def test_a_metric_is_added_changed_and_removed(
    admin: Browser, app: Flask, html_errors: HtmlChecker
) -> None:
    with app.app_context(), writing() as session:
        component = make_component(session, group=make_group(session))
        key = component.id
    shown = admin.get(NEW)
    assert html_errors(shown.text) == []
    assert "Shop - Checkout" in shown.text
    sent = {"name": "API response time", "unit": "ms", "decimals": "1", "component_id": str(key)}
    made = admin.send_shown(NEW, sent)
    assert made.status_code == 303
    path = made.headers["Location"]
    assert "data[value]=123" in admin.get(path).text
    assert "No data yet" in admin.get(path).text
    with app.app_context():
        with writing() as session:
            metric = session.scalars(select(Metric)).one()
            assert (metric.decimals, metric.component_id, metric.is_shown) == (1, key, True)
            keep_points(session, {metric: [Point(clock.now() - timedelta(minutes=10), 1234.5)]})
        refresh_due()
    drawn = admin.get(path)
    assert html_errors(drawn.text) == []
    assert drawn.text.count('<svg class="curve"') == 3
    assert "1,234.5\u00a0ms" in drawn.text
    listed = admin.get(LIST)
    assert html_errors(listed.text) == []
    assert "1,234.5\u00a0ms" in listed.text
    admin.send_shown(path, {"query": "sum(up)", "is_shown": ""})
    assert "PROMETHEUS_URL is not set" in admin.get(LIST).text
    assert "hidden" in admin.get(LIST).text
    admin.send(f"{path}/clear")
    assert "No data yet" in admin.get(path).text
    admin.send(f"{path}/remove")
    assert "API response time" not in texts(admin.get(LIST), "list", "//a")
    assert actions(app)[1:] == ["metric.add", "metric.change", "metric.clear", "metric.remove"]


def test_what_cannot_be_taken_is_said_at_its_field_and_stays_typed(admin: Browser) -> None:
    sent = {"name": "", "unit": "x" * 21, "decimals": "7", "query": "kept(this)"}
    answer = admin.send_shown(NEW, sent)
    assert reasons(answer) == [
        "Name: Enter a name",
        "Unit: Use at most 20 characters; this has 21",
        "Decimals: Enter a whole number from 0 to 6",
    ]
    assert "kept(this)" in answer.text
    leaks = admin.send_shown(NEW, {"name": "Latency", "unit": "at db-prod-01.internal"})
    assert "Show it anyway because" in leaks.text


def test_a_query_is_tried_before_it_is_kept(
    admin: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(app.extensions["settings"], prometheus_url="http://prometheus.example")
    monkeypatch.setitem(app.extensions, "settings", settings)
    answers: dict[str, float | None] = {"one": 0.25, "none": None}

    def ask(_: Settings, query: str) -> float | None:
        if query not in answers:
            raise NoNumber("the query gives 2 numbers; sum or average them")
        return answers[query]

    monkeypatch.setattr(screen, "ask", ask)
    for query, told in (
        ("one", "The query gives 0.25 now."),
        ("none", "The query gives no data now."),
        ("two", "No number: the query gives 2 numbers; sum or average them."),
        ("", "Enter a query to try."),
    ):
        answer = admin.send_shown(NEW, {"name": "Load", "query": query, "try": "1"})
        assert told in answer.text
    assert actions(app) == ["account.sign_in"]
