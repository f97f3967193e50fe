"""The public JSON described as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

from typing import Any

from statuspage.links import Links
from statuspage.site.badges import badge_path
from statuspage.words import ComponentStatus, Impact, IncidentStatus, MaintenanceStatus, Word

Json = dict[str, Any]

_INDICATORS = [impact.value for impact in Impact if impact is not Impact.MAINTENANCE]


def describe(links: Links) -> Json:
    """The description of ``/api/v2`` and of the badges, served at ``/api/openapi.json``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Public status",
            "version": "2",
            "description": (
                "The present state, incidents and maintenances of the status page, in the form "
                "that clients of Atlassian Statuspage read. Every document may be read by scripts "
                "of any site, carries an ETag, and ignores the query."
            ),
        },
        "servers": [{"url": links.base}],
        "paths": {
            **{
                f"/api/v2/{path}.json": {"get": _operation(path, summary, names)}
                for path, (summary, names) in _DOCUMENTS.items()
            },
            "/api/v2/incidents/{code}.json": {"get": _story_operation()},
            badge_path(): {"get": _badge_operation("badge", "The overall state as a badge")},
            badge_path("{code}"): {"get": _component_badge_operation()},
        },
        "components": {"schemas": _SCHEMAS},
    }


_DOCUMENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "summary": (
        "State, components, open incidents, and maintenances that go on or are to come",
        ("page", "components", "incidents", "scheduled_maintenances", "status"),
    ),
    "status": ("The overall state", ("page", "status")),
    "components": ("All components", ("page", "components")),
    "incidents": ("The 50 most recent incidents", ("page", "incidents")),
    "incidents/unresolved": ("Open incidents", ("page", "incidents")),
    "scheduled-maintenances": (
        "The 50 most recent maintenances",
        ("page", "scheduled_maintenances"),
    ),
    "scheduled-maintenances/upcoming": (
        "Maintenances to come",
        ("page", "scheduled_maintenances"),
    ),
    "scheduled-maintenances/active": (
        "Maintenances that go on",
        ("page", "scheduled_maintenances"),
    ),
}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _words(words: type[Word]) -> Json:
    return {"type": "string", "enum": [word.value for word in words]}


def _nullable(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


def _operation(path: str, summary: str, names: tuple[str, ...]) -> Json:
    parts = {name: _PARTS[name] for name in names}
    return {
        "operationId": path.replace("/", "_").replace("-", "_"),
        "summary": summary,
        "responses": {
            "200": _answer(summary, _object(parts)),
            "304": {"description": "Not changed since the validators that were sent"},
        },
    }


def _story_operation() -> Json:
    story = {"anyOf": [_ref("Incident"), _ref("Maintenance")]}
    return {
        "operationId": "incident",
        "summary": "One incident or maintenance",
        "parameters": [_code_parameter("The incident's id")],
        "responses": {
            "200": _answer("The incident", _object({"page": _ref("Page"), "incident": story})),
            "304": {"description": "Not changed since the validators that were sent"},
            "404": _answer("There is no such incident", _object({"error": {"type": "string"}})),
        },
    }


def _badge_operation(name: str, summary: str) -> Json:
    image = {"image/svg+xml": {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": image},
            "304": {"description": "Not changed since the validators that were sent"},
        },
    }


def _component_badge_operation() -> Json:
    operation = _badge_operation("component_badge", "One component's state as a badge")
    missing = {"description": "There is no such component", "content": {"text/html": {}}}
    return {
        **operation,
        "parameters": [_code_parameter("The component's id")],
        "responses": {**operation["responses"], "404": missing},
    }


def _code_parameter(description: str) -> Json:
    return {
        "name": "code",
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "pattern": "^[a-z0-9]{12}$"},
    }


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_TEXT: Json = {"type": "string"}
_CODE: Json = {"type": "string", "minLength": 1}
_FLAG: Json = {"type": "boolean"}
_NULL: Json = {"type": "null"}
_TIME: Json = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$",
}

_COMPONENT: Json = {
    "id": _CODE,
    "name": _TEXT,
    "status": _words(ComponentStatus),
    "created_at": _TIME,
    "updated_at": _TIME,
    "position": {"type": "integer", "minimum": 0},
    "description": _nullable(_TEXT),
    "showcase": _FLAG,
    "start_date": _nullable({"type": "string", "format": "date"}),
    "group_id": _nullable(_CODE),
    "page_id": _CODE,
    "group": {"const": False},
    "only_show_if_degraded": _FLAG,
}


def _story(statuses: type[Word], impacts: Json, more: Json) -> Json:
    return _object(
        {
            "id": _CODE,
            "name": _TEXT,
            "status": _words(statuses),
            "created_at": _TIME,
            "updated_at": _TIME,
            "monitoring_at": _nullable(_TIME),
            "resolved_at": _nullable(_TIME),
            "impact": impacts,
            "shortlink": {"type": "string", "format": "uri"},
            "started_at": _TIME,
            "page_id": _CODE,
            "incident_updates": _list(_ref("Update")),
            "components": _list(_ref("Component")),
            **more,
        }
    )


_SCHEMAS: Json = {
    "Page": _object(
        {
            "id": _CODE,
            "name": _TEXT,
            "url": {"type": "string", "format": "uri"},
            "time_zone": _TEXT,
            "updated_at": _TIME,
        }
    ),
    "Status": _object({"indicator": {"type": "string", "enum": _INDICATORS}, "description": _TEXT}),
    "Component": _object(_COMPONENT),
    "Group": _object(
        {**_COMPONENT, "group_id": _NULL, "group": {"const": True}, "components": _list(_CODE)}
    ),
    "Update": _object(
        {
            "id": _CODE,
            "status": {"anyOf": [_words(IncidentStatus), _words(MaintenanceStatus)]},
            "body": _TEXT,
            "incident_id": _CODE,
            "created_at": _TIME,
            "updated_at": _TIME,
            "display_at": _TIME,
            "affected_components": _nullable(_list(_ref("Affected"))),
            "deliver_notifications": _FLAG,
            "custom_tweet": _NULL,
            "tweet_id": _NULL,
        }
    ),
    "Affected": _object(
        {
            "code": _CODE,
            "name": _TEXT,
            "old_status": _words(ComponentStatus),
            "new_status": _words(ComponentStatus),
        }
    ),
    "Incident": _story(IncidentStatus, {"type": "string", "enum": _INDICATORS}, {}),
    "Maintenance": _story(
        MaintenanceStatus,
        {"const": Impact.MAINTENANCE.value},
        {"scheduled_for": _TIME, "scheduled_until": _TIME},
    ),
}

_PARTS: Json = {
    "page": _ref("Page"),
    "status": _ref("Status"),
    "components": _list({"anyOf": [_ref("Component"), _ref("Group")]}),
    "incidents": _list(_ref("Incident")),
    "scheduled_maintenances": _list(_ref("Maintenance")),
}
