"""The company's own API for incidents: what it says beyond Statuspage's, and its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from sqlalchemy import select, update
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.access import api_keys
from statuspage.core.db import current_session, db, writing
from statuspage.core.enums import Audience, KeyScope
from statuspage.models import Incident, Message, SeverityLevel
from statuspage.public import openapi
from tests.announcing import ACTOR, Scenario
from tests.factories import LINKS
from tests.statements import noted

ALL = "/api/v1/incidents"
NEW = {
    "title": "Payments fail",
    "severity": "sev1",
    "users_notice": "Payments are declined at checkout.",
    "text": "Payments are declined at checkout. We are looking into it.",
}


class Tool:
    """A script of the company's own."""

    def __init__(self, app: Flask, *scopes: KeyScope) -> None:
        self.app, self.client = app, app.test_client()
        with app.app_context():
            _, token = api_keys.make_key("CI", actor=ACTOR, scopes=scopes)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str = "") -> TestResponse:
        return self.client.get(ALL + path, headers=self.headers)

    def post(self, path: str, value: Any, **headers: str) -> TestResponse:
        sent = {**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        return self.client.post(ALL + path, json=value, headers=sent)

    def put(self, path: str, value: Any) -> TestResponse:
        return self.client.put(ALL + path, json=value, headers=self.headers)

    def declare(self, **changes: Any) -> Any:
        answer = self.post("", {**NEW, **changes})
        assert answer.status_code == 201, answer.text
        return answer.json


@pytest.fixture
def own(app: Flask, scenario: Scenario, frozen: Traveller) -> Tool:
    return Tool(app, KeyScope.READ, KeyScope.PUBLISH)


def problem(answer: TestResponse, status: int) -> Mapping[str, Any]:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert answer.json["status"] == status
    return dict(answer.json)


def test_an_incident_is_declared_updated_and_resolved(own: Tool) -> None:
    made = own.declare(next_update_at="2026-03-04T12:30:00Z")
    assert (made["severity"], made["next_update_at"], made["updates"][0]["text"]) == (
        "SEV1", "2026-03-04T12:30:00+00:00", NEW["text"],
    )  # fmt: skip
    path = f"/{made['id']}"
    assert own.get(path).json == made
    answer = own.post(path + "/updates", {"status": "resolved", "text": "Payments work again."})
    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["status"], len(answer.json["updates"])) == ("resolved", 2)
    told = own.get(path + "/deliveries").json
    assert told is not None
    by_audience = {(one["audience"], one["step"]): one["deliveries"] for one in told["messages"]}
    assert by_audience["customer", "resolved"] == {"pending": 5}


def test_the_same_request_sent_twice_publishes_once(app: Flask, own: Tool) -> None:
    first = own.post("", NEW, Idempotency_Key="deploy-17")
    again = own.post("", NEW, Idempotency_Key="deploy-17")
    assert (again.status_code, again.json) == (201, first.json)
    assert own.post("", NEW, Idempotency_Key="deploy-18").json != first.json
    with app.app_context():
        assert len(current_session().scalars(select(Incident)).all()) == 2


def test_what_changed_meanwhile_is_not_written_over(own: Tool, frozen: Traveller) -> None:
    made = own.declare()
    path, tag = f"/{made['id']}", own.get(f"/{made['id']}").headers["ETag"]
    frozen.shift(60)
    assert own.post(path + "/updates", {"text": "Still failing."}, If_Match=tag).status_code == 201
    late = own.post(path + "/updates", {"text": "Or is it?"}, If_Match=tag)
    assert problem(late, 412)["detail"].startswith("Someone else changed")
    assert problem(own.post(path + "/updates", {"text": "x"}, If_Match="old"), 412)


def test_a_text_that_would_leak_is_refused_by_rule_and_nothing_is_kept(
    app: Flask, own: Tool
) -> None:
    refused = problem(own.post("", {**NEW, "text": "db-17.prod.internal is down."}), 422)
    assert [one["excerpt"] for one in refused["findings"]] == ["db-17.prod.internal"]
    with app.app_context():
        assert current_session().scalars(select(Incident)).all() == []


def test_the_gate_asks_for_reasons(app: Flask, own: Tool) -> None:
    path = f"/{own.declare()['id']}/updates"
    with app.app_context(), writing() as session:
        session.execute(update(SeverityLevel).values(watch_minutes=30))
    resolved = {"status": "resolved", "text": "Payments work again."}
    (error,) = problem(own.post(path, resolved), 422)["errors"]
    assert error["field"] == "because_watched"
    answer = own.post(path, {**resolved, "although": {"watched": "A third party confirmed it."}})
    assert answer.json is not None
    assert answer.json["updates"][0]["although"] == {"watched": "A third party confirmed it."}


def test_tags_and_cause_are_put_and_what_is_not_sent_stays(own: Tool) -> None:
    path = f"/{own.declare()['id']}/classification"
    put = own.put(path, {"tags": ["DB pool", "api"], "cause_category": "Capacity"}).json
    assert put is not None
    assert (put["tags"], put["cause_category"]) == (["api", "db-pool"], "Capacity")
    again = own.put(path, {"cause_category": ""}).json
    assert again is not None
    assert (again["tags"], again["cause_category"]) == (["api", "db-pool"], "")
    assert problem(own.put(path, {"cause_category": "x"}), 422)["errors"][0]["field"] == (
        "cause_category"
    )


