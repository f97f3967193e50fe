"""The commands by which scripts on the machine declare, update, resolve and list incidents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Channel
from statuspage.models import Delivery, Incident, SeverityLevel
from tests.announcing import set_up_scenario
from tests.browsing import actions

TEXT = "Payments are declined at checkout."


@pytest.fixture(autouse=True)
def company(app: Flask, frozen: Traveller) -> None:
    set_up_scenario(app)


def run(runner: FlaskCliRunner, *words: str, answer: str = "") -> Result:
    return runner.invoke(args=["incident", *words], input=answer)


def made(runner: FlaskCliRunner, *words: str) -> Any:
    result = run(runner, *words, "--json", "--yes")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def declare(runner: FlaskCliRunner, *more: str) -> Any:
    return made(runner, "declare", "Payments fail", "--severity", "sev1", "--text", TEXT, *more)


def emailed(app: Flask) -> int:
    with app.app_context():
        chosen = select(Delivery).where(Delivery.channel == Channel.EMAIL)
        return len(current_session().scalars(chosen).all())


def test_an_incident_is_declared_updated_resolved_and_listed(
    app: Flask, runner: FlaskCliRunner
) -> None:
    found = declare(runner, "--component", "Checkout=major_outage")
    assert found == {
        "id": found["id"], "title": "Payments fail", "status": "investigating", "severity": "SEV1",
        "tags": [], "cause_category": "",
        "visibility": "public", "url": f"https://status.example.com/incidents/{found['id']}",
    }  # fmt: skip
    assert run(runner, "list").stdout == f"{found['id']}  SEV1      investigating  Payments fail\n"
    made(runner, "update", found["id"], "--status", "monitoring", "--text", "A fix is in place.")
    over = made(runner, "resolve", found["id"], "--text", "Payments work again.")
    assert (over["status"], run(runner, "list").stdout, emailed(app)) == ("resolved", "", 4)
    assert json.loads(run(runner, "list", "--all", "--json").stdout) == [over]
    again = made(runner, "update", found["id"], "--text", "Payments fail again.")
    assert again["status"] == "investigating"
    assert actions(app)[-1] == "incident.reopen"


def test_it_asks_before_customers_are_emailed(app: Flask, runner: FlaskCliRunner) -> None:
    code = declare(runner)["id"]
    refused = run(runner, "resolve", code, answer="n\n")
    assert refused.exit_code == 1
    assert "Publish, and email 5 customers and 0 subscribers?" in refused.stderr
    assert emailed(app) == 0
    assert run(runner, "resolve", code, answer="y\n").exit_code == 0
    assert emailed(app) == 5


def test_it_is_published_quietly(app: Flask, runner: FlaskCliRunner) -> None:
    code = declare(runner)["id"]
    result = run(runner, "resolve", code, "--quiet", "--because", "customer_mail=Told by phone")
    assert (result.exit_code, emailed(app)) == (0, 0)


def test_a_draft_is_internal_until_a_person_publishes_it(runner: FlaskCliRunner) -> None:
    found = declare(runner, "--draft")
    assert (found["visibility"], found["url"]) == (
        "internal", f"https://status.example.com/admin/incidents/{found['id']}",
    )  # fmt: skip


def test_the_gate_asks_for_reasons(app: Flask, runner: FlaskCliRunner) -> None:
    code = declare(runner)["id"]
    with app.app_context(), writing() as session:
        session.execute(update(SeverityLevel).values(watch_minutes=30))
    refused = run(runner, "resolve", code, "--yes")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("statuspage: because_watched: ")
    made(runner, "resolve", code, "--because", "watched=A third party confirmed it")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("declare", "Payments fail", "--severity", "SEV9"), "severity"),
        (("declare", " ", "--severity", "SEV1"), "title"),
        (("declare", "x", "--severity", "SEV1", "--component", "Nothing=operational"), "component"),
        (("declare", "x", "--severity", "SEV1", "--component", "Checkout"), "component"),
        (("declare", "x", "--severity", "SEV1", "--component", "Checkout=blue"), "component"),
        (("declare", "x", "--severity", "SEV1", "--text", "db-17.prod.internal is down."),
         "text_public"),
        (("update", "nope", "--text", "x"), "code"),
        (("resolve", "nope", "--because", "else=x"), "because"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named_in_one_line(
    app: Flask, runner: FlaskCliRunner, words: tuple[str, ...], field: str
) -> None:
    result = run(runner, *words, "--yes")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"statuspage: {field}: ")
    assert result.stderr.count("\n") == 1
    with app.app_context():
        assert current_session().scalars(select(Incident)).all() == []
