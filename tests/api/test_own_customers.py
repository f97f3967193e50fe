"""The company's own API: customers put, got and removed by a tool with a key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from sqlalchemy import select
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.access import api_keys
from statuspage.core.db import current_session, writing
from statuspage.core.enums import KeyScope
from statuspage.models import AuditEntry, Customer
from statuspage.public import openapi
from tests.actors import acting
from tests.browsing import Browser, actions
from tests.factories import LINKS, make_component, make_group, make_page

ACTOR = acting("Ada")
ONE = "/api/v1/customers/C-1"
MANY = "/api/v1/customers"
ADA = {
    "email": "Ada@Example.com",
    "name": "Ada",
    "company": "Engines",
    "components": ["Shop / API"],
    "tags": ["Gold", "eu", "gold"],
    "language": "en-GB",
    "time_zone": "Europe/London",
    "contractual": True,
}
KEPT = {
    **ADA,
    "key": "C-1",
    "components": ["Shop / API"],
    "tags": ["eu", "gold"],
    "language": "en_GB",
}


class Tool:
    """A program of the company's, with a key or without."""

    def __init__(self, app: Flask, token: str) -> None:
        self.app = app
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=self.headers)

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(path, headers=self.headers)

    def put(self, path: str, value: Any, **headers: str) -> TestResponse:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        sent = {**self.headers, "Content-Type": "application/json", **headers}
        return self.client.put(path, data=body, headers=sent)

    def customers(self) -> list[tuple[str | None, str, str]]:
        with self.app.app_context():
            rows = current_session().scalars(select(Customer).order_by(Customer.id))
            return [(row.key, row.address, row.name) for row in rows]


@pytest.fixture
def tool(app: Flask) -> Tool:
    with app.app_context():
        with writing() as session:
            make_page(session)
            shop, platform = make_group(session, "Shop"), make_group(session, "Platform")
            make_component(session, "API", group_id=shop.id)
            make_component(session, "API", group_id=platform.id)
            make_component(session, "Checkout")
        _, token = api_keys.make_key("CRM sync", actor=ACTOR)
    return Tool(app, token)


def problem(answer: TestResponse) -> Mapping[str, Any]:
    """What a refusal says, after its frame was found to be RFC 9457's."""
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code
    assert answer.json["title"]
    return dict(answer.json)


def fields(answer: TestResponse) -> list[str]:
    return [error["field"] for error in problem(answer)["errors"]]


# --- one customer --------------------------------------------------------------------------------


def test_a_customer_is_put_got_and_removed(tool: Tool) -> None:
    made = tool.put(ONE, ADA)
    assert (made.status_code, made.json) == (201, KEPT)
    assert (tool.get(ONE).json, tool.get(ONE).headers["Cache-Control"]) == (KEPT, "no-store")
    assert tool.delete(ONE).status_code == 204
    assert tool.customers() == []
    assert problem(tool.get(ONE))["detail"] == "There is no customer with key 'C-1'."
    assert problem(tool.delete(ONE))["status"] == 404


def test_putting_the_same_again_changes_nothing(tool: Tool) -> None:
    tool.put(ONE, ADA)
    entries = actions(tool.app)
    with tool.app.app_context():
        before = current_session().scalars(select(Customer.updated_at)).one()
    again = tool.put(ONE, ADA)
    assert (again.status_code, again.json) == (200, KEPT)
    assert actions(tool.app) == entries
    with tool.app.app_context():
        assert current_session().scalars(select(Customer.updated_at)).one() == before


def test_what_is_got_can_be_put(tool: Tool) -> None:
    tool.put(ONE, ADA)
    got = tool.get(ONE).json
    assert (tool.put(ONE, got).status_code, tool.get(ONE).json) == (200, got)


def test_what_is_left_out_is_empty_afterwards(tool: Tool) -> None:
    tool.put(ONE, ADA)
    assert tool.put(ONE, {"email": "new@example.com"}).json == {
        "key": "C-1", "email": "new@example.com", "name": "", "company": "", "components": [],
        "tags": [], "language": "en", "time_zone": None, "contractual": False,
    }  # fmt: skip


def test_a_customer_known_by_address_alone_gets_the_key(tool: Tool) -> None:
    with tool.app.app_context(), writing() as session:
        session.add(Customer(email="ada@example.com", address="ada@example.com", name="A"))
    assert tool.put(ONE, ADA).status_code == 200
    assert tool.customers() == [("C-1", "ada@example.com", "Ada")]


