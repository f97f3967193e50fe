import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from statuspage.core.enums import ComponentStatus, Impact, IncidentStatus, MaintenanceStatus
from statuspage.public import openapi
from statuspage.public.api_v2 import api_documents, incident_document
from statuspage.public.middleware import unavailable
from statuspage.public.snapshot import IncidentView, Snapshot
from tests.public.samples import (
    COMPLETED,
    DEGRADED,
    IDENTIFIED,
    IN_PROGRESS,
    INVESTIGATING,
    LINKS,
    MAINTAINED,
    OPERATIONAL,
    PAGE,
    PARTIAL,
    RESOLVED,
    SCHEDULED,
    ago,
    component,
    group,
    incident,
    maintenance,
    post,
    snapshot,
)

PAGE_KEYS = ["id", "name", "url", "time_zone", "updated_at"]
COMPONENT_KEYS = [
    "id", "name", "status", "created_at", "updated_at", "position", "description", "showcase",
    "start_date", "group_id", "page_id", "group", "only_show_if_degraded",
]  # fmt: skip
INCIDENT_KEYS = [
    "id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact",
    "shortlink", "started_at", "page_id", "incident_updates", "components",
]  # fmt: skip
UPDATE_KEYS = [
    "id", "status", "body", "incident_id", "created_at", "updated_at", "display_at",
    "affected_components", "deliver_notifications", "custom_tweet", "tweet_id",
]  # fmt: skip

SHOP = group("Shop", component("Checkout", DEGRADED), component("Cart", description="The cart"))
CHECKOUT = SHOP.components[0]
LOGIN = component("Login")
OUTAGE = incident(
    "Payments fail",
    post(IDENTIFIED, "We know why.", ago(hours=2), posted_at=ago(hours=1), edited_at=ago()),
    post(
        INVESTIGATING,
        "We are looking.",
        ago(hours=3),
        affected=[(CHECKOUT, OPERATIONAL, DEGRADED), (LOGIN, OPERATIONAL, PARTIAL)],
    ),
    components=[CHECKOUT],
    impact=Impact.MAJOR,
)
OVER = incident("Search is slow", post(RESOLVED, "Fast again.", ago(days=3)))
COMING = maintenance(
    "Upgrade",
    post(SCHEDULED, "We upgrade.", ago(days=1)),
    start=ago(days=-2),
    end=ago(days=-2, hours=-2),
)
GOING_ON = maintenance(
    "Move",
    post(IN_PROGRESS, "We move.", ago(hours=1)),
    start=ago(hours=1),
    end=ago(hours=-1),
    components=[component("Disks", MAINTAINED)],
)
DONE = maintenance(
    "Cleaning",
    post(COMPLETED, "Clean.", ago(days=2)),
    start=ago(days=2),
    end=ago(days=2, hours=-1),
)
SITE = snapshot(tree=(SHOP, LOGIN), incidents=[OUTAGE, OVER, COMING, GOING_ON, DONE])


def read(site: Snapshot) -> dict[str, dict[str, Any]]:
    return {path: json.loads(content) for path, content in api_documents(site, LINKS).items()}


DOCUMENTS = read(SITE)


def names(path: str, key: str) -> list[str]:
    return [incident["name"] for incident in DOCUMENTS[f"/api/v2/{path}.json"][key]]


def test_every_address_of_the_field_is_there() -> None:
    assert {path: list(document) for path, document in DOCUMENTS.items()} == {
        "/api/v2/summary.json": [
            "page", "components", "incidents", "scheduled_maintenances", "status",
        ],
        "/api/v2/status.json": ["page", "status"],
        "/api/v2/components.json": ["page", "components"],
        "/api/v2/incidents.json": ["page", "incidents"],
        "/api/v2/incidents/unresolved.json": ["page", "incidents"],
        "/api/v2/scheduled-maintenances.json": ["page", "scheduled_maintenances"],
        "/api/v2/scheduled-maintenances/upcoming.json": ["page", "scheduled_maintenances"],
        "/api/v2/scheduled-maintenances/active.json": ["page", "scheduled_maintenances"],
    }  # fmt: skip


