"""When a delivery is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from statuspage.core.enums import Channel
from statuspage.delivery import retry
from statuspage.delivery.channels.outgoing import Fault


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
