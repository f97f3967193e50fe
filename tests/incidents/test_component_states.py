"""What an incident sets of components, and what the page shows of them all together."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.incidents.component_states import at_the_end, set_state, settle
from statuspage.models import Component, ComponentChange, Incident, IncidentComponent
from tests.announcing import Scenario, declare
from tests.factories import NOON

DEGRADED, PARTIAL = ComponentStatus.DEGRADED_PERFORMANCE, ComponentStatus.PARTIAL_OUTAGE
MAJOR, OPERATIONAL = ComponentStatus.MAJOR_OUTAGE, ComponentStatus.OPERATIONAL


def test_at_the_end_every_component_is_back_unless_it_is_said_otherwise() -> None:
    incident = Incident(
        affected=[IncidentComponent(component_id=id_, status=MAJOR) for id_ in (1, 2)]
    )
    assert at_the_end(incident, {2: DEGRADED, 3: PARTIAL}) == {1: OPERATIONAL, 2: DEGRADED}


def test_a_component_shows_the_worst_of_all_open_public_incidents(
    scenario: Scenario, session: Session
) -> None:
    declare(scenario, components={scenario.checkout: MAJOR})
    second = declare(scenario, components={scenario.checkout: DEGRADED})
    declare(scenario, visibility="internal", components={scenario.catalog: MAJOR})
    shown = {scenario.checkout: OPERATIONAL, scenario.catalog: PARTIAL}
    settle(session, shown, incident=second, update=None, at=NOON)
    states = [session.get_one(Component, id_).status for id_ in sorted(shown)]
    assert states == [MAJOR, PARTIAL]
    session.rollback()


def test_what_does_not_change_is_not_logged_and_what_came_later_is_left_to_the_caller(
    scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario, components={scenario.checkout: MAJOR})
    session.add(ComponentChange(component_id=scenario.catalog, at=NOON, status=OPERATIONAL))
    session.flush()
    since = incident.started_at
    states = {scenario.checkout: MAJOR, scenario.catalog: PARTIAL}
    assert settle(session, states, incident=incident, update=None, at=since) == [scenario.catalog]
    assert [one for one in session.new if isinstance(one, ComponentChange)] == []
    session.rollback()


def test_a_component_that_is_gone_cannot_be_named(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    with writing() as session:
        session.get_one(Component, scenario.catalog).removed_at = NOON
    for id_ in (scenario.catalog, 4711):
        with pytest.raises(Invalid, match="no longer exists"):
            set_state(session, incident, id_, MAJOR)
