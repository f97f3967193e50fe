"""What assistants may do: read by their key, prepare, and never publish or send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import api_keys
from statuspage.access.api_keys import KeyHolder
from statuspage.api.agent_tools import TOOLS, NotAllowed, run, tools_of
from statuspage.core.db import writing
from statuspage.core.enums import KeyScope
from statuspage.core.errors import Invalid
from statuspage.incidents import saved_drafts
from statuspage.intake import suggestions
from statuspage.models import Delivery, Incident, IncidentNote, IncidentUpdate, Message, revision
from tests.alerting import alert, incoming, make_source, notice
from tests.announcing import ACTOR, Scenario, declare
from tests.factories import make_maintenance
from tests.intake.conftest import TOOL


@pytest.fixture
def session(app: Flask, frozen: Traveller, scenario: Scenario, session: Session) -> Session:
    return session


def holder(*scopes: KeyScope) -> KeyHolder:
    _, token = api_keys.make_key("Helper", actor=ACTOR, scopes=scopes, lifetime=timedelta(days=1))
    found = api_keys.use_key(token, address="192.0.2.1")
    assert found is not None
    return found


def written(session: Session) -> tuple[int, ...]:
    """What exists that anybody outside, or in chat, could read."""
    tables: tuple[type[Any], ...] = (Incident, IncidentUpdate, Message, Delivery)
    counted = (session.scalar(select(func.count()).select_from(table)) for table in tables)
    return (*(count or 0 for count in counted), revision.current_number(session))


def test_a_key_has_the_tools_of_its_scopes(session: Session) -> None:
    assert {tool.name for tool in tools_of(holder(KeyScope.CUSTOMERS))} == set()
    reads = {tool.name for tool in TOOLS.values() if tool.only_reads}
    assert {tool.name for tool in tools_of(holder(KeyScope.READ))} == reads
    assert TOOLS.keys() - reads == {"add_note", "prepare_update"}
    with pytest.raises(NotAllowed):
        run(holder(KeyScope.READ), "add_note", {})


def test_what_a_key_may_read_it_reads(scenario: Scenario, session: Session) -> None:
    code = declare(scenario, internal_facts={"progress": "The queue is full."}).code
    source, _ = make_source()
    suggestions.take_alerts(source, incoming(notice(alert())), actor=TOOL)
    reader = holder(KeyScope.READ)
    listed: Any = run(reader, "list_incidents", {"open": True})
    assert [(one["id"], one["title"]) for one in listed["incidents"]] == [(code, "Payments fail")]
    whole: Any = run(reader, "get_incident", {"incident": code})
    assert whole["internal_facts"]["progress"] == "The queue is full."
    parts: Any = run(reader, "list_components", {})
    assert [one["name"] for one in parts["components"]] == ["Checkout", "Catalog"]
    suggested: Any = run(reader, "list_suggestions", {})
    assert [one["title"] for one in suggested["suggestions"]] == ["Many requests fail"]
    found: Any = run(reader, "check_text", {"text": "We restart\ndb-7.internal now."})
    assert [one["blocks"] for one in found["findings"]] == [True]


def test_a_prepared_update_waits_for_a_person(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    code = incident.code
    before = written(session)
    helper = holder(KeyScope.PUBLISH, KeyScope.DRAFT, KeyScope.READ)
    for status in ("identified", "monitoring"):
        made: Any = run(
            helper, "prepare_update",
            {"incident": code, "status": status, "action": "We’re restoring it."},
        )  # fmt: skip
    assert made["admin_url"].endswith(f"/admin/incidents/{code}#post")
    incident = session.scalars(select(Incident).filter_by(code=code)).one()
    ((draft, name),) = saved_drafts.drafts_on(session, incident)
    assert (name, draft.form) == (
        "Helper", [["status", "monitoring"], ["action", "We’re restoring it."]],
    )  # fmt: skip
    assert written(session) == before


def test_no_update_is_prepared_of_a_maintenance(session: Session) -> None:
    with writing() as writes:
        code = make_maintenance(writes).code
    with pytest.raises(Invalid, match="This is a maintenance"):
        run(holder(KeyScope.DRAFT), "prepare_update", {"incident": code, "action": "We move it."})


def test_a_note_is_kept_and_nobody_is_notified(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    before = written(session)
    run(holder(KeyScope.ADMIN), "add_note", {"incident": code, "body": "Traffic is back."})
    kept = session.scalars(select(IncidentNote)).one()
    assert (kept.author, kept.body, kept.in_chat) == ("API key “Helper”", "Traffic is back.", False)
    assert written(session) == before


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "incident"),
        ({"incident": 5}, "incident"),
        ({"incident": "x" * 20_000}, "incident"),
        ({"incident": "nothing"}, "incident"),
        ({"incident": "nothing\0"}, "incident"),
        ({"incident": "nothing", "status": "resolved"}, "status"),
        ({"incident": "nothing", "publish": "yes"}, "publish"),
    ],
)
def test_wrong_arguments_are_answered_by_name(
    session: Session, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        run(holder(KeyScope.DRAFT), "prepare_update", arguments)
    assert refused.value.field == field
