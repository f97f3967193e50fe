"""What tools keep with an incident, and what changes without an update."""

from __future__ import annotations

import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.core.enums import Impact
from statuspage.core.errors import Invalid
from statuspage.incidents.tool_data import change_quietly
from statuspage.models import AuditEntry
from tests.announcing import ACTOR, declare, post, set_up_scenario


def test_title_and_impact_change_without_an_update_and_stay(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app)
    with app.app_context():
        code = declare(scenario).code
        changed = change_quietly(
            code, actor=ACTOR, title="Payments are slow", impact=Impact.MINOR, tool_data={"a": 1}
        )
        assert (changed.title, changed.impact, changed.tool_data) == (
            "Payments are slow", Impact.MINOR, {"a": 1},
        )  # fmt: skip
        post(code, "identified", severity_rank=2)
        again = change_quietly(code, actor=ACTOR, tool_data={"b": 2})
        assert (again.severity_rank, again.impact, again.tool_data) == (
            2, Impact.MINOR, {"a": 1, "b": 2},
        )  # fmt: skip
        assert len(again.updates) == 2


def test_nothing_new_changes_nothing(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app)
    with app.app_context():
        code, version = (made := declare(scenario)).code, made.version
        assert change_quietly(code, actor=ACTOR, title=made.title).version == version
        assert current_session().query(AuditEntry).filter_by(action="incident.change").all() == []
        with pytest.raises(Invalid, match="title"):
            change_quietly(code, actor=ACTOR, title="db-17.prod.internal is down")
