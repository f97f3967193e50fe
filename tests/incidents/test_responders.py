"""Who is proposed and emailed when an incident is declared."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, ComponentStatus, IncidentRole
from statuspage.incidents.inputs import Drill
from statuspage.incidents.responders import of_incident, responders
from statuspage.models import Component, Contact, Delivery, Incident, Message
from tests.announcing import Scenario, declare, post


@pytest.fixture
def dana(scenario: Scenario, session: Session) -> int:
    """The owner of the checkout, and of the catalog too."""
    with writing() as session:
        dana = Contact(name="Dana", email="dana@example.com")
        session.add(dana)
        session.flush()
        for key in (scenario.checkout, scenario.catalog):
            session.get_one(Component, key).owner_id = dana.id
        return dana.id


def emailed(session: Session) -> list[tuple[str, str]]:
    """The colleagues who were emailed, each with why."""
    chosen = (
        select(Delivery.email, Delivery.why)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.audience == Audience.INTERNAL, Delivery.channel == Channel.EMAIL)
    )
    return [(row.email, row.why) for row in session.execute(chosen)]


def test_the_owner_leads_the_technical_work_and_is_emailed_the_declaration_once(
    scenario: Scenario, session: Session, dana: int
) -> None:
    states = dict.fromkeys((scenario.catalog, scenario.checkout), ComponentStatus.MAJOR_OUTAGE)
    incident = declare(scenario, components=states)
    assert incident.technical_lead_id == dana
    post(incident.code, "identified")
    assert emailed(session) == [("dana@example.com", "Owner of Checkout")]


def test_who_was_chosen_leads_and_nobody_is_called_to_what_has_no_owner(
    scenario: Scenario, session: Session, dana: int
) -> None:
    with writing() as session:
        kim = Contact(name="Kim")
        session.add(kim)
        session.flush()
        roles = {IncidentRole.TECHNICAL_LEAD: kim.id}
    assert declare(scenario, roles=roles).technical_lead_id == roles[IncidentRole.TECHNICAL_LEAD]
    assert declare(scenario, components={}).technical_lead_id is None
    assert len(emailed(session)) == 1


def test_a_drill_calls_nobody_who_is_not_on_its_list(
    scenario: Scenario, session: Session, dana: int
) -> None:
    declare(scenario, drill=Drill([("kim@example.com", "Kim")]))
    assert emailed(session) == []


@pytest.mark.usefixtures("dana")
def test_runbooks_stand_beside_the_incident(scenario: Scenario, session: Session) -> None:
    code = declare(scenario, template_key="security").code
    incident = session.scalars(select(Incident).filter_by(code=code)).one()
    assert [one.component.name for one in of_incident(session, incident).owned] == ["Checkout"]
    assert responders(session, [], "nothing").runbook == ""