def test_an_address_of_somebody_else_is_a_conflict(tool: Tool) -> None:
    tool.put(ONE, ADA)
    said = problem(tool.put("/api/v1/customers/C-2", ADA))
    assert said["status"] == 409
    assert said["errors"] == [
        {
            "field": "email",
            "value": "Ada@Example.com",
            "reason": "This address belongs to the customer with key 'C-1'",
        }
    ]


def test_a_key_may_hold_anything_that_is_one_line(tool: Tool) -> None:
    assert tool.put("/api/v1/customers/eu%2F1%20%C3%BC", ADA).status_code == 201
    assert tool.get("/api/v1/customers/eu/1%20%C3%BC").json == {**KEPT, "key": "eu/1 ü"}
    for key, status in (("%20a", 422), ("a%00b", 422), ("a%0Ab", 404), ("a" * 201, 422)):
        assert problem(tool.put(f"/api/v1/customers/{key}", ADA))["status"] == status
        assert tool.get(f"/api/v1/customers/{key}").status_code == 404
    assert len(tool.customers()) == 1


def test_every_wrong_field_is_named(tool: Tool) -> None:
    refused = tool.put(ONE, {"email": "x", "language": "xx", "colour": 1})
    assert sorted(fields(refused)) == ["colour", "email", "language"]


def test_a_line_end_in_a_name_cannot_stay(tool: Tool) -> None:
    tool.put(ONE, {**ADA, "name": "Ada\r\nBcc: eve@example.com\u0000"})
    assert tool.customers() == [("C-1", "ada@example.com", "Ada Bcc: eve@example.com")]


# --- many ----------------------------------------------------------------------------------------


def rows(count: int) -> list[dict[str, Any]]:
    return [{"key": f"k{n}", "email": f"c{n}@example.com"} for n in range(count)]


def test_wrong_rows_are_named_by_index_and_the_rest_goes_in(tool: Tool) -> None:
    answer = tool.put(MANY, [*rows(2), {"key": "x", "email": "?"}, 7, {"email": "a@example.com"}])
    assert answer.status_code == 200
    assert answer.json is not None
    assert {name: answer.json[name] for name in ("added", "updated", "unchanged")} == {
        "added": 2, "updated": 0, "unchanged": 0,
    }  # fmt: skip
    found = [(error["index"], error["field"]) for error in answer.json["errors"]]
    assert found == [(2, "email"), (3, ""), (4, "key")]
    assert tool.customers() == [("k0", "c0@example.com", ""), ("k1", "c1@example.com", "")]


def test_one_object_a_line_is_taken_too_and_a_broken_line_is_named(tool: Tool) -> None:
    lines = (
        b'{"key": "a", "email": "a@example.com"}\n\n{"key"\n{"key": "b", "email": "b@b.example"}'
    )
    answer = tool.put(MANY, lines, **{"Content-Type": "application/x-ndjson"})
    assert answer.json is not None
    assert (answer.json["added"], [e["index"] for e in answer.json["errors"]]) == (2, [1])
    assert answer.json["errors"][0]["reason"].startswith("This is not JSON")


def test_of_two_for_one_customer_the_later_counts(tool: Tool) -> None:
    answer = tool.put(MANY, [{**rows(1)[0], "name": "Old"}, {**rows(1)[0], "name": "New"}])
    assert answer.json is not None
    assert (answer.json["added"], answer.json["notes"][0]["index"]) == (1, 1)
    assert tool.customers() == [("k0", "c0@example.com", "New")]


def test_many_at_once_are_one_entry_in_the_audit_trail(tool: Tool) -> None:
    tool.put(MANY, rows(3))
    with tool.app.app_context():
        entry = current_session().scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action) == ("API key “CRM sync”", "customers.import")
        assert entry.after == {"added": 3, "updated": 0, "unchanged": 0, "refused": 0}


def test_where_nothing_can_be_taken_it_is_refused(tool: Tool) -> None:
    assert fields(tool.put(MANY, [{"key": "a"}])) == ["email"]


def test_no_more_than_a_thousand_come_at_once(tool: Tool) -> None:
    assert tool.put(MANY, rows(1_000)).status_code == 200
    too_many = tool.put(MANY, rows(1_001))
    assert "at most 1,000" in problem(too_many)["detail"]
    assert too_many.status_code == 413


