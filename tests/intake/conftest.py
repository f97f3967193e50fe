"""A page with a source of alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission
from statuspage.core.db import current_session
from statuspage.intake import suggestions
from statuspage.models import Suggestion
from tests.alerting import Payload, incoming, make_source
from tests.announcing import Scenario, set_up_scenario

TOOL = Actor("Alertmanager", permissions=frozenset({Permission.ALERT}))


@dataclass(frozen=True)
class Monitoring:
    """A tool that watches a page with two components."""

    source: int
    scenario: Scenario

    def send(self, payload: Payload) -> int:
        """Have alerts taken; how many were left out."""
        return suggestions.take_alerts(self.source, incoming(payload), actor=TOOL)

    def found(self) -> list[Suggestion]:
        current_session().expire_all()
        return list(current_session().scalars(select(Suggestion).order_by(Suggestion.id)))

    def only(self) -> Suggestion:
        (one,) = self.found()
        return one


@pytest.fixture
def monitoring(app: Flask, frozen: Traveller) -> Iterator[Monitoring]:
    scenario = set_up_scenario(app)
    with app.app_context():
        source, _ = make_source(severity_rules="severity = critical -> SEV1\n-> SEV3")
        yield Monitoring(source, scenario)