def test_each_document_holds_its_own_incidents() -> None:
    assert names("summary", "incidents") == ["Payments fail"]
    assert names("summary", "scheduled_maintenances") == ["Move", "Upgrade"]
    assert names("incidents", "incidents") == ["Payments fail", "Search is slow"]
    assert names("incidents/unresolved", "incidents") == ["Payments fail"]
    assert names("scheduled-maintenances", "scheduled_maintenances") == [
        "Upgrade", "Move", "Cleaning",
    ]  # fmt: skip
    assert names("scheduled-maintenances/upcoming", "scheduled_maintenances") == ["Upgrade"]
    assert names("scheduled-maintenances/active", "scheduled_maintenances") == ["Move"]


def test_the_page_is_named_with_its_zone_and_newest_change() -> None:
    page = DOCUMENTS["/api/v2/status.json"]["page"]
    assert list(page) == PAGE_KEYS
    assert page == {
        "id": PAGE.code,
        "name": "Marigold",
        "url": "https://status.example.com",
        "time_zone": "Etc/UTC",
        "updated_at": "2026-03-04T12:00:00.000Z",
    }


def test_the_state_is_told_in_statuspages_words() -> None:
    assert DOCUMENTS["/api/v2/status.json"]["status"] == {
        "indicator": "major",
        "description": "Partial System Outage",
    }


def test_a_group_is_a_row_before_its_components_and_lists_them() -> None:
    rows = DOCUMENTS["/api/v2/components.json"]["components"]
    assert [(row["name"], row["group"], row["group_id"], row["position"]) for row in rows] == [
        ("Shop", True, None, 1),
        ("Checkout", False, SHOP.code, 1),
        ("Cart", False, SHOP.code, 2),
        ("Login", False, None, 1),
    ]
    assert list(rows[0]) == [*COMPONENT_KEYS, "components"]
    assert rows[0]["components"] == [rows[1]["id"], rows[2]["id"]]
    assert rows[0]["status"] == "degraded_performance"
    assert [list(row) for row in rows[1:]] == [COMPONENT_KEYS] * 3
    assert [row["description"] for row in rows[1:]] == [None, "The cart", None]


def test_an_incident_has_statuspages_fields_in_their_order() -> None:
    (incident,) = DOCUMENTS["/api/v2/incidents/unresolved.json"]["incidents"]
    assert list(incident) == INCIDENT_KEYS
    assert {key: incident[key] for key in INCIDENT_KEYS[:-2]} == {
        "id": OUTAGE.code,
        "name": "Payments fail",
        "status": "identified",
        "created_at": "2026-03-04T09:00:00.000Z",
        "updated_at": "2026-03-04T12:00:00.000Z",
        "monitoring_at": None,
        "resolved_at": None,
        "impact": "major",
        "shortlink": LINKS.incident(OUTAGE.code),
        "started_at": "2026-03-04T09:00:00.000Z",
        "page_id": PAGE.code,
    }
    assert [list(row) for row in incident["components"]] == [COMPONENT_KEYS]


def test_updates_stand_newest_first_with_what_they_changed() -> None:
    newest, oldest = DOCUMENTS["/api/v2/incidents/unresolved.json"]["incidents"][0][
        "incident_updates"
    ]
    assert newest == {
        "id": OUTAGE.updates[0].code,
        "status": "identified",
        "body": "We know why.",
        "incident_id": OUTAGE.code,
        "created_at": "2026-03-04T11:00:00.000Z",
        "updated_at": "2026-03-04T12:00:00.000Z",
        "display_at": "2026-03-04T10:00:00.000Z",
        "affected_components": None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }
    assert list(newest) == list(oldest) == UPDATE_KEYS
    assert oldest["affected_components"][0] == {
        "code": CHECKOUT.code,
        "name": "Checkout",
        "old_status": "operational",
        "new_status": "degraded_performance",
    }


def test_a_maintenance_ends_with_its_planned_times() -> None:
    (incident,) = DOCUMENTS["/api/v2/scheduled-maintenances/upcoming.json"][
        "scheduled_maintenances"
    ]
    assert list(incident) == [*INCIDENT_KEYS, "scheduled_for", "scheduled_until"]
    # As Statuspage has it: the plan is told by the two fields at the end.
    assert incident["started_at"] == incident["created_at"]
    assert (incident["impact"], incident["scheduled_for"], incident["scheduled_until"]) == (
        "maintenance",
        "2026-03-06T12:00:00.000Z",
        "2026-03-06T14:00:00.000Z",
    )


