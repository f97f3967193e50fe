from __future__ import annotations

from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from statuspage.core.db import current_session
from statuspage.models import Hold


def reasons(app: Flask) -> list[str]:
    with app.app_context():
        return list(current_session().scalars(select(Hold.reason)))


def test_the_outbox_is_held_for_a_reason_and_released(app: Flask, runner: FlaskCliRunner) -> None:
    assert runner.invoke(args=["outbox", "hold", "a move"]).exit_code == 0
    assert reasons(app) == ["a move"]
    assert runner.invoke(args=["outbox", "release"]).output == "Released.\n"
    assert reasons(app) == []


def test_an_empty_audit_trail_is_whole(runner: FlaskCliRunner) -> None:
    assert runner.invoke(args=["verify-audit"]).output.startswith("0 entries, whole.\n")
