"""Incidents over v1, with what three public tools of different authors send.

What they send was read in their sources: ``nathandeamer/prometheus-alerts-to-statuspage`` (Java),
``conan-io/conan-extensions`` (Python) and ``sbecker59/terraform-provider-statuspage`` (Go).
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, KeyScope, Visibility
from statuspage.incidents import maintenance
from statuspage.models import AuditEntry, Delivery, Incident, Message, SeverityLevel
from tests.announcing import Scenario, declare
from tests.api.statuspage_tool import StatuspageTool, refusal
from tests.factories import NOON, make_incident

BODY = "Payments are declined at checkout. We are looking into it."


@pytest.fixture(autouse=True)
def noon(frozen: Traveller) -> Traveller:
    return frozen


def count(app: Flask, what: type) -> int:
    with app.app_context():
        return len(current_session().scalars(select(what)).all())


# --- what three tools send -----------------------------------------------------------------------


def test_a_bridge_from_alerts_opens_updates_and_resolves(tool: StatuspageTool) -> None:
    """prometheus-alerts-to-statuspage: the key as it is configured, an id for each component."""
    sent = {
        "impact_override": "major",
        "status": "identified",
        "body": BODY,
        "components": {tool.checkout: "partial_outage"},
        "component_ids": [tool.checkout],
    }
    opened = tool.create(name="Payments fail", **sent)
    (found,) = tool.get("/incidents/unresolved")
    assert found == opened
    assert (opened["page_id"], opened["impact"], opened["impact_override"], opened["status"]) == (
        "page00000000", "major", "major", "identified",
    )  # fmt: skip
    assert [(one["id"], one["status"]) for one in opened["components"]] == [
        (tool.checkout, "partial_outage")
    ]
    assert opened["incident_updates"][0]["body"] == BODY
    tool.update(opened["id"], **{**sent, "status": "monitoring", "body": "A fix is in place."})
    over = tool.update(
        opened["id"], impact_override="major", status="resolved", body="Payments work again.",
        components={tool.checkout: "operational"}, component_ids=[tool.checkout],
    )  # fmt: skip
    assert [(one["status"], one["body"]) for one in over["incident_updates"]] == [
        ("resolved", "Payments work again."),
        ("monitoring", "A fix is in place."),
        ("identified", BODY),
    ]
    assert (over["status"], over["components"][0]["status"]) == ("resolved", "operational")
    assert tool.get("/incidents/unresolved") == []


def test_commands_of_a_package_manager_open_and_resolve(tool: StatuspageTool) -> None:
    """conan-extensions: ``resolve_incident`` sends no text, and an impact of none."""
    opened = tool.create(
        name="Downloads fail", status="investigating", impact_override="critical", body=BODY,
        components={tool.catalog: "major_outage"}, component_ids=[tool.catalog],
        deliver_notifications=True,
    )  # fmt: skip
    renamed = tool.update(opened["id"], name="Downloads fail in Europe")
    assert (renamed["name"], len(renamed["incident_updates"])) == ("Downloads fail in Europe", 1)
    over = tool.update(
        opened["id"], status="resolved", impact_override="none",
        components={tool.catalog: "operational"}, component_ids=[tool.catalog],
    )  # fmt: skip
    assert (over["status"], over["impact"], over["resolved_at"]) == (
        "resolved", "none", "2026-03-04T12:00:00.000Z",
    )  # fmt: skip
    assert over["incident_updates"][0]["body"]


def test_a_package_manager_schedules_work_that_a_person_ends(
    app: Flask, tool: StatuspageTool, frozen: Traveller
) -> None:
    """conan-extensions: ``schedule_maintenance`` begins in a minute, and does not end by itself."""
    begins = NOON + timedelta(minutes=1)
    made = tool.create(
        name="Database upgrade", impact_override="maintenance", status="scheduled",
        scheduled_for=f"{begins:%Y-%m-%dT%H:%M:%S.%f}Z",
        scheduled_until=f"{begins + timedelta(hours=8):%Y-%m-%dT%H:%M:%S.%f}Z",
        scheduled_remind_prior=True, auto_transition_to_maintenance_state=True,
        auto_transition_to_operational_state=True, scheduled_auto_in_progress=True,
        scheduled_auto_completed=False, auto_transition_deliver_notifications_at_start=False,
        auto_transition_deliver_notifications_at_end=True, deliver_notifications=True,
        body="We upgrade the database. The catalog is read-only meanwhile.",
        components={tool.catalog: "under_maintenance"}, component_ids=[tool.catalog],
    )  # fmt: skip
    assert (made["status"], made["impact"]) == ("scheduled", "maintenance")
    assert (made["scheduled_auto_in_progress"], made["scheduled_auto_completed"]) == (True, False)
    assert [one["id"] for one in tool.get("/incidents/upcoming")] == [made["id"]]
    frozen.shift(timedelta(minutes=2))
    with app.app_context():
        assert maintenance.advance_due() == 1
    assert [one["id"] for one in tool.get("/incidents/active_maintenance")] == [made["id"]]
    frozen.shift(timedelta(hours=9))
    with app.app_context():
        assert maintenance.advance_due() == 0
    over = tool.update(
        made["id"], status="completed", impact_override="none",
        components={tool.catalog: "operational"}, component_ids=[tool.catalog],
        body="The upgrade is done.",
    )  # fmt: skip
    assert (over["status"], tool.get("/incidents/scheduled")) == ("completed", [])


def test_terraform_makes_changes_and_destroys(tool: StatuspageTool) -> None:
    """sbecker59: ``oauth`` in small letters, every field each time, no impact."""
    tool.authorization = f"oauth {tool.token}"
    sent = {
        "name": "Degraded search", "status": "investigating", "impact_override": "none",
        "body": BODY, "scheduled_remind_prior": False, "scheduled_auto_in_progress": False,
        "scheduled_auto_completed": False, "component_ids": [tool.catalog],
        "components": {tool.catalog: "degraded_performance"},
    }  # fmt: skip
    made = tool.create(**sent)
    read = tool.get(f"/incidents/{made['id']}")
    assert {name: read[name] for name in ("name", "status", "impact_override")} == {
        "name": "Degraded search", "status": "investigating", "impact_override": "none",
    }  # fmt: skip
    tool.update(made["id"], **{**sent, "status": "resolved", "body": "Search works again."})
    gone = tool.send("DELETE", f"/incidents/{made['id']}")
    assert (gone.status_code, gone.json and gone.json["id"]) == (200, made["id"])
    assert tool.send("GET", f"/incidents/{made['id']}").status_code == 404


def test_curl_sends_forms_with_brackets(tool: StatuspageTool) -> None:
    """As the documentation of v1 and many scripts have it, with the older word for the text."""
    made = tool.send_form("POST", "/incidents.json", [
        ("incident[name]", "Payments fail"), ("incident[status]", "investigating"),
        ("incident[message]", BODY), ("incident[component_ids][]", tool.checkout),
        ("incident[component_ids][]", tool.catalog),
        (f"incident[components][{tool.checkout}]", "major_outage"),
    ])  # fmt: skip
    assert made.status_code == 201
    assert made.json is not None
    assert made.json["incident_updates"][0]["body"] == BODY
    states = {one["id"]: one["status"] for one in made.json["components"]}
    assert states == {tool.checkout: "major_outage", tool.catalog: "operational"}
    over = tool.send_form(
        "PATCH", f"/incidents/{made.json['id']}.json",
        [("incident[status]", "resolved"), ("incident[message]", "Payments work again.")],
    )  # fmt: skip
    assert over.status_code == 200


# --- the same checks and the same gate -----------------------------------------------------------


def test_a_text_that_would_leak_is_refused_by_rule_and_nothing_is_kept(
    app: Flask, tool: StatuspageTool
) -> None:
    answer = tool.send(
        "POST", "/incidents",
        {"incident": {"name": "Payments fail", "body": "db-17.prod.internal is down."}},
    )  # fmt: skip
    assert refusal(answer)[0] == "body"
    assert answer.json is not None
    assert [one["excerpt"] for one in answer.json["findings"]] == ["db-17.prod.internal"]
    assert answer.json["findings"][0]["rule"]
    assert (count(app, Incident), count(app, Message), count(app, Delivery)) == (0, 0, 0)
    titled = {"incident": {"name": "db-17.prod.internal is down", "body": BODY}}
    assert refusal(tool.send("POST", "/incidents", titled))[0] == "name"
    backfilled = {"incident": {"name": "Payments failed", "backfilled": True,
                               "body": "db-17.prod.internal was down."}}  # fmt: skip
    assert refusal(tool.send("POST", "/incidents", backfilled))[0] == "body"
    assert count(app, Incident) == 0


def test_a_new_title_that_would_leak_is_refused_with_the_whole_update(
    tool: StatuspageTool,
) -> None:
    made = tool.create(name="Payments fail", body=BODY)
    for more in ({}, {"body": "Still failing.", "status": "identified"}):
        sent = {"incident": {"name": "db-17.prod.internal is down", **more}}
        assert refusal(tool.send("PATCH", f"/incidents/{made['id']}", sent))[0] == "name"
    assert tool.get(f"/incidents/{made['id']}") == made


def test_the_worst_severity_mails_customers_when_it_is_resolved(
    app: Flask, tool: StatuspageTool
) -> None:
    made = tool.create(
        name="Payments fail", impact_override="critical", body=BODY,
        components={tool.checkout: "major_outage"},
    )  # fmt: skip
    tool.update(made["id"], status="resolved", body="Payments work again.")
    with app.app_context():
        session = current_session()
        told = session.scalars(
            select(Delivery.email)
            .join(Message, Message.id == Delivery.message_id)
            .where(Message.audience == Audience.CUSTOMER)
            .order_by(Delivery.email)
        ).all()
        assert told == ["c1@example.com", "c2@example.com", "c3@example.com", "shopper@example.com"]
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "incident.update")
        ).one()
        assert entry.actor == "API key “CI”"


def test_where_approval_is_asked_a_tool_cannot_resolve(app: Flask, tool: StatuspageTool) -> None:
    made = tool.create(name="Payments fail", impact_override="critical", body=BODY)
    with app.app_context(), writing() as session:
        session.execute(update(SeverityLevel).values(needs_approval=True))
    sent = {"incident": {"status": "resolved", "body": "Payments work again."}}
    field, reason = refusal(tool.send("PATCH", f"/incidents/{made['id']}", sent))
    assert (field, "approv" in reason) == ("status", True)
    assert tool.get(f"/incidents/{made['id']}") == made


def test_only_a_key_that_may_publish_publishes(app: Flask, scenario: Scenario) -> None:
    reading = StatuspageTool(app, scenario, KeyScope.READ, KeyScope.DRAFT)
    answer = reading.send("POST", "/incidents", {"incident": {"name": "Payments fail"}})
    assert refusal(answer, 403) == ("", "This API key lacks the scope “publish”.")
    assert reading.get("/incidents") == []


# --- the rest of an incident ---------------------------------------------------------------------


def test_what_a_tool_keeps_with_an_incident_is_read_back(tool: StatuspageTool) -> None:
    kept = {"jira": {"issue_id": "OPS-1"}}
    made = tool.create(name="Payments fail", body=BODY, metadata=kept)
    assert made["metadata"] == kept
    changed = tool.update(made["id"], metadata={"jira": {"issue_id": "OPS-2"}})
    assert (changed["metadata"], len(changed["incident_updates"])) == (
        {"jira": {"issue_id": "OPS-2"}}, 1,
    )  # fmt: skip
    sent = {"incident": {"metadata": {"jira": 1}}}
    assert refusal(tool.send("PATCH", f"/incidents/{made['id']}", sent))[0] == "metadata"


def test_what_is_over_already_is_recorded_and_nobody_is_notified(
    app: Flask, tool: StatuspageTool
) -> None:
    made = tool.create(
        name="Payments failed", body="Payments failed for an hour.", backfilled=True,
        backfill_date="2026-02-01T10:00:00Z", impact_override="major",
    )  # fmt: skip
    assert (made["backfilled"], made["status"], made["impact"], made["resolved_at"]) == (
        True, "resolved", "major", "2026-02-01T10:00:00.000Z",
    )  # fmt: skip
    told = tool.create(name="Payments failed", body="It is over.", status="resolved")
    assert told["status"] == "resolved"
    assert (count(app, Message), count(app, Delivery)) == (0, 0)


def test_a_resolved_incident_is_opened_again(tool: StatuspageTool) -> None:
    made = tool.create(name="Payments fail", body=BODY)
    tool.update(made["id"], status="resolved", body="Payments work again.")
    again = tool.update(made["id"], status="investigating", body="Payments fail again.")
    assert (again["status"], again["resolved_at"]) == ("investigating", None)


def test_a_post_mortem_is_drafted_and_published(tool: StatuspageTool) -> None:
    made = tool.create(name="Payments fail", body=BODY)
    address = f"/incidents/{made['id']}/postmortem"
    assert refusal(tool.send("GET", address), 404)[1] == "There is no such post-mortem."
    assert refusal(tool.send("PUT", address + "/publish"))[0] == "body_draft"
    sent = {"postmortem": {"body_draft": "A certificate had expired."}}
    draft = tool.send("PUT", address, sent).json
    assert draft is not None
    assert (draft["body"], draft["body_draft"]) == (None, "A certificate had expired.")
    assert tool.send("DELETE", address).status_code == 204
    assert tool.send("DELETE", address).status_code == 404
    tool.send("PUT", address, sent)
    tool.update(made["id"], status="resolved", body="Payments work again.")
    published = tool.send("PUT", address + "/publish", {"postmortem": {}}).json
    assert published is not None
    assert (published["body"], published["body_draft"]) == ("A certificate had expired.", None)
    assert tool.get(f"/incidents/{made['id']}")["postmortem_body"] == "A certificate had expired."
    assert refusal(tool.send("PUT", address + "/revert"))[0] == "postmortem"


def test_an_update_is_corrected(tool: StatuspageTool) -> None:
    made = tool.create(name="Payments fail", body=BODY)
    first = made["incident_updates"][0]
    address = f"/incidents/{made['id']}/incident_updates/{first['id']}"
    sent = {"body": "Some payments fail.", "display_at": first["display_at"]}
    changed = tool.send("PATCH", address, {"incident_update": sent}).json
    assert changed is not None
    assert (changed["id"], changed["body"]) == (first["id"], "Some payments fail.")
    moved = {"incident_update": {"display_at": "2026-03-04T11:00:00Z"}}
    assert refusal(tool.send("PATCH", address, moved))[0] == "display_at"
    other = address.replace(first["id"], "x" * 12)
    assert tool.send("PATCH", other, {"incident_update": sent}).status_code == 404


def test_a_maintenance_is_moved_and_cancelled(tool: StatuspageTool) -> None:
    made = tool.create(
        name="Upgrade", body="We upgrade.", scheduled_for="2026-03-06T02:00:00Z",
        scheduled_until="2026-03-06T04:00:00Z",
    )  # fmt: skip
    moved = tool.update(
        made["id"], scheduled_for="2026-03-07T02:00:00Z", scheduled_until="2026-03-07T04:00:00Z",
        body="We upgrade a day later.",
    )  # fmt: skip
    assert (moved["scheduled_for"], moved["incident_updates"][0]["body"]) == (
        "2026-03-07T02:00:00.000Z", "We upgrade a day later.",
    )  # fmt: skip
    wrong = {"incident": {"status": "resolved"}}
    assert refusal(tool.send("PATCH", f"/incidents/{made['id']}", wrong))[0] == "status"
    gone = tool.send("DELETE", f"/incidents/{made['id']}").json
    assert gone is not None
    assert gone["status"] == "completed"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "name"),
        ({"name": "x", "status": "burning"}, "status"),
        ({"name": "x", "impact_override": "huge"}, "impact_override"),
        ({"name": "x", "components": {"nope": "operational"}}, "components"),
        ({"name": "x", "components": {"nope": "blue"}}, "components"),
        ({"name": "x", "component_ids": "nope"}, "component_ids"),
        ({"name": "x", "scheduled_for": "tomorrow"}, "scheduled_for"),
        ({"name": "x", "scheduled_for": "2026-03-06T02:00:00Z"}, "scheduled_until"),
        ({"name": "x", "status": "verifying", "scheduled_for": "2026-03-06T02:00:00Z",
          "scheduled_until": "2026-03-06T04:00:00Z"}, "status"),
        ({"name": "x", "backfilled": "perhaps"}, "backfilled"),
        ({"name": "x", "backfilled": True, "backfill_date": "2027-03-06T02:00:00Z"},
         "backfill_date"),
        ({"name": 5}, "name"),
        ({"name": "x", "body": "y" * 10_001}, "body"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(tool: StatuspageTool, sent: object, field: str) -> None:
    assert refusal(tool.send("POST", "/incidents", {"incident": sent}))[0] == field
    assert tool.get("/incidents") == []


def test_only_what_the_public_may_see_is_listed_newest_first_by_pages(
    app: Flask, tool: StatuspageTool
) -> None:
    with app.app_context(), writing() as session:
        for hour in range(3):
            make_incident(session, f"Incident {hour}", started_at=NOON - timedelta(hours=9 - hour))
        make_incident(session, "Ours alone", visibility=Visibility.INTERNAL)
    names = [one["name"] for one in tool.get("/incidents")]
    assert names == ["Incident 2", "Incident 1", "Incident 0"]
    assert [one["name"] for one in tool.get("/incidents?per_page=2&page=2")] == ["Incident 0"]
    assert [one["name"] for one in tool.get("/incidents?q=incident+1&limit=5")] == ["Incident 1"]


def test_an_internal_incident_is_not_there(app: Flask, tool: StatuspageTool) -> None:
    with app.app_context():
        code = declare(tool.scenario, visibility=Visibility.INTERNAL).code
    assert tool.send("GET", f"/incidents/{code}").status_code == 404
    sent = {"incident": {"body": BODY}}
    assert tool.send("PATCH", f"/incidents/{code}", sent).status_code == 404


def test_without_notifications_only_colleagues_are_notified(
    app: Flask, tool: StatuspageTool
) -> None:
    made = tool.create(
        name="Payments fail", impact_override="critical", body=BODY, deliver_notifications=False
    )
    over = tool.update(
        made["id"], status="resolved", body="Payments work again.", deliver_notifications=False
    )
    assert [one["deliver_notifications"] for one in over["incident_updates"]] == [False, False]
    with app.app_context():
        told = current_session().scalars(select(Delivery).where(Delivery.channel == Channel.EMAIL))
        assert told.all() == []
