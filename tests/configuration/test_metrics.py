"""Metrics are added, changed, cleared and removed, and their names are checked as others are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from time_machine import Traveller

from statuspage.configuration import metrics as verbs
from statuspage.configuration.editing import MetricDetails, read_as
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.intake.metric_data import Point, add_points
from statuspage.messages.checks import Blocked
from statuspage.models import Metric, MetricBucket
from statuspage.models.revision import current_number
from tests.announcing import ACTOR
from tests.browsing import actions
from tests.factories import NOON, make_component, make_page

LATENCY = MetricDetails("API response time", "ms")


@pytest.fixture(autouse=True)
def page(app: Flask, frozen: Traveller) -> None:
    with app.app_context(), writing() as session:
        make_page(session)


def test_a_metric_is_added_changed_cleared_and_removed(app: Flask) -> None:
    with app.app_context():
        metric_id = verbs.add_metric(LATENCY, actor=ACTOR).id
        metric = current_session().get_one(Metric, metric_id)
        assert read_as(MetricDetails, metric) == LATENCY
        add_points({metric.code: [Point(NOON, 12.0)]}, actor=ACTOR)
        before = current_number(current_session())
        verbs.change_metric(metric_id, replace(LATENCY, decimals=1), actor=ACTOR)
        verbs.change_metric(metric_id, replace(LATENCY, decimals=1), actor=ACTOR)
        assert current_number(current_session()) == before + 1
        assert current_session().scalar(select(func.count()).select_from(MetricBucket)) == 3
        verbs.clear_metric(metric_id, actor=ACTOR)
        assert current_session().scalar(select(func.count()).select_from(MetricBucket)) == 0
        assert current_session().get_one(Metric, metric_id).newest_at is None
        verbs.remove_metric(metric_id, actor=ACTOR)
        assert verbs.metrics(current_session()) == []
    assert actions(app) == ["metric.add", "metric.change", "metric.clear", "metric.remove"]


def test_a_name_is_there_once_for_each_component(app: Flask) -> None:
    with app.app_context():
        with writing() as session:
            checkout = make_component(session).id
            gone = make_component(session, "Fax", removed_at=NOON).id
        verbs.add_metric(LATENCY, actor=ACTOR)
        verbs.add_metric(replace(LATENCY, component_id=checkout), actor=ACTOR)
        with pytest.raises(Invalid, match="already exists"):
            verbs.add_metric(replace(LATENCY, name="api RESPONSE time"), actor=ACTOR)
        with pytest.raises(Invalid, match="pick another"):
            verbs.add_metric(replace(LATENCY, component_id=gone), actor=ACTOR)


def test_what_would_leak_is_not_public(app: Flask) -> None:
    leaking = MetricDetails("Latency of db-prod-01.internal", "at 10.2.3.4")
    with app.app_context():
        for details in (leaking, replace(leaking, name="Latency")):
            with pytest.raises(Blocked):
                verbs.add_metric(details, actor=ACTOR)
        verbs.add_metric(leaking, actor=ACTOR, because="A lab of ours")
    assert actions(app) == ["metric.override", "metric.add"]


def test_metrics_are_few(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "MOST_METRICS", 1)
    with app.app_context():
        verbs.add_metric(LATENCY, actor=ACTOR)
        with pytest.raises(Invalid, match="at most 1"):
            verbs.add_metric(replace(LATENCY, name="Orders"), actor=ACTOR)


def test_another_query_forgets_why_the_one_before_failed(app: Flask) -> None:
    with app.app_context():
        metric_id = verbs.add_metric(replace(LATENCY, query="up"), actor=ACTOR).id
        with writing() as session:
            session.get_one(Metric, metric_id).failure = "it gives 2 numbers"
        verbs.change_metric(metric_id, replace(LATENCY, query="sum(up)"), actor=ACTOR)
        assert current_session().get_one(Metric, metric_id).failure == ""
