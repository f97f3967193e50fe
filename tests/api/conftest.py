"""A page with a tool that was written for Statuspage's v1."""

from __future__ import annotations

import pytest
from flask import Flask

from statuspage.core.enums import KeyScope
from tests.announcing import Scenario, set_up_scenario
from tests.api.statuspage_tool import StatuspageTool


@pytest.fixture
def scenario(app: Flask) -> Scenario:
    return set_up_scenario(app)


@pytest.fixture
def tool(app: Flask, scenario: Scenario) -> StatuspageTool:
    """A tool that may do everything."""
    return StatuspageTool(app, scenario, KeyScope.ADMIN)
