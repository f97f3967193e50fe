"""How the words of v1 become those of our own verbs."""

from __future__ import annotations

import pytest
from flask import Flask

from statuspage.api.v1_changes import rank_of, read_incident_body
from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus, Impact
from tests.announcing import Scenario, set_up_scenario
from tests.api.statuspage_tool import StatuspageTool


@pytest.mark.parametrize(
    ("scheme", "ranks"),
    [("sev", [3, 3, 3, 2, 1]), ("p0", [4, 3, 3, 2, 1])],
)
def test_an_impact_is_the_mildest_severity_that_is_as_grave(
    app: Flask, scheme: str, ranks: list[int]
) -> None:
    set_up_scenario(app, scheme=scheme)
    with app.app_context():
        assert [rank_of(current_session(), impact) for impact in Impact] == ranks


def test_a_component_that_is_only_named_keeps_its_state(
    app: Flask, scenario: Scenario, tool: StatuspageTool
) -> None:
    with app.app_context():
        sent = {"component_ids": [tool.catalog], "components": {tool.checkout: "partial_outage"}}
        assert read_incident_body(current_session(), sent).states == {
            scenario.checkout: ComponentStatus.PARTIAL_OUTAGE,
            scenario.catalog: ComponentStatus.OPERATIONAL,
        }


def test_what_is_sent_empty_is_not_sent(app: Flask, tool: StatuspageTool) -> None:
    """yannh/statuspage-go-sdk sends each field of an incident, those without a value as ``""``."""
    with app.app_context():
        names = ("name", "status", "impact_override", "scheduled_for", "scheduled_until", "body")
        sent = {**dict.fromkeys(names, ""), "component_ids": None, "components": None}
        assert read_incident_body(current_session(), sent) == read_incident_body(
            current_session(), {}
        )
