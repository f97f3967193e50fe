"""Claims: taken by one worker, and taken back from a dead one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import claims, retry
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.models import Attempt, Delivery
from tests.announcing import (
    mails,
)
from tests.delivery.conftest import EVERYBODY, WORKER, Provider, make_dispatcher


def test_a_claim_that_was_taken_away_is_not_sent(
    resolved: str, app: Flask, provider: Provider, session: Session
) -> None:
    dispatcher = make_dispatcher(app, provider)
    provider.before_each = lambda: take_away(app)
    provider.chunk = 1
    dispatcher._hand_over(claims.claim(WORKER, Channel.EMAIL, size=10))  # type: ignore[arg-type]
    assert provider.sent == []
    assert mails(DeliveryState.PENDING) == EVERYBODY


def take_away(app: Flask) -> None:
    with app.app_context():
        claims.rescue(WORKER, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=600)


def test_a_dead_workers_claim_is_due_again_where_it_was_certainly_not_sent(
    resolved: str, dispatcher: Dispatcher, session: Session
) -> None:
    claims.claim(WORKER, Channel.EMAIL, size=10)
    assert mails(DeliveryState.SENDING) == EVERYBODY
    session.rollback()
    assert dispatcher.rescue() == 4
    assert mails(DeliveryState.PENDING) == EVERYBODY


def test_a_dead_workers_claim_is_uncertain_where_its_call_had_begun(
    resolved: str, dispatcher: Dispatcher, session: Session
) -> None:
    claim = claims.claim(WORKER, Channel.EMAIL, size=10)
    assert claim is not None
    assert claims.begin_call(claim.attempt_id)
    assert dispatcher.rescue() == 4
    assert mails(DeliveryState.UNCERTAIN) == EVERYBODY
    assert session.scalars(select(Attempt)).all() == []


def test_batches_are_as_large_as_the_lane_says(
    resolved: str, app: Flask, provider: Provider
) -> None:
    lane = Lane(provider, parallel=1, batch=3)
    assert Dispatcher(app, WORKER, {Channel.EMAIL: lane}).send_all() == 2


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=30)])
def test_what_waits_follows_a_clock_that_jumps(
    resolved: str, session: Session, frozen: time_machine.Traveller, jump: timedelta
) -> None:
    frozen.shift(timedelta(seconds=1))
    waiting = select(Delivery).filter_by(channel=Channel.EMAIL)
    before = {mail.id: (mail.due_at, mail.expires_at) for mail in session.scalars(waiting)}
    session.rollback()

    frozen.shift(jump)
    for _ in range(2):
        claims.follow_clock(jump)
        retry.settle_due()

    session.expire_all()
    moment = clock.now()
    assert len(before) == 4
    for mail in session.scalars(waiting):
        due_at, expires_at = before[mail.id]
        assert mail.state is DeliveryState.PENDING
        assert mail.due_at <= moment
        # Each end that the jump has reached moved along, and nothing moved twice.
        assert mail.expires_at == (expires_at + jump if expires_at else None)
        assert mail.due_at in {due_at, due_at + jump}
