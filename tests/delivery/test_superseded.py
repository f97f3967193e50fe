"""What happened between queueing and sending: nobody is sent what is not true for them any more."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import update
from time_machine import Traveller

from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, DeliveryState, IncidentStatus, Step
from statuspage.delivery import claims, control, provider_events, retry, unsubscribe
from statuspage.delivery.channels.sendgrid_webhook import Event, EventKind
from statuspage.delivery.claims import Claim
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.models import Customer, Delivery, Message
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

EVERYBODY = ["c1@example.com", "c2@example.com", "c3@example.com", "shopper@example.com"]


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    """A company whose customers are written to at each step."""
    scenario = set_up_scenario(app, scheme="p1")
    with app.app_context():
        yield scenario


def take(*, size: int = 100) -> Claim | None:
    return claims.claim(1, Channel.EMAIL, size=size)


def take_all() -> list[tuple[str, str]]:
    """Claim all that may go; the step and the address of each."""
    current_session().rollback()
    found = []
    while (claim := take()) is not None:
        step = current_session().get_one(Message, claim.message_id).step
        found += [(step.value, one.address) for one in claim.deliveries]
    return sorted(found)


def open_again(code: str) -> None:
    lifecycle.reopen(code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, uuid4().hex))


def test_what_comes_back_to_wait_gives_way_to_the_newer_mail(scenario: Scenario) -> None:
    code = declare(scenario).code
    claim = take()
    assert claim is not None
    post(code, "monitoring")
    claims.put_back(claim, [one.id for one in claim.deliveries])
    assert take_all() == [("monitoring", address) for address in EVERYBODY]
    assert mails(DeliveryState.SUPERSEDED) == EVERYBODY


def test_what_may_have_been_sent_is_not_sent_once_more_after_a_newer_mail(
    scenario: Scenario, frozen: Traveller
) -> None:
    code = declare(scenario).code
    claim = take()
    assert claim is not None
    claims.begin_call(claim.attempt_id)
    claims.rescue(1, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=600)
    post(code, "monitoring")
    frozen.shift(601)
    retry.settle_due()
    assert take_all() == [("monitoring", address) for address in EVERYBODY]


def test_that_it_is_over_does_not_come_back_once_it_is_open_again(scenario: Scenario) -> None:
    code = declare(scenario).code
    take_all()
    resolve(code)
    claim = take(size=2)
    assert claim is not None
    open_again(code)
    claims.put_back(claim, [one.id for one in claim.deliveries])
    assert [step for step, _ in take_all() if step == "resolved"] == []


def test_who_may_have_been_told_that_it_is_over_hears_that_it_is_not(scenario: Scenario) -> None:
    code = declare(scenario).code
    resolve(code)
    claim = take(size=2)
    while (
        claim is not None
        and current_session().get_one(Message, claim.message_id).step != "resolved"
    ):
        claim = take(size=2)
    assert claim is not None
    told = sorted(one.address for one in claim.deliveries)
    claims.begin_call(claim.attempt_id)
    claims.rescue(1, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=0)
    retry.settle_due()
    open_again(code)
    assert [address for step, address in take_all() if step == "reopened"] == told


def test_who_left_while_it_was_being_sent_is_not_sent_it_later(scenario: Scenario) -> None:
    declare(scenario)
    claim = take()
    assert claim is not None
    unsubscribe.unsubscribe(claim.deliveries[0].id)
    claims.put_back(claim, [one.id for one in claim.deliveries])
    assert [address for _, address in take_all()] == EVERYBODY[1:]
    assert mails(DeliveryState.SUPPRESSED) == EVERYBODY[:1]


@pytest.mark.parametrize("kind", [EventKind.BOUNCE, EventKind.SPAM_REPORT, EventKind.UNSUBSCRIBE])
def test_what_the_provider_tells_keeps_the_next_mail_back(
    scenario: Scenario, kind: EventKind
) -> None:
    code = declare(scenario).code
    claim = take()
    assert claim is not None
    first = claim.deliveries[0]
    post(code, "monitoring")
    provider_events.keep(
        [Event("e1", kind, clock.now(), first.email, str(first.id), claim.attempt_id)]
    )
    provider_events.fold()
    assert [address for _, address in take_all()] == EVERYBODY[1:]


def test_what_is_owed_by_contract_goes_to_who_left(scenario: Scenario) -> None:
    with writing() as session:
        session.execute(
            update(Customer).where(Customer.address == EVERYBODY[0]).values(contractual=True)
        )
    declare(scenario)
    claim = take()
    assert claim is not None
    unsubscribe.unsubscribe(claim.deliveries[0].id)
    claims.put_back(claim, [one.id for one in claim.deliveries])
    assert [address for _, address in take_all()] == EVERYBODY


def test_that_it_is_over_is_not_sent_again_once_it_is_open_again(scenario: Scenario) -> None:
    code = declare(scenario).code
    resolve(code)
    [resolved] = [one for one in messages(Audience.CUSTOMER) if one.step is Step.RESOLVED]
    with writing() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
        failed = update(Delivery).where(Delivery.address == EVERYBODY[0])
        session.execute(failed.values(state=DeliveryState.FAILED))
    open_again(code)
    assert control.resend_failed(resolved.id, actor=ACTOR) == 0
