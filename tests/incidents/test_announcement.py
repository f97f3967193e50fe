"""An announcement: one step, what follows from it, and that asking changes nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from statuspage.core.enums import Audience, IncidentStatus, Step, Visibility
from statuspage.incidents.announcement import of_declaration, of_step, of_update
from statuspage.incidents.inputs import NewUpdate
from tests.announcing import Scenario, declaration, declare


def test_an_update_is_looked_at_on_a_copy(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    announcement = of_update(incident, NewUpdate(IncidentStatus.MONITORING))
    assert (announcement.incident.status, incident.status) == ("monitoring", "investigating")
    assert not session.dirty


def test_an_internal_incident_has_a_text_for_colleagues_alone(scenario: Scenario) -> None:
    announcement = of_declaration(declaration(scenario, visibility=Visibility.INTERNAL))
    assert announcement.audiences == [(Audience.INTERNAL, Step.DECLARED)]


def test_a_reopening_that_nobody_was_told_of_mails_no_customer(scenario: Scenario) -> None:
    announcement = of_step(declare(scenario), Step.REOPENED)
    assert (announcement.answers, announcement.mails_customers) == (True, False)
