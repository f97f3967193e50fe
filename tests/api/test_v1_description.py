"""The description of v1: its examples work, every address is in it, and it says what is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from time_machine import Traveller

from statuspage.api import v1_requests
from statuspage.public import openapi
from tests.api.statuspage_tool import PAGE, StatuspageTool
from tests.factories import LINKS


@pytest.fixture(autouse=True)
def many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v1_requests, "CALLS", 1_000_000)


@pytest.fixture
def described(app: Flask) -> Mapping[str, Any]:
    answer = app.test_client().get("/v1/openapi.json")
    assert (answer.status_code, answer.json) == (200, openapi.describe("statuspage_v1", LINKS))
    return answer.json


def operations(described: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def test_every_address_is_described(app: Flask, described: Mapping[str, Any]) -> None:
    found = {
        (re.sub(r"<[^>]*>", "{}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.startswith("v1.") and not rule.endpoint.startswith("v1.no_")
        if not rule.rule.endswith(".json")
    }
    told = {(re.sub(r"{[^}]*}", "{}", path), method) for path, method, _ in operations(described)}
    assert found == told


def test_every_example_is_taken(
    tool: StatuspageTool, described: Mapping[str, Any], frozen: Traveller
) -> None:
    # The examples were sent then.
    frozen.move_to(datetime(2026, 3, 4, 12, 5, tzinfo=UTC))
    incident = tool.create(name="Payments fail", body="We are looking into it.")
    ids = {
        "page_id": "page00000000",
        "incident_id": incident["id"],
        "incident_update_id": incident["incident_updates"][0]["id"],
        "component_id": tool.catalog,
        "metric_id": tool.add_metric(),
    }
    refused = {}
    for path, method, operation in operations(described):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or "{group_id}" in path or operation["operationId"] == "createGroup":
            continue
        address = path.format_map(ids).removeprefix(PAGE)
        answer = tool.send(method, address, content["example"])
        schema = operation["responses"].get(str(answer.status_code), {}).get("content", {})
        whole = {**schema.get("application/json", {}).get("schema", {"not": {}}),
                 "components": described["components"]}  # fmt: skip
        complaints = [each.message for each in Draft202012Validator(whole).iter_errors(answer.json)]
        if complaints:
            refused[operation["operationId"]] = (answer.status_code, complaints, answer.text)
    # Resolved by the example of one method, it cannot be resolved again by the other's.
    assert list(refused) == ["updateIncidentWhole"]


@pytest.mark.only_on("sqlite")
def test_whatever_is_made_of_the_description_is_answered_as_described(
    tool: StatuspageTool,
) -> None:
    metric = tool.add_metric()
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", tool.app)
    wanted = [
        not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
        checks.response_schema_conformance,
    ]  # fmt: skip
    for operation in (found.ok() for found in schema.get_all_operations()):

        @settings(
            max_examples=2, deadline=None, derandomize=True, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            parameters = case.path_parameters
            if parameters:
                known = {
                    "page_id": "page00000000",
                    "component_id": tool.catalog,
                    "metric_id": metric,
                }
                parameters.update({name: known[name] for name in parameters if name in known})
            case.call_and_validate(headers={"Authorization": tool.authorization}, checks=wanted)

        call()
