"""A false alarm: told to whoever was told of it, kept in the history, and counted as nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import (
    Audience,
    ComponentStatus,
    DeliveryState,
    Impact,
    IncidentStatus,
    Step,
)
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.models import Component, ComponentChange, Delivery, Incident
from tests.announcing import (
    ACTOR,
    Scenario,
    declare,
    mails,
    messages,
    post,
    resolve,
    set_up_scenario,
)


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    """Where customers are written to with every update."""
    scenario = set_up_scenario(app, scheme="p1")
    with app.app_context():
        yield scenario


def end(code: str) -> None:
    post(code, "resolved", false_alarm=True, public_facts={"resolution": "A test ran too far."})


def incident() -> Incident:
    return current_session().scalars(select(Incident)).one()


def outages() -> list[tuple[ComponentStatus, int | None]]:
    changes = select(ComponentChange.status, ComponentChange.incident_id)
    return [
        (row[0], row[1]) for row in current_session().execute(changes.order_by(ComponentChange.at))
    ]


def test_exactly_those_who_were_told_of_it_hear_that_it_was_none(scenario: Scenario) -> None:
    code = declare(scenario).code
    with writing() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.address == "c1@example.com")
            .values(state=DeliveryState.ACCEPTED)
        )
    end(code)
    last = messages(Audience.CUSTOMER)[-1]
    assert last.step is Step.FALSE_ALARM
    told = select(Delivery.address).where(Delivery.message_id == last.id)
    assert current_session().scalars(told).all() == ["c1@example.com"]
    assert "It was a false alarm: everything was working" in last.text
    # Who still waited to hear of it hears nothing.
    assert mails(DeliveryState.SUPERSEDED) == [
        "c2@example.com",
        "c3@example.com",
        "shopper@example.com",
    ]


def test_nobody_who_was_told_nothing_is_written_to(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app)
    with app.app_context():
        end(declare(scenario).code)
        assert messages(Audience.CUSTOMER) == []


def test_it_stays_as_what_it_was_and_counts_as_nothing(
    scenario: Scenario, frozen: Traveller
) -> None:
    code = declare(scenario).code
    assert outages() == [(ComponentStatus.MAJOR_OUTAGE, incident().id)]
    frozen.shift(timedelta(hours=1))
    end(code)
    assert outages() == []
    assert (
        current_session().get_one(Component, scenario.checkout).status
        is ComponentStatus.OPERATIONAL
    )
    assert (incident().status, incident().impact, incident().review_due_at) == (
        "resolved",
        Impact.NONE,
        None,
    )
    assert (
        incident()
        .updates[-1]
        .body.startswith("What we reported here about Checkout was a false alarm")
    )


def test_opened_again_it_counts_again(scenario: Scenario, frozen: Traveller) -> None:
    code = declare(scenario).code
    frozen.shift(timedelta(hours=1))
    end(code)
    frozen.shift(timedelta(hours=1))
    again = NewUpdate(
        IncidentStatus.INVESTIGATING, components={scenario.checkout: ComponentStatus.MAJOR_OUTAGE}
    )
    lifecycle.reopen(code, again, Submission(ACTOR, "again"))
    assert [status for status, _ in outages()] == [
        ComponentStatus.MAJOR_OUTAGE, ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE,
    ]  # fmt: skip
    assert (incident().cancelled_at, incident().impact) == (None, Impact.CRITICAL)
    resolve(code)
    assert messages(Audience.CUSTOMER)[-1].step is Step.RESOLVED


def test_what_goes_on_is_no_false_alarm_yet(scenario: Scenario) -> None:
    code = declare(scenario).code
    with pytest.raises(Invalid, match="Only a resolved incident"):
        post(code, "monitoring", false_alarm=True)
