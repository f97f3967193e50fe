"""Notes and drafts over the company's own API: kept for people, published by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole, KeyScope
from statuspage.models import ApiKey, IncidentUpdate, Message, SeverityLevel
from tests.announcing import Scenario
from tests.api.test_own_incidents import Tool, described
from tests.browsing import make_account
from tests.factories import make_maintenance

__all__ = ["described"]

DRAFT = {
    "status": "monitoring",
    "text": "A fix is in place.",
    "public_facts": {"action": "We’re watching it."},
    "internal_facts": {"next_steps": "Drain the queue."},
}


@pytest.fixture
def own(app: Flask, scenario: Scenario, frozen: Traveller) -> Tool:
    return Tool(app, KeyScope.READ, KeyScope.PUBLISH)


def put(own: Tool, code: str, value: Any) -> Any:
    return own.client.put(f"/api/v1/incidents/{code}/draft", json=value, headers=own.headers)


def published(app: Flask) -> tuple[int, int]:
    with app.app_context():
        counted = (select(func.count()).select_from(table) for table in (IncidentUpdate, Message))
        updates, messages = (current_session().scalar(one) or 0 for one in counted)
        return updates, messages


def test_a_note_is_kept_once_and_read_again(app: Flask, own: Tool) -> None:
    code = own.declare()["id"]
    before = published(app)
    note = {"kind": "decision", "body": "We roll back."}
    kept = [own.post(f"/{code}/notes", note, Idempotency_Key="one") for _ in range(2)]
    assert [answer.status_code for answer in kept] == [201, 201]
    found: Any = own.get(f"/{code}/notes").json
    assert [
        (one["kind"], one["body"], one["author"], one["in_chat"]) for one in found["notes"]
    ] == [("decision", "We roll back.", "API key “CI”", False)]
    assert published(app) == before
    refused: Any = own.post(f"/{code}/notes", {"body": ""})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "body")


def test_a_draft_waits_for_a_person(app: Flask, own: Tool) -> None:
    code = own.declare()["id"]
    before = published(app)
    made = put(own, code, DRAFT)
    assert (made.status_code, made.json["admin_url"]) == (
        200, f"https://status.example.com/admin/incidents/{code}#post",
    )  # fmt: skip
    found: Any = own.get(f"/{code}/drafts").json
    assert [(one["author"], one["form"]) for one in found["drafts"]] == [
        ("CI", {
            "status": "monitoring", "action": "We’re watching it.",
            "next_steps": "Drain the queue.", "text_public": "A fix is in place.",
        })
    ]  # fmt: skip
    assert published(app) == before


def test_a_draft_of_a_maintenance_is_refused(app: Flask, own: Tool) -> None:
    with app.app_context(), writing() as session:
        code = make_maintenance(session).code
    refused = put(own, code, {"text": "We move it."})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "status")


def test_what_a_second_account_must_approve_becomes_a_draft(app: Flask, own: Tool) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(SeverityLevel).values(needs_approval=True))
    code = own.declare()["id"]
    before = published(app)
    over = {"status": "resolved", "public_facts": {"resolution": "We restored it."}}
    answer: Any = own.post(f"/{code}/updates", over)
    assert (answer.status_code, answer.json["approval_required"]) == (202, True)
    assert published(app) == before
    found: Any = own.get(f"/{code}/drafts").json
    assert found["drafts"][0]["form"]["status"] == "resolved"


def test_an_update_is_scheduled_in_the_name_of_the_keys_owner(app: Flask, own: Tool) -> None:
    code = own.declare()["id"]
    later = {"publish_at": "2026-03-04T14:00:00Z", "status": "identified"}
    nobody: Any = own.post(f"/{code}/scheduled", later)
    assert (nobody.status_code, nobody.json["errors"][0]["field"]) == (422, "publish_at")
    with app.app_context(), writing() as session:
        owner = make_account(role=AccountRole.COMMS_LEAD)
        session.add(owner)
        session.flush()
        session.execute(update(ApiKey).values(owner_id=owner.id))
    before = published(app)
    made: Any = own.post(f"/{code}/scheduled", later)
    assert made.status_code == 201, made.text
    assert published(app) == before
    assert own.get(f"/{code}/scheduled").json == made.json
    assert (made.json["scheduled"]["author"], made.json["scheduled"]["status"]) == (
        "Kim", "identified",
    )  # fmt: skip
    path = f"/api/v1/incidents/{code}/scheduled"
    cancelled = [own.client.delete(path, headers=own.headers).json for _ in range(2)]
    assert cancelled == [{"cancelled": True}, {"cancelled": False}]
    assert own.get(f"/{code}/scheduled").json == {"scheduled": None}
    assert own.post(f"/{code}/scheduled", {"status": "identified"}).status_code == 422


def test_a_key_that_only_reads_prepares_nothing(app: Flask, own: Tool) -> None:
    code = own.declare()["id"]
    reader = Tool(app, KeyScope.READ)
    assert put(reader, code, DRAFT).status_code == 403
    assert reader.post(f"/{code}/notes", {"body": "x"}).status_code == 403
    assert reader.get(f"/{code}/notes").status_code == 200
    assert Tool(app, KeyScope.DRAFT).get("/nothing/drafts").status_code in {403, 404}