def test_a_list_comes_in_pages_that_lead_to_each_other(tool: Tool) -> None:
    tool.put(MANY, [{**row, "tags": ["gold"]} for row in rows(150)])
    tool.put(MANY, [{"key": "other", "email": "other@example.com"}])
    found, path = [], f"{MANY}?tag=gold"
    while path:
        page = tool.get(path).json
        assert page is not None
        found += [one["key"] for one in page["customers"]]
        path = page["next"]
    assert sorted(found) == sorted(f"k{n}" for n in range(150))
    assert tool.get(f"{MANY}?text=%00&tag=%00&after=%00").status_code == 200


# --- what cannot be read -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"email"', {}, 400),
        (b'{"email": NaN}', {}, 400),
        (b'{"email": "\xff"}', {}, 400),
        (b"", {}, 400),
        (b"[]", {}, 422),
        (b"{}", {"Content-Type": "text/csv"}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
        (b'"' + b"x" * (4 * 1024 * 1024) + b'"', {}, 413),
    ],
)
def test_a_body_that_cannot_be_read_is_answered_in_kind(
    tool: Tool, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert problem(tool.put(ONE, body, **headers))["status"] == status
    assert tool.customers() == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(
            st.sampled_from([*ADA, "key"]) | st.text(), inner
        ),
        max_leaves=12,
    )
)  # fmt: skip
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_sent_gets_a_plain_answer(tool: Tool, value: Any) -> None:
    body = json.dumps(value).encode()
    assert tool.put(ONE, body).status_code in {200, 201, 400, 409, 422}
    assert tool.put(MANY, body).status_code in {200, 400, 422}


def test_other_addresses_and_methods_are_answered_as_problems(tool: Tool) -> None:
    assert problem(tool.get("/api/v1/nothing"))["status"] == 404
    answer = tool.client.post(ONE, headers=tool.headers)
    assert problem(answer)["status"] == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer statuspage_wrong", "Basic YTpi", "Bearer a b", "Bearer ü", "x" * 9_000],
)
def test_nobody_comes_in_without_a_key_that_works(tool: Tool, header: str) -> None:
    tool.headers = {"Authorization": header} if header else {}
    for answer in (tool.get(ONE), tool.put(ONE, ADA), tool.delete(ONE), tool.get(MANY)):
        assert problem(answer)["status"] == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert "Set-Cookie" not in answer.headers
    assert tool.customers() == []


def test_a_sign_in_opens_nothing_here(app: Flask, admin: Browser) -> None:
    assert admin.get(MANY).status_code == 401


def test_a_key_without_the_scope_is_refused(app: Flask, tool: Tool) -> None:
    with app.app_context():
        _, token = api_keys.make_key("Deploys", actor=ACTOR, scopes=[KeyScope.PUBLISH])
    answer = Tool(app, token).get(ONE)
    assert answer.status_code == 403
    assert problem(answer)["detail"] == "This API key lacks the scope “customers”."
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_scope", scope="customers"'
    )
    with app.app_context():
        _, token = api_keys.make_key("All", actor=ACTOR, scopes=[KeyScope.ADMIN])
    assert Tool(app, token).get(ONE).status_code == 404


def test_wrong_keys_are_slowed_down_and_a_right_one_is_not(tool: Tool, frozen: Traveller) -> None:
    right, tool.headers = tool.headers, {"Authorization": "Bearer statuspage_wrong"}
    codes = [tool.get(ONE).status_code for _ in range(api_keys.TRIES + 1)]
    assert codes == [401] * api_keys.TRIES + [429]
    assert int(tool.get(ONE).headers["Retry-After"]) > 0
    tool.headers = right
    assert tool.get(ONE).status_code == 404
    tool.headers = {"Authorization": "Bearer statuspage_wrong"}
    frozen.shift(timedelta(minutes=16))
    assert tool.get(ONE).status_code == 401


# --- the description -----------------------------------------------------------------------------


@pytest.fixture
def described(tool: Tool) -> Mapping[str, Any]:
    answer = tool.client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.json) == (200, openapi.describe("customers", LINKS))
    return answer.json


