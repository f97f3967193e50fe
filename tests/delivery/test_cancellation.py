"""The cancel window: a resolution's mails wait, and what is cancelled was not sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, DeliveryState
from statuspage.core.errors import Invalid
from statuspage.delivery import claims
from statuspage.delivery.cancellation import CancellationState
from statuspage.delivery.claims import Claim
from statuspage.incidents import mail_corrections
from statuspage.incidents.resolution import cancel_window
from statuspage.models import AuditEntry, Delivery, DeliveryEvent, Incident
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
from tests.factories import NOON

EVERYBODY = ["c1@example.com", "c2@example.com", "c3@example.com", "shopper@example.com"]
WINDOW = timedelta(seconds=60)


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "CANCEL_WINDOW": "60"}


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    scenario = set_up_scenario(app)
    with app.app_context():
        yield scenario


@pytest.fixture
def code(scenario: Scenario) -> str:
    """An incident that has just been resolved."""
    code = declare(scenario).code
    resolve(code)
    return code


def take(*, size: int = 100) -> Claim | None:
    return claims.claim(1, Channel.EMAIL, size=size)


def accept(claim: Claim | None) -> list[str]:
    assert claim is not None
    with writing() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.attempt_id == claim.attempt_id)
            .values(state=DeliveryState.ACCEPTED, attempt_id=None)
        )
    return sorted(one.address for one in claim.deliveries)


def standing(code: str) -> CancellationState:
    return cancel_window.mails_of_resolution(current_session(), incident(code))


def incident(code: str) -> Incident:
    return current_session().scalars(select(Incident).filter_by(code=code)).one()


def test_the_mails_of_a_resolution_wait_for_the_window_and_then_go(
    code: str, frozen: Traveller
) -> None:
    assert standing(code) == CancellationState(waiting=4, due_at=NOON + WINDOW)
    frozen.shift(WINDOW - timedelta(seconds=1))
    assert take() is None
    frozen.shift(timedelta(seconds=1))
    assert accept(take()) == EVERYBODY


def test_what_waits_for_its_next_try_does_not_wait_to_be_cancelled(
    code: str, frozen: Traveller
) -> None:
    frozen.shift(WINDOW)
    with writing() as session:
        later = clock.now() + WINDOW
        session.execute(update(Delivery).values(due_at=later, reason="503 try again"))
    assert standing(code) == CancellationState(waiting=4)


def test_every_other_mail_goes_at_once(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app, scheme="p1")
    with app.app_context():
        post(declare(scenario).code, "monitoring")
        assert {one.due_at for one in current_session().scalars(select(Delivery))} == {NOON}


def test_what_is_cancelled_never_goes(code: str, frozen: Traveller) -> None:
    assert cancel_window.cancel_mails(code, actor=ACTOR) == cancel_window.Cancelled(
        kept_back=4, gone=0
    )
    frozen.shift(WINDOW * 2)
    assert take() is None
    assert mails(DeliveryState.CANCELLED) == EVERYBODY
    reasons = set(current_session().scalars(select(DeliveryEvent.reason)))
    assert reasons == {"cancelled by Ada before it was sent"}
    assert incident(code).status == "resolved"
    assert current_session().scalars(select(AuditEntry.action)).all()[-1] == "message.cancel"


def test_what_a_worker_has_in_hand_counts_as_gone_and_is_kept_back_where_it_comes_back(
    code: str, frozen: Traveller
) -> None:
    frozen.shift(WINDOW)
    claim = take(size=2)
    assert claim is not None
    assert cancel_window.cancel_mails(code, actor=ACTOR) == cancel_window.Cancelled(
        kept_back=2, gone=2
    )
    # One of them is handed over, the other was never sent.
    sent, back = claim.deliveries
    with writing() as session:
        session.get_one(Delivery, sent.id).state = DeliveryState.ACCEPTED
    claims.put_back(claim, [back.id])
    assert take() is None
    assert mails(DeliveryState.ACCEPTED) == [sent.address]
    assert mails(DeliveryState.CANCELLED) == sorted({*EVERYBODY} - {sent.address})


def test_what_may_have_been_sent_is_not_called_cancelled(code: str) -> None:
    with writing() as session:
        first = session.scalars(select(Delivery).filter_by(address=EVERYBODY[0])).one()
        session.add(
            DeliveryEvent(delivery_id=first.id, at=NOON, state=DeliveryState.UNCERTAIN, reason="")
        )
    assert cancel_window.cancel_mails(code, actor=ACTOR) == cancel_window.Cancelled(
        kept_back=3, gone=1
    )
    assert mails(DeliveryState.PENDING) == EVERYBODY[:1]


def test_no_mail_is_both_cancelled_and_sent(app: Flask, frozen: Traveller) -> None:
    scenario = set_up_scenario(app, customers=300)
    with app.app_context():
        code = declare(scenario).code
        resolve(code)
    frozen.shift(WINDOW)
    sent: list[str] = []
    begun, cancelling = threading.Event(), threading.Event()

    def work() -> None:
        with app.app_context():
            while (claim := take(size=4)) is not None:
                sent.extend(accept(claim))
                begun.set()
                # From here on both run as fast as they can.
                cancelling.wait(10)

    worker = threading.Thread(target=work)
    worker.start()
    begun.wait(10)
    with app.app_context():
        cancelling.set()
        cancelled = cancel_window.cancel_mails(code, actor=ACTOR)
        worker.join(30)
        kept_back = mails(DeliveryState.CANCELLED)
        assert (len(kept_back), len(sent)) == (cancelled.kept_back, cancelled.gone)
        assert sorted([*kept_back, *sent]) == mails()


def test_what_was_cancelled_goes_after_all_once_to_each(code: str) -> None:
    cancel_window.cancel_mails(code, actor=ACTOR)
    assert cancel_window.send_after_all(code, actor=ACTOR) == 4
    assert accept(take()) == EVERYBODY
    with pytest.raises(Invalid, match="nothing to send"):
        cancel_window.send_after_all(code, actor=ACTOR)
    assert mails() == EVERYBODY


def test_a_text_that_is_put_right_while_it_is_cancelled_goes_right(code: str) -> None:
    cancel_window.cancel_mails(code, actor=ACTOR)
    wrong = messages(Audience.CUSTOMER)[0]
    right = replace(
        mail_corrections.as_sent(current_session(), wrong), body="Hello [[name]],\n\nRight."
    )
    mail_corrections.send_correction(wrong.id, right, actor=ACTOR)
    assert take() is None
    assert cancel_window.send_after_all(code, actor=ACTOR) == 4
    claim = take()
    assert claim is not None
    assert next(one.body for one in messages(Audience.CUSTOMER) if one.id == claim.message_id) == (
        "Hello [[name]],\n\nRight."
    )


@pytest.mark.parametrize("jump", [-3600, 20, 45, 3600])
def test_the_window_follows_a_clock_that_jumps(code: str, frozen: Traveller, jump: int) -> None:
    frozen.shift(20)
    before = clock.now()
    frozen.shift(jump)
    for _ in range(2):
        claims.follow_clock(timedelta(seconds=jump))
    left = WINDOW - (before - NOON)
    assert standing(code).due_at == clock.now() + left
