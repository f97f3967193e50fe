"""Numbers are read from Prometheus: one a minute, and what goes wrong stands with the metric."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.configuration import metrics as verbs
from statuspage.configuration.editing import MetricDetails
from statuspage.core.db import current_session, writing
from statuspage.intake import prometheus
from statuspage.models import Metric, MetricBucket
from tests.announcing import ACTOR
from tests.factories import NOON, make_page


def vector(*values: str) -> dict[str, Any]:
    result = [{"metric": {"job": "shop"}, "value": [1772625600, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


ANSWERS: dict[str, tuple[int, Any]] = {
    "one": (200, vector("0.125")),
    "scalar": (200, {"status": "success", "data": {"resultType": "scalar", "result": [1, "7"]}}),
    "two": (200, vector("1", "2")),
    "none": (200, vector()),
    "nan": (200, vector("NaN")),
    "huge": (200, vector("1e99")),
    "wrong": (400, {"status": "error", "errorType": "bad_data", "error": "parse error at char 3"}),
    "html": (502, "<h1>Bad gateway</h1>"),
    "away": (302, ""),
    "long": (200, "x" * 70_000),
}


class Handler(BaseHTTPRequestHandler):
    """A Prometheus that answers by the query."""

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        (query,) = parse_qs(path.query).get("query", [""])
        status, body = ANSWERS[query]
        sent = (body if isinstance(body, str) else json.dumps(body)).encode()
        is_right = path.path == "/api/v1/query"
        self.send_response(status if is_right else 404)
        self.send_header("Location", "/api/v1/query?query=one")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def reading(app: Flask, server: str, frozen: Traveller, monkeypatch: pytest.MonkeyPatch) -> Flask:
    settings = replace(app.extensions["settings"], prometheus_url=server)
    monkeypatch.setitem(app.extensions, "settings", settings)
    with app.app_context(), writing() as session:
        make_page(session)
    return app


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("query", "count", "failure"),
    [
        ("one", 1, ""),
        ("scalar", 1, ""),
        ("none", 0, ""),
        ("nan", 0, ""),
        ("two", 0, "the query gives 2 numbers; sum or average them"),
        ("huge", 0, "the number is too large"),
        ("wrong", 0, "Prometheus: parse error at char 3"),
        ("html", 0, "Prometheus answered 502, and no number"),
        ("away", 0, "Prometheus answered 302, and no number"),
        ("long", 0, "Prometheus: the answer is larger than 65,536 bytes"),
    ],
)
def test_a_query_gives_a_number_or_why_there_is_none(
    reading: Flask, query: str, count: int, failure: str
) -> None:
    with reading.app_context():
        verbs.add_metric(MetricDetails("Pushed"), actor=ACTOR)
        verbs.add_metric(MetricDetails("Read", query=query), actor=ACTOR)
        assert prometheus.read_due() == count
        metric = current_session().scalars(select(Metric).filter_by(name="Read")).one()
        assert metric.failure == failure
        assert metric.read_at == (None if failure else NOON)
        assert metric.newest_at == (NOON if count else None)


@pytest.mark.only_on("sqlite")
def test_numbers_are_kept_and_a_failure_is_forgotten_once_it_is_over(reading: Flask) -> None:
    with reading.app_context():
        metric_id = verbs.add_metric(MetricDetails("Read", query="one"), actor=ACTOR).id
        with writing() as session:
            session.get_one(Metric, metric_id).failure = "Prometheus: no answer in time"
        assert [prometheus.read_due(), prometheus.read_due()] == [1, 1]
        totals = current_session().execute(select(MetricBucket.total, MetricBucket.count)).all()
        assert {tuple(row) for row in totals} == {(0.25, 2)}
        assert current_session().get_one(Metric, metric_id).failure == ""


@pytest.mark.only_on("sqlite")
def test_without_a_server_it_says_so(app: Flask) -> None:
    with app.app_context():
        with writing() as session:
            make_page(session)
        metric_id = verbs.add_metric(MetricDetails("Read", query="up"), actor=ACTOR).id
        assert prometheus.read_due() == 0
        assert current_session().get_one(Metric, metric_id).failure == prometheus.NOT_SET


@pytest.mark.only_on("sqlite")
def test_no_query_is_waited_for_beyond_the_deadline(
    reading: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    monkeypatch.setattr(prometheus, "ALL_SECONDS", 0.05)
    monkeypatch.setattr(prometheus, "_try", lambda settings, query: held.wait(5) and None)
    with reading.app_context():
        metric_id = verbs.add_metric(MetricDetails("Read", query="one"), actor=ACTOR).id
        assert prometheus.read_due() == 0
        failure = current_session().get_one(Metric, metric_id).failure
    held.set()
    assert failure == "Prometheus: no answer in time"
