"""The addresses that tools post alerts to: who may, what is answered, and what never happens."""

from __future__ import annotations

import hmac
import json
import logging
import random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.access import api_keys
from statuspage.api.alert_hooks import MOST_BYTES
from statuspage.core.db import current_session, db
from statuspage.intake import suggestions
from statuspage.intake.alert_mapping import PROVIDERS, TOOLS
from statuspage.models import Incident, IncidentUpdate, Message, Suggestion, revision
from tests.alerting import BOTH_STATES, alert, make_source, notice
from tests.announcing import Scenario

HOOK = "/hooks/alertmanager"
SECRET = "shown by them once"


@pytest.fixture
def key(app: Flask, frozen: Traveller, scenario: Scenario) -> str:
    with app.app_context():
        return make_source()[1]


def post(client: FlaskClient, key: str, sent: Any, path: str = HOOK, **more: Any) -> TestResponse:
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return client.post(path, data=body, headers={**headers, **more})


def count(app: Flask, table: type[Any]) -> int:
    with app.app_context():
        return current_session().scalar(select(func.count()).select_from(table)) or 0


def test_alerts_are_taken_with_the_key_of_their_source(
    app: Flask, client: FlaskClient, key: str
) -> None:
    answer = post(client, key, notice(alert(), {"labels": {}}))
    assert (answer.status_code, answer.get_json()) == (202, {"taken": 1, "left_out": 1})
    assert (count(app, Suggestion), count(app, Incident)) == (1, 0)


def test_the_key_may_be_a_password_too(app: Flask, client: FlaskClient, key: str) -> None:
    answer = client.post(HOOK, json=notice(), auth=("anybody", key))
    assert (answer.status_code, count(app, Suggestion)) == (202, 1)


@pytest.mark.parametrize("tool", sorted(set(TOOLS) - {PROVIDERS}))
def test_every_tool_has_an_address(app: Flask, client: FlaskClient, key: str, tool: str) -> None:
    with app.app_context():
        _, own = make_source(tool=tool, name=tool)
    answer = post(client, own, BOTH_STATES[tool][0], f"/hooks/{tool}")
    assert (answer.status_code, count(app, Suggestion)) == (202, 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer statuspage_wrong"}, 401),
        ({"Authorization": "Basic !!!"}, 401),
    ],
)
def test_nothing_is_taken_without_the_key(
    app: Flask, client: FlaskClient, key: str, headers: dict[str, str], status: int
) -> None:
    answer = client.post(HOOK, json=notice(), headers=headers)
    assert (answer.status_code, count(app, Suggestion)) == (status, 0)


def test_a_key_opens_the_address_of_its_tool_alone(client: FlaskClient, key: str) -> None:
    answer = post(client, key, BOTH_STATES["grafana"][0], "/hooks/grafana")
    assert answer.status_code == 403
    assert answer.get_json()["detail"] == "The source of this key sends to /hooks/alertmanager."
    assert post(client, key, {}, "/hooks/nothing").status_code == 404
    assert client.get(HOOK).status_code == 405


def test_a_signed_request_needs_no_key(app: Flask, client: FlaskClient, key: str) -> None:
    with app.app_context():
        make_source(tool="pagerduty", signing_secret=SECRET)
    body = json.dumps(BOTH_STATES["pagerduty"][0]).encode()
    signature = f"v1={hmac.digest(SECRET.encode(), body, 'sha256').hex()}"
    for given, status in ((signature, 202), ("v1=00", 401)):
        headers = {"X-PagerDuty-Signature": given}
        answer = client.post("/hooks/pagerduty", data=body, headers=headers)
        assert answer.status_code == status
    assert count(app, Suggestion) == 1


def test_wrong_signatures_are_throttled_and_the_right_one_is_not(
    app: Flask, client: FlaskClient, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "TRIES", 2)
    with app.app_context():
        make_source(tool="sentry", signing_secret=SECRET)
    body = json.dumps(BOTH_STATES["sentry"][0]).encode()

    def sign(signature: str) -> TestResponse:
        headers = {"Sentry-Hook-Signature": signature}
        return client.post("/hooks/sentry", data=body, headers=headers)

    answers = [sign("00") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[2].headers["Retry-After"] == "901"
    # From the very same network.
    assert sign(hmac.digest(SECRET.encode(), body, "sha256").hex()).status_code == 202


def test_a_source_that_sends_too_often_is_asked_to_wait(
    client: FlaskClient, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "MOST_REQUESTS", 1)
    answers = [post(client, key, notice()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 429]
    assert answers[1].headers["Retry-After"] == "61"


def test_a_body_has_a_bound_by_who_sends_it(client: FlaskClient, key: str) -> None:
    large = json.dumps({"alerts": [], "more": "x" * 100_000}).encode()
    assert post(client, key, large).status_code == 202
    assert client.post(HOOK, data=large).status_code == 413
    assert post(client, key, b"x" * (MOST_BYTES + 1)).status_code == 413


def hostile(chance: random.Random) -> bytes:
    """A request that somebody made up who wants to break something."""
    depth = chance.randint(1, 3_000)
    pool: list[Any] = [
        None, True, -1, 10**30, 1e308, "", "\0", "\ud800", "x" * 5_000, "'; DROP TABLE alerts; --",
        "<script>alert(1)</script>", "{{ 7 * 7 }}", "[[name]]", [], {}, [[]], {"": ""},
        "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "\u202e", {"alertname": {"a": []}},
    ]  # fmt: skip
    one = {
        name: chance.choice(pool)
        for name in ("status", "labels", "annotations", "startsAt", "endsAt", "fingerprint",
                     "generatorURL")
        if chance.random() < 0.8
    }  # fmt: skip
    if chance.random() < 0.5:
        one["labels"] = {str(chance.choice(pool)): chance.choice(pool), "alertname": "A"}
    whole = {"groupKey": chance.choice(pool), "alerts": [one, chance.choice(pool)]}
    sent = chance.choice([whole, whole, whole, chance.choice(pool), [whole]])
    broken = (b"[" * depth, b"{", b"\xff\xfe", b"", b'{"alerts": NaN}', b'"\\ud800"')
    return chance.choice([json.dumps(sent).encode(), json.dumps(sent).encode(), *broken[:1],
                          chance.choice(broken)])  # fmt: skip


def test_hostile_requests_break_nothing_publish_nothing_and_log_no_secret(
    app: Flask, client: FlaskClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chance = random.Random(17)
    with app.app_context():
        tools = {"alertmanager": key} | {
            tool: make_source(tool=tool, name=tool)[1] for tool in ("generic", "sentry", "datadog")
        }
        before = revision.current_number(current_session())
        db.session.remove()
    statuses = set()
    for _ in range(300):
        tool = chance.choice(sorted(tools))
        statuses.add(post(client, tools[tool], hostile(chance), f"/hooks/{tool}").status_code)
    assert statuses <= {202, 400}
    assert [count(app, table) for table in (Incident, IncidentUpdate, Message)] == [0, 0, 0]
    with app.app_context():
        assert revision.current_number(current_session()) == before
    assert not any(own in caplog.text for own in tools.values())
