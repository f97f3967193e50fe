"""The page, components, groups and templates over v1."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from statuspage.core.db import current_session
from statuspage.models import Component
from tests.api.statuspage_tool import PAGE, StatuspageTool, refusal
from tests.browsing import actions


def made(tool: StatuspageTool, path: str, value: Any) -> Any:
    answer = tool.send("POST", path, value)
    assert answer.status_code == 201, answer.text
    return answer.json


def changed(tool: StatuspageTool, path: str, value: Any) -> Any:
    answer = tool.send("PATCH", path, value)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_component_is_made_read_changed_and_removed_as_terraform_does(
    app: Flask, tool: StatuspageTool
) -> None:
    """yannh/terraform-provider-statuspage: no content type, and each attribute each time."""
    sent = {"name": "Search", "description": "Finds things", "status": "operational",
            "showcase": True, "only_show_if_degraded": False}  # fmt: skip
    created = made(tool, "/components", {"component": sent})
    assert {name: created[name] for name in sent} == sent
    assert (created["page_id"], created["group"], created["group_id"]) == (
        "page00000000", False, None,
    )  # fmt: skip
    address = f"/components/{created['id']}"
    sent |= {"description": "", "status": "degraded_performance"}
    again = tool.send("PATCH", address, {"component": sent}, **{"Content-Type": ""}).json
    assert again is not None
    assert (again["description"], again["status"]) == (None, "degraded_performance")
    assert tool.get(address) == again
    assert tool.send("DELETE", address).status_code == 204
    assert tool.send("GET", address).status_code == 404
    assert actions(app)[-4:] == [
        "component.add", "component.change", "component.set_status", "component.remove",
    ]  # fmt: skip


def test_a_state_alone_is_set(app: Flask, tool: StatuspageTool) -> None:
    found = changed(
        tool, f"/components/{tool.checkout}.json", {"component": {"status": "major_outage"}}
    )
    assert (found["name"], found["status"]) == ("Checkout", "major_outage")
    assert actions(app)[-1] == "component.set_status"


def test_components_are_grouped(tool: StatuspageTool) -> None:
    sent = {"description": "", "component_group": {"name": "Shop", "components": [tool.catalog]}}
    group = made(tool, "/component-groups", sent)
    address = f"/component-groups/{group['id']}"
    assert (group["components"], tool.get("/component-groups")) == ([tool.catalog], [group])
    assert tool.get(f"/components/{tool.catalog}")["group_id"] == group["id"]
    assert [one["id"] for one in tool.get("/components") if one["group"]] == [group["id"]]
    both = {"component_group": {"name": "The shop", "components": [tool.checkout, tool.catalog]}}
    assert sorted(changed(tool, address, both)["components"]) == sorted(
        [tool.checkout, tool.catalog]
    )
    one = changed(tool, address, {"component_group": {"components": [tool.checkout]}})
    assert (one["name"], one["components"]) == ("The shop", [tool.checkout])
    assert tool.send("DELETE", address).status_code == 200
    assert tool.send("GET", address).status_code == 404
    assert tool.get(f"/components/{tool.checkout}")["group_id"] is None


@pytest.mark.parametrize(
    ("path", "sent", "field"),
    [
        ("/components", {"component": {}}, "name"),
        ("/components", {"component": {"name": "Checkout"}}, "name"),
        ("/components", {"component": {"name": "x" * 201}}, "name"),
        ("/components", {"component": {"name": "db-17.prod.internal"}}, "name"),
        ("/components", {"component": {"name": "Search", "status": "blue"}}, "status"),
        ("/component-groups", {"component_group": {"name": "Shop"}}, "components"),
        ("/component-groups", {"component_group": {"name": "Shop", "components": ["x"]}},
         "components"),
        ("/component-groups", {"component_group": {"components": []}}, "name"),
        ("/incident_templates", {"template": {"name": "a", "title": "b"}}, "body"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(
    app: Flask, tool: StatuspageTool, path: str, sent: object, field: str
) -> None:
    before = actions(app)
    assert refusal(tool.send("POST", path, sent))[0] == field
    assert actions(app) == before


def test_a_component_in_a_group_that_is_not_there_is_refused(
    app: Flask, tool: StatuspageTool
) -> None:
    sent = {"component": {"name": "Search", "group_id": "nope"}}
    assert tool.send("POST", "/components", sent).status_code == 404
    with app.app_context():
        assert len(current_session().query(Component).all()) == 2


def test_the_page_is_read_and_changed(tool: StatuspageTool) -> None:
    headers = {"Authorization": tool.authorization}
    assert tool.client.get("/v1/pages.json", headers=headers).json == [tool.get("")]
    sent = {"page": {"name": "Acme Status", "time_zone": "Europe/Berlin", "css_greens": "0f0"}}
    answer = tool.client.patch(PAGE, json=sent, headers=headers)
    assert answer.json is not None
    assert (answer.json["name"], answer.json["time_zone"]) == ("Acme Status", "Europe/Berlin")
    wrong = {"page": {"time_zone": "Mars/Olympus"}}
    assert refusal(tool.client.patch(PAGE, json=wrong, headers=headers))[0] == "time_zone"


def test_templates_are_listed_and_added(tool: StatuspageTool) -> None:
    sent = {"name": "Search", "title": "Search is slow", "body": "Searching takes long.",
            "component_ids": [tool.catalog], "update_status": "investigating"}  # fmt: skip
    template = made(tool, "/incident_templates", {"template": sent})
    assert (template["name"], template["title"], template["body"]) == (
        "Search", "Search is slow", "Searching takes long.",
    )  # fmt: skip
    assert [one["id"] for one in template["components"]] == [tool.catalog]
    assert template in tool.get("/incident_templates")


@pytest.mark.parametrize(
    "path",
    ["metrics_providers", "page_access_users/x/components", "page_access_groups",
     "status_embed_config"],
)  # fmt: skip
def test_what_is_left_out_says_why(tool: StatuspageTool, path: str) -> None:
    reason = refusal(tool.send("GET", f"/{path}"), 404)[1]
    assert reason.endswith(".")
    assert refusal(tool.send("POST", f"/{path}", {}), 404)[1] == reason
