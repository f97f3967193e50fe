"""Leaving and coming back: what it stops, what it does not, and that doing it twice is nothing."""

from __future__ import annotations

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import unsubscribe
from statuspage.delivery.unsubscribe import AddressState
from statuspage.models import AuditEntry, Customer, Delivery, Suppression
from statuspage.recipients import suppression, who_receives
from statuspage.recipients.who_receives import CustomerRule
from tests.actors import acting
from tests.announcing import Scenario, declare, mails, resolve, set_up_scenario

SHOPPER = "shopper@example.com"


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app, customers=1)


def mail_to(session: Session, address: str = SHOPPER) -> int:
    """The newest mail to an address."""
    chosen = select(Delivery.id).filter_by(address=address, channel=Channel.EMAIL)
    return session.scalars(chosen.order_by(Delivery.id.desc())).all()[0]


def tell_everybody(scenario: Scenario) -> None:
    resolve(declare(scenario).code)


def suppressions(session: Session) -> list[tuple[str, str]]:
    session.expire_all()
    return [(row.address, row.kind) for row in session.scalars(select(Suppression))]


def acts(session: Session) -> list[str]:
    chosen = select(AuditEntry.action).filter_by(subject_kind="suppression")
    return list(session.scalars(chosen.order_by(AuditEntry.id)))


def owe(session: Session, address: str = SHOPPER) -> None:
    with writing() as session:
        session.scalars(select(Customer).filter_by(address=address)).one().contractual = True


def test_who_leaves_hears_nothing_of_the_next_incident(
    session: Session, scenario: Scenario
) -> None:
    tell_everybody(scenario)
    standing = unsubscribe.unsubscribe(mail_to(session))
    assert standing == AddressState(SHOPPER, "unsubscribed", is_owed=False)
    assert acts(session) == ["subscription.leave"]
    tell_everybody(scenario)
    assert mails(DeliveryState.SUPPRESSED) == [SHOPPER, SHOPPER]
    assert mails(DeliveryState.PENDING) == ["c1@example.com", "c1@example.com"]


def test_what_waits_for_them_is_not_sent_either(session: Session, scenario: Scenario) -> None:
    tell_everybody(scenario)
    unsubscribe.unsubscribe(mail_to(session))
    delivery = session.get_one(Delivery, mail_to(session))
    assert (delivery.state, delivery.reason) == (
        DeliveryState.SUPPRESSED,
        "the recipient unsubscribed",
    )


def test_leaving_twice_is_leaving_once(session: Session, scenario: Scenario) -> None:
    tell_everybody(scenario)
    first = unsubscribe.unsubscribe(mail_to(session))
    assert unsubscribe.unsubscribe(mail_to(session)) == first
    assert suppressions(session) == [(SHOPPER, "unsubscribed")]
    assert acts(session) == ["subscription.leave"]


def test_who_left_by_mistake_hears_of_the_next_incident(
    session: Session, scenario: Scenario
) -> None:
    tell_everybody(scenario)
    unsubscribe.unsubscribe(mail_to(session))
    assert unsubscribe.resubscribe(mail_to(session)) == AddressState(SHOPPER, "", is_owed=False)
    unsubscribe.resubscribe(mail_to(session))
    assert acts(session) == ["subscription.leave", "subscription.stay"]
    tell_everybody(scenario)
    assert mails(DeliveryState.PENDING).count(SHOPPER) == 1


def test_what_is_owed_by_contract_still_comes(session: Session, scenario: Scenario) -> None:
    owe(session)
    tell_everybody(scenario)
    assert unsubscribe.unsubscribe(mail_to(session)) == AddressState(
        SHOPPER, "unsubscribed", is_owed=True
    )
    tell_everybody(scenario)
    assert mails(DeliveryState.PENDING).count(SHOPPER) == 2


@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_a_graver_reason_is_neither_replaced_nor_lifted_by_the_recipient(
    session: Session, scenario: Scenario, kind: str
) -> None:
    tell_everybody(scenario)
    with writing() as session:
        session.add(Suppression(address=SHOPPER, kind=kind, reason="the provider said so"))
    unsubscribe.unsubscribe(mail_to(session))
    unsubscribe.resubscribe(mail_to(session))
    assert suppressions(session) == [(SHOPPER, kind)]
    assert acts(session) == []


def test_the_admin_can_lift_whatever_it_is(session: Session, scenario: Scenario) -> None:
    with writing() as session:
        session.add(Suppression(address=SHOPPER, kind="bounced", reason="mailbox full"))
    suppression.write_again(SHOPPER, actor=acting("Ada"))
    suppression.write_again(SHOPPER, actor=acting("Ada"))
    assert suppressions(session) == []
    entry = session.scalars(select(AuditEntry).filter_by(action="suppression.lift")).one()
    assert (entry.actor, entry.before) == (
        "Ada",
        {"suppressed": "bounced", "reason": "mailbox full"},
    )


def test_nobody_leaves_by_a_mail_that_there_is_not(session: Session, scenario: Scenario) -> None:
    assert unsubscribe.find_address_state(session, 4711) is None
    for act in (unsubscribe.unsubscribe, unsubscribe.resubscribe):
        with pytest.raises(LookupError):
            act(4711)


def test_nobody_leaves_by_a_message_to_colleagues(session: Session, scenario: Scenario) -> None:
    declare(scenario)
    chat = session.scalars(select(Delivery.id).filter_by(channel=Channel.CHAT)).all()[0]
    assert unsubscribe.find_address_state(session, chat) is None


def test_leaving_still_works_where_the_customer_was_removed(
    session: Session, scenario: Scenario
) -> None:
    tell_everybody(scenario)
    delivery_id = mail_to(session)
    with writing() as session:
        session.delete(session.scalars(select(Customer).filter_by(address=SHOPPER)).one())
    assert unsubscribe.unsubscribe(delivery_id).has_unsubscribed
    rule = who_receives.concerned_customers([scenario.checkout])
    assert who_receives.count_customers(session, CustomerRule(rule)) == (1, 0)
