"""Assistants over HTTP: behind a key, by the protocol, without a session."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from statuspage.access import api_keys
from statuspage.core.enums import KeyScope
from tests.announcing import ACTOR, Scenario, declare

ACCEPT = "application/json, text/event-stream"


@pytest.fixture
def key(app: Flask, scenario: Scenario) -> str:
    with app.app_context():
        return api_keys.make_key("Helper", actor=ACTOR, scopes=[KeyScope.READ])[1]


def ask(client: FlaskClient, key: str, method: str, **params: Any) -> TestResponse:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {"Authorization": f"Bearer {key}", "Accept": ACCEPT}
    return client.post("/mcp", json=message, headers=headers)


def test_the_protocol_is_spoken_behind_a_key(
    app: Flask, client: FlaskClient, key: str, scenario: Scenario
) -> None:
    with app.app_context():
        code = declare(scenario, started_at=None, next_update_at=None).code
    begun = ask(
        client, key, "initialize", protocolVersion="2025-06-18", capabilities={},
        clientInfo={"name": "test", "version": "1"},
    )  # fmt: skip
    assert begun.status_code == 200
    assert begun.get_json()["result"]["serverInfo"]["name"] == "statuspage"
    assert "Mcp-Session-Id" not in begun.headers
    tools = ask(client, key, "tools/list").get_json()["result"]["tools"]
    assert [tool["annotations"]["readOnlyHint"] for tool in tools] == [True] * 5
    called = ask(client, key, "tools/call", name="list_incidents", arguments={})
    (content,) = called.get_json()["result"]["content"]
    assert [one["id"] for one in json.loads(content["text"])["incidents"]] == [code]


def test_without_a_key_that_reads_nothing_is_answered(
    app: Flask, client: FlaskClient, key: str
) -> None:
    assert client.post("/mcp", json={}).status_code == 401
    assert client.get("/mcp").status_code == 405
    with app.app_context():
        _, other = api_keys.make_key("CRM", actor=ACTOR, scopes=[KeyScope.CUSTOMERS])
    assert ask(client, other, "tools/list").status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"jsonrpc": "2.0"}', b"\xff", b"[" * 500])
def test_what_is_no_message_is_refused(client: FlaskClient, key: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {key}", "Accept": ACCEPT}
    answer = client.post("/mcp", data=body, headers=headers, content_type="application/json")
    assert 400 <= answer.status_code < 500
