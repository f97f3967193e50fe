"""What the rows of operations know about themselves."""

from __future__ import annotations

from datetime import timedelta

from statuspage.models import DeliveryTest
from tests.factories import NOON


def test_a_delivery_test_took_as_long_as_from_its_start_to_its_end() -> None:
    test = DeliveryTest(started_at=NOON)
    assert test.seconds is None
    test.finished_at = NOON + timedelta(seconds=4.5)
    assert test.seconds == 4.5
