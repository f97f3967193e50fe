"""Numbers of incidents: by service, each once, and a range that is used up stops nobody."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access.alarms import open_alarms
from statuspage.configuration.editing import PageSettings, read_as
from statuspage.configuration.page_settings import change_page
from statuspage.configuration.ticket_numbers import ALARM, NumberRange, read_ranges
from statuspage.core.db import writing
from statuspage.core.enums import Audience, ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.incidents import incident_search
from statuspage.incidents.incident_search import IncidentFilter
from statuspage.incidents.inputs import Drill
from statuspage.models import Component, ComponentGroup, Incident, Message, Page
from tests.announcing import ACTOR, Scenario, declare, set_up_scenario


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


def number_by(session: Session, lines: str) -> None:
    with writing() as session:
        session.get_one(Page, 1).ticket_numbers = lines


def test_ranges_are_lines_and_a_range_reads_only_its_own() -> None:
    (one, rest) = read_ranges("inc-001  to inc-099 : Payments\n\nOPS-1 to OPS-9")
    assert (one, rest) == (NumberRange("INC-", 1, 99, 3, "Payments"), NumberRange("OPS-", 1, 9, 1))
    assert (one.write(7), one.read("INC-007")) == ("INC-007", 7)
    assert [one.read(text) for text in ("INC-100", "OPS-7", "INC-x", "INC-")] == [None] * 4


@pytest.mark.parametrize(
    "lines", ["INC-1", "INC-9 to INC-1", "INC-1 to OPS-9", "INC-1 to INC-9: A\nINC-9 to INC-20: B"]
)
def test_what_is_no_range_or_overlaps_is_refused(lines: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_ranges(lines)
    assert refused.value.field == "ticket_numbers"


def test_each_service_has_its_own_numbers_by_component_by_group_and_for_the_rest(
    scenario: Scenario, session: Session
) -> None:
    with writing() as session:
        group = ComponentGroup(name="Shop")
        session.add(group)
        session.flush()
        session.get_one(Component, scenario.catalog).group_id = group.id
    number_by(session, "INC-001 to INC-099: checkout\nINC-101 to INC-199: Shop\nOPS-1 to OPS-9")
    states = {scenario.catalog: ComponentStatus.MAJOR_OUTAGE}
    numbers = [
        declare(scenario).number,
        declare(scenario).number,
        declare(scenario, components=states).number,
        declare(scenario, components={}).number,
        declare(scenario, drill=Drill()).number,
    ]
    assert numbers == ["INC-001", "INC-002", "INC-101", "OPS-1", None]
    chosen = select(Message.subject).where(Message.audience == Audience.INTERNAL)
    assert "INC-001" in (session.scalars(chosen.order_by(Message.id)).first() or "")
    which = incident_search.conditions(IncidentFilter("inc-101"))
    assert session.scalars(select(Incident.number).where(*which)).all() == ["INC-101"]


def test_a_full_range_stops_no_declaration_and_an_alarm_says_so_until_there_are_more(
    app: Flask, scenario: Scenario, session: Session
) -> None:
    number_by(session, "INC-1 to INC-1: Checkout")
    assert [declare(scenario).number for _ in range(2)] == ["INC-1", None]
    (alarm,) = open_alarms(session)
    assert (alarm.key, "“Checkout” are used up" in alarm.text) == (ALARM, True)
    assert ALARM not in app.test_client().get("/readyz").text
    settings = read_as(PageSettings, session.get_one(Page, 1))
    more = PageSettings(settings.name, ticket_numbers="INC-1 to INC-5: Checkout")
    change_page(more, actor=ACTOR)
    assert declare(scenario).number == "INC-2"
    session.expire_all()
    assert [one for one in open_alarms(session) if one.key == ALARM] == []
