"""Requests to v1: who may ask, how bodies are read, and how errors are written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.api import v1_requests
from statuspage.api.v1_requests import nested
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from tests.announcing import Scenario
from tests.api.statuspage_tool import PAGE, StatuspageTool, refusal


def test_a_page_is_answered_to_a_key_and_not_to_strangers(tool: StatuspageTool) -> None:
    for kind in ("OAuth", "Bearer"):
        tool.authorization = f"{kind} {tool.token}"
        assert tool.get("")["id"] == "page00000000"
    tool.authorization = ""
    assert refusal(tool.send("GET", ""), 401)[1].startswith("Send an API key")
    tool.authorization = "OAuth statuspage_wrong"
    answer = tool.send("GET", "")
    assert refusal(answer, 401) == ("", "This API key does not work.")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_sign_in_opens_nothing_here(app: Flask, tool: StatuspageTool) -> None:
    assert app.test_client().get(f"{PAGE}?api_key={tool.token}").status_code == 401


def test_every_address_is_found_with_json_after_it(tool: StatuspageTool) -> None:
    for path in ("", "/components", f"/components/{tool.checkout}", "/incidents/unresolved"):
        assert tool.get(path + ".json") == tool.get(path)


def test_another_page_and_another_address_are_not_there(tool: StatuspageTool) -> None:
    headers = {"Authorization": tool.authorization}
    other = tool.client.get("/v1/pages/other0000000/components", headers=headers)
    assert refusal(other, 404) == ("", "There is no such page.")
    assert refusal(tool.send("GET", "/nothing"), 404)[1] == "There is nothing at this address."
    assert refusal(tool.send("DELETE", "/incidents"), 405)[1] == "This method cannot be used here."


def test_a_key_may_ask_sixty_times_a_minute(tool: StatuspageTool, frozen: Traveller) -> None:
    for _ in range(v1_requests.CALLS):
        assert tool.send("GET", "").status_code == 200
    answer = tool.send("GET", "")
    assert refusal(answer, 429)[1] == "Too many requests with this key."
    assert int(answer.headers["Retry-After"]) == 61
    frozen.shift(timedelta(seconds=61))
    assert tool.send("GET", "").status_code == 200


def test_a_body_is_json_whatever_it_says_it_is(tool: StatuspageTool) -> None:
    """Go's client of ``yannh/statuspage-go-sdk`` sends no content type at all."""
    for kind in ("", "text/plain", "application/x-www-form-urlencoded"):
        sent = {"incident": {"name": "Payments fail", "body": "We are looking into it."}}
        answer = tool.send("POST", "/incidents", sent, **{"Content-Type": kind})
        assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b"{}", 422), (b'{"incident": 5}', 422), (b"", 422)],
)
def test_what_cannot_be_read_is_refused(tool: StatuspageTool, body: bytes, status: int) -> None:
    answer = tool.client.post(
        f"{PAGE}/incidents", data=body,
        headers={"Authorization": tool.authorization, "Content-Type": "application/json"},
    )  # fmt: skip
    refusal(answer, status)


def test_too_much_is_refused(app: Flask, tool: StatuspageTool) -> None:
    sent = {"incident": {"name": "x" * v1_requests.MOST_BYTES}}
    assert tool.send("POST", "/incidents", sent).status_code == 413


def test_a_form_says_with_brackets_what_json_nests() -> None:
    pairs = [("a[b]", "1"), ("a[c][]", "2"), ("a[c][]", "3"), ("a[d][e]", "4"), ("f", "5")]
    assert nested(pairs) == {"a": {"b": "1", "c": ["2", "3"], "d": {"e": "4"}}, "f": "5"}


@pytest.mark.parametrize(
    "names", [("a", "a[b]"), ("a[]", "a[b]"), ("a[b]", "a[]"), ("a[][][]",), ("a[][b]",), ("",)]
)
def test_brackets_that_contradict_each_other_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        nested((name, "1") for name in names)


def test_reading_does_not_need_to_change_anything(app: Flask, scenario: Scenario) -> None:
    reading = StatuspageTool(app, scenario, KeyScope.READ)
    assert reading.get("/components")
    answer = reading.send("PATCH", f"/components/{reading.checkout}", {"component": {}})
    assert refusal(answer, 403)[1] == "This API key lacks the scope “components”."
    assert refusal(reading.send("GET", "/subscribers"), 403)[1]
    assert refusal(reading.send("PATCH", "", {"page": {}}), 403)[1]
