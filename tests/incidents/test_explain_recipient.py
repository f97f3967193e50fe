"""Whether one address hears of a step, and why or why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import (
    Channel,
    DeliveryState,
    IncidentStatus,
    Step,
    SubscriberState,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.delivery import privacy
from statuspage.incidents import explain_recipient
from statuspage.incidents.announcement import of_declaration, of_step, of_update
from statuspage.incidents.inputs import NewUpdate
from statuspage.models import (
    Customer,
    CustomerComponent,
    Delivery,
    Incident,
    Subscriber,
    Suppression,
)
from tests.announcing import (
    ACTOR,
    Scenario,
    declaration,
    declare,
    mails,
    make_customer,
    resolve,
    set_up_scenario,
)

RESOLVED = NewUpdate(IncidentStatus.RESOLVED)


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    with app.app_context():
        made = set_up_scenario(app)
        with writing() as session:
            for name, state in (
                ("eve", SubscriberState.CONFIRMED),
                ("pat", SubscriberState.PENDING),
                ("lee", SubscriberState.UNSUBSCRIBED),
                ("c1", SubscriberState.CONFIRMED),
            ):
                address = f"{name}@example.com"
                session.add(Subscriber(email=address, address=address, state=state))
            session.add(
                Subscriber(
                    email="max@example.com", address="max@example.com",
                    state=SubscriberState.CONFIRMED, incidents=False,
                )
            )  # fmt: skip
            left = make_customer("left@example.com", "Left")
            owed = make_customer("owed@example.com", "Owed", contractual=True)
            session.add_all([left, owed])
            for address in ("left@example.com", "owed@example.com"):
                session.add(Suppression(address=address, kind="unsubscribed", reason="they left"))
        yield made


def told(incident: Incident, name: str, update: NewUpdate = RESOLVED) -> tuple[bool, str]:
    found = explain_recipient.explain(of_update(incident, update), f"{name}@example.com")
    return found.is_mailed, " ".join(found.reasons)


@pytest.mark.parametrize(
    ("name", "is_mailed", "reason"),
    [
        ("c1", True, "They’re a customer, and all customers are affected."),
        ("shopper", True, "They are a customer of Checkout."),
        ("reader", False, "They’re a customer of other components: Catalog. "
                          "They didn’t subscribe."),
        ("left", False, "They’re an affected customer, but nothing is sent to them: "
                        "they left. They didn’t subscribe."),
        ("owed", True, "They unsubscribed, but contractual notices are still sent."),
        ("eve", True, "Subscribed to all components."),
        ("pat", False, "They aren’t on the customer list. "
                       "They haven’t confirmed their subscription."),
        ("lee", False, "They aren’t on the customer list. They unsubscribed."),
        ("max", False, "They aren’t on the customer list. "
                       "They subscribed to other components or other kinds of updates."),
        ("nobody", False, "They aren’t on the customer list. They didn’t subscribe."),
    ],
)  # fmt: skip
def test_everybody_is_answered_by_the_rule_that_counts(
    scenario: Scenario, name: str, is_mailed: bool, reason: str
) -> None:
    assert told(declare(scenario), name) == (is_mailed, reason)


def test_the_answer_is_what_happens(scenario: Scenario) -> None:
    incident = declare(scenario)
    everybody = {
        *current_session().scalars(select(Customer.address)),
        *current_session().scalars(select(Subscriber.address)),
    }
    promised = sorted(
        address
        for address in everybody
        if explain_recipient.explain(of_update(incident, RESOLVED), address).is_mailed
    )
    with writing() as session:
        # What the declaration brought is another step's.
        session.execute(update(Delivery).values(state=DeliveryState.DELIVERED))
    resolve(incident.code)
    assert mails(DeliveryState.PENDING) == promised


def test_where_customers_are_not_written_to_it_says_so(scenario: Scenario) -> None:
    asked = explain_recipient.explain(of_declaration(declaration(scenario)), "shopper@example.com")
    assert asked.reasons[0] == ("They’re a customer, and customers aren’t emailed at this step.")
    # Customers who subscribed hear of it as subscribers.
    assert explain_recipient.explain(
        of_declaration(declaration(scenario)), "c1@example.com"
    ).is_mailed


def test_a_reopening_is_told_to_those_who_were_told_that_it_is_over(scenario: Scenario) -> None:
    incident = declare(scenario)
    resolve(incident.code)
    with writing() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.channel == Channel.EMAIL, Delivery.address == "c2@example.com")
            .values(state=DeliveryState.DELIVERED)
        )
    again = NewUpdate(IncidentStatus.INVESTIGATING)
    current_session().expire_all()

    def asked(name: str) -> str:
        return explain_recipient.explain(
            of_update(incident, again, reopens=True), f"{name}@example.com"
        ).reasons[0]

    assert asked("c2") == "They’re a customer who was notified that it is resolved."
    assert asked("c3") == "They’re a customer who wasn’t notified that it is resolved."


def test_nobody_outside_hears_what_is_internal(scenario: Scenario) -> None:
    incident = declare(scenario, visibility=Visibility.INTERNAL)
    assert told(incident, "c1") == (False, "Internal incidents notify no customers or subscribers.")


def test_an_erased_address_is_named_as_such(scenario: Scenario) -> None:
    incident = declare(scenario)
    resolve(incident.code)
    privacy.erase("c1@example.com", actor=ACTOR)
    found = explain_recipient.explain(of_step(incident, Step.RESOLVED), "C1@example.com")
    assert found.reasons[0] == "Their data was erased at their request."


def test_what_is_no_address_is_refused(scenario: Scenario) -> None:
    with pytest.raises(Invalid) as refusal:
        explain_recipient.explain(of_declaration(declaration(scenario)), "nobody")
    assert refusal.value.field == "ask"


def test_why_somebody_is_told_names_only_what_is_affected(scenario: Scenario) -> None:
    """In the dry run, and in the ledger that is shown and exported afterwards."""
    with writing() as session:
        both = make_customer("both@example.com", "Both", all_components=False)
        session.add(both)
        session.flush()
        for component in (scenario.checkout, scenario.catalog):
            session.add(CustomerComponent(customer_id=both.id, component_id=component))
    incident = declare(scenario)
    assert told(incident, "both") == (True, "They are a customer of Checkout.")
    resolve(incident.code)
    of_customers = select(Delivery.address, Delivery.why).where(Delivery.why.startswith("Customer"))
    why = {row[0]: row[1] for row in current_session().execute(of_customers)}
    assert (why["both@example.com"], why["shopper@example.com"], why["c1@example.com"]) == (
        "Customer of Checkout",
        "Customer of Checkout",
        "Customer, all components",
    )
    assert "reader@example.com" not in why