def test_times_carry_the_offset_that_the_pages_zone_has_then() -> None:
    page = replace(PAGE, time_zone="America/Denver")
    site = snapshot(tree=(LOGIN,), page=page)
    found = read(site)["/api/v2/components.json"]
    assert found["page"]["time_zone"] == "America/Denver"
    assert found["page"]["updated_at"] == "2026-03-01T05:00:00.000-07:00"
    assert found["components"][0]["created_at"] == "2025-01-28T05:00:00.000-07:00"


def test_one_incident_stands_alone_at_its_own_address() -> None:
    document = json.loads(incident_document(PAGE, OVER, LINKS))
    assert list(document) == ["page", "incident"]
    assert document["incident"] == DOCUMENTS["/api/v2/incidents.json"]["incidents"][1]


def test_text_is_written_as_it_is() -> None:
    odd = incident("</script>\u2028 é \N{PILE OF POO}", post(INVESTIGATING, '\x00"\\', ago()))
    found = json.loads(incident_document(PAGE, odd, LINKS))["incident"]
    assert found["name"] == "</script>\u2028 é \N{PILE OF POO}"
    assert found["incident_updates"][0]["body"] == '\x00"\\'


# The description.


def schema_of(path: str) -> dict[str, object]:
    described = openapi.describe("public", LINKS)
    answer = described["paths"][path]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    return {**schema, "components": described["components"]}


@pytest.mark.parametrize("site", [SITE, snapshot()], ids=["busy", "empty"])
@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_document_is_as_described(path: str, site: Snapshot) -> None:
    validator = Draft202012Validator(schema_of(path), format_checker=FormatChecker())
    assert list(validator.iter_errors(read(site)[path])) == []


@pytest.mark.parametrize(
    "incident", [OUTAGE, OVER, COMING, GOING_ON], ids=lambda incident: incident.title
)
def test_every_incident_is_as_described(incident: IncidentView) -> None:
    validator = Draft202012Validator(schema_of("/api/v2/incidents/{code}.json"))
    document = json.loads(incident_document(PAGE, incident, LINKS))
    assert list(validator.iter_errors(document)) == []


def test_the_description_refuses_a_field_that_statuspage_does_not_have() -> None:
    document = {**DOCUMENTS["/api/v2/status.json"], "secret": 1}
    validator = Draft202012Validator(schema_of("/api/v2/status.json"))
    assert [error.validator for error in validator.iter_errors(document)] == [
        "additionalProperties"
    ]


def test_every_word_that_is_described_is_one_of_ours() -> None:
    schemas = openapi.describe("public", LINKS)["components"]["schemas"]
    found = {
        "component": schemas["Component"]["properties"]["status"]["enum"],
        "incident": schemas["Incident"]["properties"]["status"]["enum"],
        "maintenance": schemas["Maintenance"]["properties"]["status"]["enum"],
        "impact": schemas["Incident"]["properties"]["impact"]["enum"],
        "indicator": schemas["Status"]["properties"]["indicator"]["enum"],
    }
    impacts = [impact for impact in Impact if impact is not Impact.MAINTENANCE]
    assert found == {
        "component": list(ComponentStatus),
        "incident": list(IncidentStatus),
        "maintenance": list(MaintenanceStatus),
        "impact": impacts,
        "indicator": impacts,
    }


def test_what_is_answered_without_database_and_copy_is_as_described() -> None:
    described = openapi.describe("public", LINKS)
    answers = {path: each["get"]["responses"]["503"] for path, each in described["paths"].items()}
    for path, answer in answers.items():
        status, headers, body = unavailable({"PATH_INFO": path, "REQUEST_METHOD": "GET"})
        name = answer["$ref"].rpartition("/")[2]
        [(kind, content)] = described["components"]["responses"][name]["content"].items()
        assert status == "503 Service Unavailable"
        assert dict(headers)["Content-Type"] == f"{kind}; charset=utf-8"
        if kind == "application/json":
            assert Draft202012Validator(content["schema"]).is_valid(json.loads(body))


def test_every_document_is_described() -> None:
    described = set(openapi.describe("public", LINKS)["paths"])
    badges = {"/badge.svg", "/components/{code}/badge.svg"}
    assert described == {*DOCUMENTS, "/api/v2/incidents/{code}.json", *badges}
