"""Who receives a step: the queue, the counts and the groups read one subquery."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from statuspage.core.address import read_address
from statuspage.core.db import writing
from statuspage.core.enums import Kind, Step
from statuspage.models import Customer
from statuspage.recipients import suppression, who_receives
from statuspage.recipients.drill_recipients import DrillRecipients
from statuspage.recipients.suppression import REASONS, SuppressionKind
from statuspage.recipients.who_receives import CustomerRule, Reach, Reached, Topic
from tests.announcing import Scenario, set_up_scenario


@pytest.fixture
def scenario(app: Flask) -> Scenario:
    return set_up_scenario(app, customers=2)


def rule_of(component_ids: list[int]) -> CustomerRule:
    return CustomerRule(who_receives.concerned_customers(component_ids), component_ids)


def reasons(session: Session, component_ids: list[int]) -> dict[str, str]:
    rule = who_receives.concerned_customers(component_ids)
    reached = who_receives.reached_customers(rule, component_ids)
    why = who_receives.customer_because(reached, component_ids)
    return {row[0]: row[1] for row in session.execute(select(reached.c.address, why))}


def suppress(address: str, *, contractual: bool = False) -> None:
    with writing() as session:
        found = session.scalars(select(Customer).filter_by(address=address)).one()
        found.contractual = contractual
        suppression.suppress(session, address, SuppressionKind.UNSUBSCRIBED)


def test_a_step_reaches_customers_of_its_components_and_those_who_use_everything(
    session: Session, scenario: Scenario
) -> None:
    assert reasons(session, [scenario.checkout]) == {
        "c1@example.com": "Customer, all components",
        "c2@example.com": "Customer, all components",
        "shopper@example.com": "Customer of Checkout",
    }


def test_a_step_without_components_reaches_every_customer(
    session: Session, scenario: Scenario
) -> None:
    assert set(reasons(session, []).values()) == {"Customer, whatever they use"}
    assert who_receives.count_customers(session, rule_of([])) == (4, 0)


@pytest.mark.parametrize(("contractual", "counts"), [(False, (2, 1)), (True, (3, 0))])
def test_the_counts_leave_out_who_left_unless_notices_are_owed(
    session: Session, scenario: Scenario, contractual: bool, counts: tuple[int, int]
) -> None:
    suppress("shopper@example.com", contractual=contractual)
    assert who_receives.count_customers(session, rule_of([scenario.checkout])) == counts


def test_the_groups_name_each_reason_and_why_others_are_left_out(
    session: Session, scenario: Scenario
) -> None:
    suppress("c2@example.com")
    assert who_receives.group_customers(session, rule_of([scenario.checkout])) == (
        [("use Checkout", 1), ("use everything", 1)],
        [(REASONS[SuppressionKind.UNSUBSCRIBED], 1)],
    )


def test_the_first_customers_are_those_who_are_not_suppressed(
    session: Session, scenario: Scenario
) -> None:
    suppress("c1@example.com")
    first = who_receives.first_readers(session, CustomerRule(true()), most=2)
    assert [reader.email for reader in first] == ["c2@example.com", "shopper@example.com"]


def test_a_drill_reaches_its_list_in_the_place_of_customers_and_of_subscribers(
    session: Session, scenario: Scenario
) -> None:
    drill = DrillRecipients(((read_address("kim@example.com"), "Kim"),), frozenset())
    rule = CustomerRule(true(), [scenario.checkout], drill)
    topic = Topic(Kind.INCIDENT, Step.RESOLVED, [scenario.checkout], drill=drill)
    assert who_receives.count_customers(session, rule) == (1, 0)
    assert who_receives.group_customers(session, rule) == ([("on the drill's list", 1)], [])
    assert [one.name for one in who_receives.first_readers(session, rule, most=2)] == ["Kim"]
    assert who_receives.count_subscribers(session, topic, customers=rule) == Reach(as_customers=1)
    assert who_receives.count_subscribers(session, topic, customers=None).total == 1


def test_one_address_is_explained_by_the_rows_that_the_queue_would_write(
    session: Session, scenario: Scenario
) -> None:
    suppress("shopper@example.com")
    rule = rule_of([scenario.checkout])
    assert who_receives.find_customer(session, rule, "shopper@example.com") == Reached(
        "", suppressed=True, reason=REASONS[SuppressionKind.UNSUBSCRIBED]
    )
    assert who_receives.find_customer(session, rule, "c1@example.com") == Reached(
        "all components", suppressed=False, reason=""
    )
    assert who_receives.find_customer(session, rule, "nobody@example.com") is None
