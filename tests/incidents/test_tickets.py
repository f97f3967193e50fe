"""Tickets out and in: whole, quiet, once each, and what is wrong with a file is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core.enums import Visibility
from statuspage.incidents.classification import classify
from statuspage.incidents.inputs import Drill
from statuspage.incidents.tickets import SCHEMA, export_tickets, import_tickets
from statuspage.models import Delivery, Incident, revision
from tests.actors import acting
from tests.announcing import ACTOR, Scenario, declare

IMPORTER = acting("Ada")
TICKET = {
    "id": "INC-001",
    "title": "Login endpoint returns 500",
    "severity": "SEV1 - Critical",
    "service": "Checkout",
    "status": "closed",
    "tags": ["Auth", "API"],
    "environment": "production",
    "reproduction": ["Open the login page", "Sign in"],
    "logs": "TypeError: db-01 is None",
    "timestamps": {"started": "2026-01-02T10:00:00Z", "resolved": "2026-01-02T11:30:00+00:00"},
    "reported_by": "Frontend Team",
}


def write(folder: Path, name: str, **changes: Any) -> None:
    ticket = {key: value for key, value in {**TICKET, **changes}.items() if value is not None}
    (folder / name).write_text(json.dumps(ticket))


def count(session: Session) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).select_from(Incident)) or 0


def test_a_ticket_becomes_an_internal_incident_and_nobody_is_notified(
    scenario: Scenario, session: Session, tmp_path: Path
) -> None:
    write(tmp_path, "INC-001.json")
    before = revision.current_number(session)
    assert import_tickets(tmp_path, actor=IMPORTER).added == 1
    made = session.scalars(select(Incident)).one()
    assert (made.visibility, made.status, made.tags) == (
        Visibility.INTERNAL, "resolved", ["api", "auth"],
    )  # fmt: skip
    assert [row.component_id for row in made.affected] == [scenario.checkout]
    assert made.ticket["reproduction"] == "Open the login page\nSign in"
    assert session.scalars(select(Delivery.id)).all() == []
    assert revision.current_number(session) == before


def test_importing_again_doubles_nothing_and_brings_what_changed(
    scenario: Scenario, session: Session, tmp_path: Path
) -> None:
    write(tmp_path, "a.json")
    import_tickets(tmp_path, actor=IMPORTER)
    assert import_tickets(tmp_path, actor=IMPORTER).unchanged == 1
    write(tmp_path, "a.json", root_cause="A missing migration", tags=["api"])
    assert import_tickets(tmp_path, actor=IMPORTER).updated == 1
    assert count(session) == 1
    made = session.scalars(select(Incident)).one()
    assert (made.ticket["root_cause"], made.tags) == ("A missing migration", ["api"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": None}, "bad.json: title: is missing"),
        ({"status": "gone"}, "bad.json: status: 'gone' is not one of"),
        ({"severity": "P9"}, "bad.json: severity: is none of SEV1, SEV2, SEV3"),
        ({"timestamps": {"started": "noon"}}, "bad.json: timestamps.started: 'noon'"),
        ({"tags": [1]}, "bad.json: tags.0: 1 is not of type"),
        ({"logs": "x" * 20_000}, "bad.json: logs: "),
        ({"id": "../x"}, "bad.json: id: "),
    ],
)
def test_a_broken_file_is_named_with_its_field_and_the_rest_goes_in(
    scenario: Scenario, session: Session, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    write(tmp_path, "bad.json", **changes)
    write(tmp_path, "good.json", id="INC-002")
    report = import_tickets(tmp_path, actor=IMPORTER)
    assert (report.added, len(report.problems)) == (1, 1)
    assert report.problems[0].startswith(said)


def test_what_is_no_json_is_named(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff{")
    (tmp_path / "b.json").write_text("[]")
    found = import_tickets(tmp_path, actor=IMPORTER).problems
    assert [one.split(":")[0] for one in found] == ["a.json", "b.json"]


def test_what_was_exported_is_valid_and_left_alone_when_it_comes_back(
    scenario: Scenario, session: Session, tmp_path: Path
) -> None:
    code = declare(scenario).code
    classify(code, ["api"], "", actor=ACTOR)
    declare(scenario, drill=Drill())
    write(tmp_path, "INC-001.json")
    import_tickets(tmp_path, actor=IMPORTER)
    out = tmp_path / "out"
    assert export_tickets(session, out) == 2
    ticket = json.loads((out / f"{code}.json").read_text())
    assert (ticket["tags"], ticket["service"], ticket["severity"]) == (["api"], "Checkout", "SEV1")
    assert json.loads((out / "INC-001.json").read_text())["logs"] == TICKET["logs"]
    report = import_tickets(out, actor=IMPORTER)
    assert (report.unchanged, report.problems) == (2, [])
    assert count(session) == 3


def test_the_schema_is_served_to_everybody(app: Flask) -> None:
    answer = app.test_client().get("/schemas/ticket.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/schema+json")
    assert json.loads(answer.text) == SCHEMA
