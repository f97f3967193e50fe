"""Metrics as the public reads them: what is shown of which, and their steps put together."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.configuration import metrics as verbs
from statuspage.configuration.editing import MetricDetails
from statuspage.core.db import db, writing
from statuspage.models import Component
from statuspage.public.metric_views import read_metrics, read_series
from statuspage.public.queries import open_site, read_component_page, read_snapshot
from tests.announcing import ACTOR
from tests.factories import NOON, make_component, make_page
from tests.public import samples


def test_shown_metrics_are_read_by_name(app: Flask, frozen: Traveller) -> None:
    with app.app_context():
        with writing() as session:
            make_page(session)
            checkout = make_component(session, code="checkout0000").id
            fax = make_component(session, "Fax", code="fax000000000").id
        for details in (
            MetricDetails("orders", "per minute", query="sum(orders)"),
            MetricDetails("Latency", "ms", 1, checkout),
            MetricDetails("Pages", "", 0, fax),
            MetricDetails("Secret", is_shown=False),
        ):
            verbs.add_metric(details, actor=ACTOR)
        with writing() as session:
            session.get_one(Component, fax).removed_at = NOON
        with open_site(db.engine) as site:
            found = read_metrics(site.connection)
            assert [(one.name, one.unit, one.decimals, one.component_code) for one in found] == [
                ("Latency", "ms", 1, "checkout0000"), ("orders", "per minute", 0, None),
            ]  # fmt: skip
            assert read_snapshot(site).metrics == found
            (component,) = (one for one in site.by_key.values() if not one.is_removed)
            assert read_component_page(site, component).metrics == found[:1]


@pytest.mark.only_on("sqlite")
def test_a_metric_without_numbers_has_no_series(app: Flask) -> None:
    empty = samples.replace(samples.metric("Orders"), series="")
    assert (empty.spans, empty.latest) == ((), None)


def test_the_latest_number_is_that_of_the_last_step_that_has_one() -> None:
    metric = samples.metric("Latency", gaps=[94, 95])
    steps = metric.spans[0].steps
    assert steps[95] is None
    assert steps[93] is not None
    assert metric.latest == steps[93][1]
    assert samples.metric("Latency", gaps=range(96)).latest is None


def test_steps_are_put_together_and_keep_their_times() -> None:
    day, week, month = samples.metric("Latency", gaps=[0, 1, 2, 3, 4]).spans
    assert [span.span for span in (day, week, month)] == ["day", "week", "month"]
    rows = day.rows(4)
    assert len(rows) == 24
    assert rows[0] == (samples.ago(days=1), None)
    at, figures = rows[1]
    known = [step for step in day.steps[4:8] if step]
    assert (at, len(known)) == (samples.ago(days=1) + timedelta(hours=1), 3)
    assert figures is not None
    assert figures[0] == min(step[0] for step in known)
    assert figures[2] == max(step[2] for step in known)
    assert [at for at, _ in month.rows(1)][::29] == [date(2026, 2, 3), date(2026, 3, 4)]
    assert week.whole is not None
    assert week.whole[0] == min(step[0] for step in week.steps if step)


def test_the_same_text_is_read_once() -> None:
    text = samples.metric("Latency").series
    assert read_series(text) is read_series(text)
