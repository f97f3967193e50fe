"""The protocol as it is spoken: which tools a key has, and what a call of one answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from statuspage.access import api_keys
from statuspage.access.api_keys import KeyHolder
from statuspage.api.mcp_server import HttpAnswer, answer_http
from statuspage.core.enums import KeyScope
from tests.announcing import ACTOR, Scenario, declare

HEADERS = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "Host": "status.example.com",
}


@pytest.fixture
def reader(app: Flask, scenario: Scenario) -> Iterator[KeyHolder]:
    with app.app_context():
        _, token = api_keys.make_key("Helper", actor=ACTOR, scopes=[KeyScope.READ])
        holder = api_keys.use_key(token, address="192.0.2.1")
        assert holder is not None
        yield holder


def send(holder: KeyHolder, body: bytes) -> HttpAnswer:
    return answer_http(holder, method="POST", headers=HEADERS, body=body)


def ask(holder: KeyHolder, method: str, **params: Any) -> Any:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = send(holder, json.dumps(message).encode())
    assert answer.status == 200
    return json.loads(answer.body)["result"]


def test_a_call_answers_json_and_a_refusal_is_a_result_that_says_why(
    reader: KeyHolder, scenario: Scenario
) -> None:
    code = declare(scenario, started_at=None, next_update_at=None).code
    called = ask(reader, "tools/call", name="list_incidents", arguments={})
    (content,) = called["content"]
    assert [one["id"] for one in json.loads(content["text"])["incidents"]] == [code]
    for name, said in (
        ("get_incident", "“incident” is required."),
        ("add_note", "This key has no tool “add_note”."),
    ):
        refused = ask(reader, "tools/call", name=name, arguments={})
        assert (refused["isError"], said in refused["content"][0]["text"]) == (True, True)


def test_a_key_that_reads_is_offered_tools_that_read(reader: KeyHolder) -> None:
    tools = ask(reader, "tools/list")["tools"]
    assert {tool["annotations"]["readOnlyHint"] for tool in tools} == {True}
    assert "list_incidents" in {tool["name"] for tool in tools}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"jsonrpc": "2.0"}', b"\xff", b"[" * 500])
def test_what_is_no_message_is_refused(reader: KeyHolder, body: bytes) -> None:
    assert 400 <= send(reader, body).status < 500
