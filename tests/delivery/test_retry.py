"""When a delivery is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import claims, provider_events, retry
from statuspage.delivery.channels.provider import Fault
from statuspage.delivery.channels.sendgrid_webhook import Event, EventKind
from statuspage.delivery.dispatch import Dispatcher
from tests.announcing import (
    mails,
)
from tests.delivery.conftest import EVERYBODY, WORKER, Provider


@pytest.mark.parametrize(
    ("fault", "attempts", "longest"),
    [
        (Fault.PROVIDER, 0, 2),
        (Fault.PROVIDER, 3, 16),
        (Fault.PROVIDER, 99, 30),
        (Fault.RECIPIENT, 99, 900),
    ],
)
def test_each_try_waits_up_to_twice_as_long_until_the_cap(
    fault: Fault, attempts: int, longest: float
) -> None:
    waits = [retry.backoff_seconds(attempts, fault) for _ in range(200)]
    assert 1 <= min(waits) <= max(waits) <= longest


def test_the_waits_are_spread_so_that_not_all_come_back_at_once() -> None:
    assert len({retry.backoff_seconds(3, Fault.PROVIDER) for _ in range(20)}) > 1


@pytest.mark.parametrize(("channel", "seconds"), [(Channel.EMAIL, 90), (Channel.CHAT, 0)])
def test_only_mail_waits_for_an_event_of_the_provider(channel: Channel, seconds: int) -> None:
    assert retry.event_wait(channel, 90) == timedelta(seconds=seconds)


def test_what_is_too_old_to_be_news_expires(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller
) -> None:
    frozen.shift(timedelta(days=4))
    retry.settle_due()
    dispatcher.send_all()
    assert provider.sent == []
    assert mails(DeliveryState.EXPIRED) == EVERYBODY


def test_uncertain_mail_waits_for_news_and_is_then_sent_once_more(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller,
    session: Session,
) -> None:  # fmt: skip
    claim = claims.claim(WORKER, Channel.EMAIL, size=10)
    assert claim is not None
    claims.begin_call(claim.attempt_id)
    claims.rescue(WORKER, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=600)
    frozen.shift(599)
    retry.settle_due()
    dispatcher.send_all()
    assert provider.sent == []
    frozen.shift(1)
    retry.settle_due()
    dispatcher.send_all()
    assert provider.addresses == EVERYBODY


def test_mail_that_an_event_tells_of_is_not_sent_again_before_the_event_is_folded_in(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller,
    session: Session,
) -> None:  # fmt: skip
    claim = claims.claim(WORKER, Channel.EMAIL, size=10)
    assert claim is not None
    claims.begin_call(claim.attempt_id)
    claims.rescue(WORKER, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=600)
    told = claim.deliveries[0]
    provider_events.keep(
        [Event("e1", EventKind.DELIVERED, clock.now(), told.email, str(told.id), claim.attempt_id)]
    )
    frozen.shift(600)
    retry.settle_due()
    provider_events.fold()
    dispatcher.send_all()
    assert provider.addresses == [one for one in EVERYBODY if one != told.email]