def complaints(
    described: Mapping[str, Any], schema: str | Mapping[str, Any], value: object
) -> list[str]:
    """What is wrong with a value by a schema of the description, or by the one of that name."""
    own = described["components"]["schemas"][schema] if isinstance(schema, str) else schema
    whole = {**own, "components": described["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def test_what_is_answered_is_as_described(tool: Tool, described: Mapping[str, Any]) -> None:
    with tool.app.app_context(), writing() as session:
        session.add(Customer(email="a@example.com", address="a@example.com"))
    listed = described["paths"][MANY]["get"]["responses"]["200"]["content"]["application/json"]

    assert complaints(described, "Customer", tool.put(ONE, ADA).json) == []
    assert complaints(described, "Report", tool.put(MANY, [*rows(1), *rows(1), 7]).json) == []
    assert complaints(described, "Problem", tool.put(ONE, {}).json) == []
    assert complaints(described, listed["schema"], tool.get(MANY).json) == []
    assert complaints(described, "Customer", tool.put(ONE, {}).json) != []


# For each field, values that are taken, refused for what they are, or only cleaned.
NOT_TEXTS = (7, 1.5, True, [], ["x"], {})
NOT_LISTS = (None, 7, True, "", "API", {}, [None], [7], [["API"]])
TRIED = {
    "key": ("C-1", None, "", *NOT_TEXTS),
    "email": ("new@example.com", "new@b\u00fccher.example", None, "a" * 255, *NOT_TEXTS),
    "name": ("Ada", "", None, "x" * 500, "x" * 501, *NOT_TEXTS),
    "company": ("Engines", "", None, "x" * 500, "x" * 501, *NOT_TEXTS),
    "components": ([], ["Checkout"], ["Checkout", "Shop / API"], *NOT_LISTS),
    "tags": ([], ["eu"], [""], ["x" * 50], ["x" * 51], ["a;b"], *NOT_LISTS),
    "language": ("en", "pt_BR", "", None, *NOT_TEXTS),
    "time_zone": ("Europe/London", "", None, *NOT_TEXTS),
    "contractual": (True, False, None, 0, 1, "yes", "", []),
    "colour": (None, "", "red"),
    "id": (1,),
}
WHOLE = {"email": "new@example.com"}
BODIES = [
    WHOLE, {}, {"name": "Ada"}, [], [WHOLE], None, 7, "x",
    *({**WHOLE, field: value} for field, values in TRIED.items() for value in values),
]  # fmt: skip


def test_the_service_takes_exactly_what_is_described(
    tool: Tool, described: Mapping[str, Any]
) -> None:
    operation = described["paths"]["/api/v1/customers/{key}"]["put"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    as_described = [not complaints(described, schema, body) for body in BODIES]

    taken = [tool.put(ONE, body).status_code in {200, 201} for body in BODIES]

    assert [b for b, d, t in zip(BODIES, as_described, taken, strict=True) if d != t] == []


def test_the_service_takes_exactly_the_rows_that_are_described(
    tool: Tool, described: Mapping[str, Any]
) -> None:
    content = described["paths"][MANY]["put"]["requestBody"]["content"]
    schema = content["application/json"]["schema"]["items"]
    bodies = [{"key": "C-1", **body} if isinstance(body, dict) else body for body in BODIES]
    bodies += [WHOLE]
    wrong = {n for n, body in enumerate(bodies) if complaints(described, schema, body)}

    report = tool.put(MANY, bodies).json

    assert report is not None
    assert {error["index"] for error in report["errors"]} == wrong


def test_every_type_of_body_that_is_described_is_taken(
    tool: Tool, described: Mapping[str, Any]
) -> None:
    for path, method in ((MANY, "put"), ("/api/v1/customers/{key}", "put")):
        types = described["paths"][path][method]["requestBody"]["content"]
        others = {"application/ndjson", "application/jsonl", "text/plain", "text/csv"} - set(types)
        for kind, expected in (*((k, False) for k in types), *((k, True) for k in others)):
            answer = tool.put(path.replace("{key}", "C-1"), b"", **{"Content-Type": kind})
            assert (kind, answer.status_code == 415) == (kind, expected)


CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.mark.only_on("sqlite")
def test_whatever_is_made_of_the_description_is_answered_as_described(tool: Tool) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", tool.app)
    for operation in (found.ok() for found in schema.get_all_operations()):

        @settings(
            max_examples=3, deadline=None, derandomize=True, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=tool.headers, checks=CHECKS)

        call()


def test_a_language_has_no_end_that_says_nothing(tool: Tool) -> None:
    assert fields(tool.put(ONE, {**ADA, "language": "de@" + "x" * 60})) == ["language"]


def test_every_address_is_described(tool: Tool, described: Mapping[str, Any]) -> None:
    methods: dict[str, set[str]] = {}
    for rule in tool.app.url_map.iter_rules():
        if rule.rule.startswith(MANY):
            path = rule.rule.replace("<path:key>", "{key}")
            methods.setdefault(path, set()).update(rule.methods or ())
    assert {
        path: {method.upper() for method in there if method != "parameters"}
        for path, there in described["paths"].items()
    } == {path: found - {"HEAD", "OPTIONS"} for path, found in methods.items()}
