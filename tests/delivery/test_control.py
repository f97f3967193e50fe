"""Control: the breaker, its alarms, and sending stopped by hand."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import claims, control
from statuspage.delivery.channels.provider import Fault, Outcome
from statuspage.delivery.dispatch import Dispatcher
from statuspage.models import Delivery
from tests.actors import acting
from tests.announcing import (
    mails,
)
from tests.delivery.conftest import EVERYBODY, Provider


def test_a_rejected_key_burns_no_attempt_and_raises_an_alarm(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session
) -> None:
    provider.answers = dict.fromkeys(EVERYBODY, (Outcome.NOT_SENT, Fault.CREDENTIALS))
    dispatcher.send_all()
    assert {row.attempts for row in session.scalars(select(Delivery))} == {0}
    assert [alarm.key for alarm in alarms.open_alarms(session)] == ["channel.email"]


def test_a_failing_provider_is_given_a_rest_and_the_alarm_ends_with_it(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session,
    frozen: time_machine.Traveller,
) -> None:  # fmt: skip
    provider.answers = dict.fromkeys(EVERYBODY, (Outcome.NOT_SENT, Fault.PROVIDER))
    for _ in range(3):
        dispatcher.send_all()
        assert not control.may_send(session, Channel.EMAIL)
        session.rollback()
        frozen.shift(timedelta(minutes=2))
    assert [alarm.key for alarm in alarms.open_alarms(session)] == ["channel.email"]
    provider.answers = {}
    dispatcher.send_all()
    session.rollback()
    assert alarms.open_alarms(session) == []
    assert mails(DeliveryState.ACCEPTED) == EVERYBODY


def test_nothing_is_sent_while_the_outbox_is_held(
    resolved: str, dispatcher: Dispatcher, provider: Provider
) -> None:
    control.hold(control.EVERYTHING, reason="restored", actor=acting("Ada"))
    dispatcher.send_all()
    assert provider.sent == []
    control.release(control.EVERYTHING, actor=acting("Ada"))
    dispatcher.send_all()
    assert provider.addresses == EVERYBODY


def test_a_clock_that_is_set_back_does_not_prolong_a_channels_rest(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller
) -> None:
    provider.answers = dict.fromkeys(EVERYBODY, (Outcome.NOT_SENT, Fault.PROVIDER))
    dispatcher.send_all()
    frozen.shift(timedelta(hours=-1))
    claims.follow_clock(timedelta(hours=-1))
    provider.answers = {}
    frozen.shift(timedelta(seconds=31))
    dispatcher.send_all()
    assert provider.addresses == sorted(EVERYBODY * 2)