def test_audiences_are_left_out_with_a_reason(app: Flask, own: Tool) -> None:
    sent = {"leave_out": ["subscriber"], "because": "Nobody is affected yet"}
    made = own.declare(**sent)
    assert made["updates"][0]["left_out"] == {"subscriber": "Nobody is affected yet"}
    with app.app_context():
        kept = current_session().scalars(select(Message.audience)).all()
    assert Audience.SUBSCRIBER not in kept


def test_a_key_that_may_only_draft_declares_what_is_internal(app: Flask, own: Tool) -> None:
    drafting = Tool(app, KeyScope.DRAFT)
    assert problem(drafting.post("", NEW), 403)["status"] == 403
    made = drafting.declare(visibility="internal")
    assert (made["visibility"], made["url"]) == ("internal", None)
    assert problem(drafting.get(), 403)["detail"] == "This API key lacks the scope “read”."
    assert own.get("?open=true").json == {"incidents": [made], "next": None}


def test_more_incidents_take_no_more_statements(app: Flask, own: Tool) -> None:
    with app.app_context():
        engine = db.engine

    def statements() -> int:
        with noted(engine) as sent:
            assert own.get().status_code == 200
        return len(sent)

    own.declare()
    for_one = statements()
    own.declare(title="Search fails")
    assert statements() == for_one


def test_incidents_are_listed_by_pages(own: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statuspage.api.own_incidents.PAGE_SIZE", 1)
    first, second = own.declare(), own.declare(title="Search fails")
    page = own.get().json
    assert page == {
        "incidents": [second], "next": f"https://status.example.com{ALL}?after={second['id']}",
    }  # fmt: skip
    assert own.get(f"?after={second['id']}").json == {"incidents": [first], "next": None}
    for nothing in ("nope", "%00"):
        assert problem(own.get(f"?after={nothing}"), 404)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"severity": "SEV9"}, "severity"),
        ({"severity": None}, "severity"),
        ({"status": "resolved"}, "status"),
        ({"public_facts": {"colour": "red"}}, "public_facts"),
        ({"public_facts": []}, "public_facts"),
        ({"leave_out": ["everybody"]}, "leave_out"),
        ({"next_update_at": "2026-03-04T11:00:00Z"}, "next_update_at"),
    ],
)
def test_what_cannot_be_taken_is_named(own: Tool, changes: Any, field: str) -> None:
    (error,) = problem(own.post("", {**NEW, **changes}), 422)["errors"]
    assert error["field"] == field


def test_strangers_and_unreadable_bodies_are_refused(own: Tool) -> None:
    path = own.client
    assert problem(path.get(ALL), 401)
    assert problem(path.post(ALL, data=b"{", headers=own.headers), 415)
    headers = {**own.headers, "Content-Type": "application/json"}
    assert problem(path.post(ALL, data=b"{", headers=headers), 400)
    assert problem(path.post(ALL, data=b"[]", headers=headers), 422)
    assert problem(own.post("/" + own.declare()["id"] + "/updates", {"although": {"x": "y"}}), 422)
    assert problem(own.get("/nope"), 404)


# --- the description -----------------------------------------------------------------------------


@pytest.fixture
def described(own: Tool) -> Mapping[str, Any]:
    answer = own.client.get(f"{ALL}/openapi.json")
    assert (answer.status_code, answer.json) == (200, openapi.describe("incidents", LINKS))
    return answer.json


def test_the_examples_work_and_are_answered_as_described(
    own: Tool, described: Mapping[str, Any]
) -> None:
    def example(path: str) -> Any:
        body = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        return body["example"]

    def complaints(schema: str, value: object) -> list[str]:
        whole = {**described["components"]["schemas"][schema],
                 "components": described["components"]}  # fmt: skip
        return [error.message for error in Draft202012Validator(whole).iter_errors(value)]

    made = own.post("", example(ALL))
    updated = own.post(f"/{made.json['id']}/updates", example(f"{ALL}/{{id}}/updates"))  # type: ignore[index]
    assert (made.status_code, updated.status_code) == (201, 201)
    assert complaints("Incident", updated.json) == []
    assert complaints("IncidentPage", own.get().json) == []
    assert complaints("Deliveries", own.get(f"/{made.json['id']}/deliveries").json) == []  # type: ignore[index]
    assert complaints("Problem", own.post("", {}).json) == []


@pytest.mark.only_on("sqlite")
def test_whatever_is_made_of_the_description_is_answered_as_described(own: Tool) -> None:
    schema = schemathesis.openapi.from_wsgi(f"{ALL}/openapi.json", own.app)
    wanted = [
        not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
        checks.response_schema_conformance,
    ]  # fmt: skip
    for operation in (found.ok() for found in schema.get_all_operations()):

        @settings(
            max_examples=3, deadline=None, derandomize=True, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=own.headers, checks=wanted)

        call()


def test_every_address_is_described(own: Tool, described: Mapping[str, Any]) -> None:
    found: dict[str, set[str]] = {}
    for rule in own.app.url_map.iter_rules():
        if rule.rule.startswith(ALL) and not rule.rule.endswith("openapi.json"):
            path = rule.rule.replace("<id:code>", "{id}")
            found.setdefault(path, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    assert found == {path: {m.upper() for m in there} for path, there in described["paths"].items()}
