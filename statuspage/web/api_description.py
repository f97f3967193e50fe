"""The company's own API described as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

from typing import Any

from statuspage.links import Links

Json = dict[str, Any]

_PROBLEM = "application/problem+json"


def describe(links: Links) -> Json:
    """The description of everything under ``/api/v1``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Customers",
            "version": "1",
            "description": (
                "The list of customers who are told when something breaks, kept by your own tools. "
                "Make a key in the admin, under API keys. A call may be repeated: putting the same "
                "customer twice changes nothing the second time."
            ),
        },
        "servers": [{"url": links.base}],
        "security": [{"key": []}],
        "paths": {
            "/api/v1/customers": {"get": _LIST, "put": _PUT_MANY},
            "/api/v1/customers/{key}": {
                "parameters": [_KEY],
                "get": _operation("getCustomer", "One customer", {"200": _CUSTOMER}),
                "put": _PUT,
                "delete": _operation(
                    "deleteCustomer",
                    "Forget one; what was sent to them stays on record",
                    {"204": {"description": "Done"}},
                ),
            },
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: Json, kind: str = "application/json") -> Json:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _operation(name: str, summary: str, answers: Json, **more: Any) -> Json:
    trouble = _answer("What is wrong (RFC 9457)", _ref("Problem"), _PROBLEM)
    return {
        "operationId": name,
        "summary": summary,
        "responses": {**answers, "4XX": trouble, "5XX": trouble},
        **more,
    }


def _query(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


_KEY: Json = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "Your own number for the customer: one line",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}
_CUSTOMER: Json = _answer("The customer", _ref("Customer"))
_LIST: Json = _operation(
    "listCustomers",
    "A hundred customers at a time, by address",
    {
        "200": _answer(
            "A page of them; next is the address of the following page",
            {
                "type": "object",
                "properties": {
                    "customers": {"type": "array", "items": _ref("Customer")},
                    "next": {"type": ["string", "null"], "format": "uri"},
                },
                "required": ["customers", "next"],
            },
        )
    },
    parameters=[
        _query("text", "What occurs in address, name, company, key or tags"),
        _query("tag", "A tag that they have"),
        _query("after", "The address that the page begins after; taken from next"),
    ],
)
_PUT: Json = _operation(
    "putCustomer",
    "Keep one customer whole: what is left out is empty afterwards",
    {"200": _CUSTOMER, "201": _answer("The customer, who is new", _ref("Customer"))},
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": _ref("CustomerValues")}},
    },
)
_PUT_MANY: Json = _operation(
    "putCustomers",
    "Keep up to 1,000 customers at once, each with its key; wrong ones are named by index",
    {"200": _answer("What was done; what is wrong was left out", _ref("Report"))},
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "maxItems": 1000, "items": _ref("Customer")}
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
)

_LINE: Json = {"type": "string", "maxLength": 500}
_WORDS: Json = {"type": "array", "items": {"type": "string"}}
_VALUES: Json = {
    "email": {"type": "string", "format": "email"},
    "name": _LINE,
    "company": _LINE,
    "components": {
        **_WORDS,
        "description": "Names, `Group / Name` or codes of what they use; empty for everything",
    },
    "tags": {**_WORDS, "description": "Words to find them by; they decide over no mail"},
    "language": {"type": "string", "examples": ["en", "pt_BR"]},
    "time_zone": {"type": ["string", "null"], "examples": ["Europe/Lisbon"]},
    "contractual": {
        "type": "boolean",
        "description": "Notices are owed by contract: they come even after leaving",
    },
}
_COUNT: Json = {"type": "integer", "minimum": 0}
_REASONS: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "index": _COUNT,
            "field": {"type": "string"},
            "value": {"type": "string"},
            "reason": {"type": "string"},
        },
        "required": ["reason"],
    },
}
_SCHEMAS: Json = {
    "CustomerValues": {"type": "object", "properties": _VALUES, "required": ["email"]},
    "Customer": {
        "type": "object",
        "properties": {"key": {"type": ["string", "null"], "maxLength": 200}, **_VALUES},
        "required": ["key", "email"],
    },
    "Report": {
        "type": "object",
        "properties": {
            **dict.fromkeys(("added", "updated", "unchanged"), _COUNT),
            "errors": _REASONS,
            "notes": _REASONS,
        },
        "required": ["added", "updated", "unchanged", "errors", "notes"],
    },
    "Problem": {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": _REASONS,
        },
        "required": ["type", "title", "status"],
    },
}
