"""Who receives a step: the queue, the counts and the groups read one subquery."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, true
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.models import Customer
from statuspage.recipients import suppression, who_receives
from statuspage.recipients.suppression import REASONS, SuppressionKind
from tests.announcing import Scenario, set_up_scenario


@pytest.fixture
def scenario(app: Flask) -> Scenario:
    return set_up_scenario(app, customers=2)


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
    assert who_receives.count_customers(session, []) == (4, 0)


@pytest.mark.parametrize(("contractual", "counts"), [(False, (2, 1)), (True, (3, 0))])
def test_the_counts_leave_out_who_left_unless_notices_are_owed(
    session: Session, scenario: Scenario, contractual: bool, counts: tuple[int, int]
) -> None:
    suppress("shopper@example.com", contractual=contractual)
    assert who_receives.count_customers(session, [scenario.checkout]) == counts


def test_the_groups_name_each_reason_and_why_others_are_left_out(
    session: Session, scenario: Scenario
) -> None:
    suppress("c2@example.com")
    rule, ids = who_receives.concerned_customers([scenario.checkout]), [scenario.checkout]
    assert who_receives.group_customers(session, rule, ids) == (
        [("use Checkout", 1), ("use everything", 1)],
        [(REASONS[SuppressionKind.UNSUBSCRIBED], 1)],
    )


def test_the_first_customers_are_those_who_are_not_suppressed(
    session: Session, scenario: Scenario
) -> None:
    suppress("c1@example.com")
    first = who_receives.first_customers(session, true(), most=2)
    assert [customer.address for customer in first] == ["c2@example.com", "shopper@example.com"]
