"""The frame of the admin's screens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from time_machine import Traveller

from statuspage.admin import base
from statuspage.core.enums import DeliveryState, Visibility
from tests.browsing import Browser
from tests.factories import NOON


@pytest.mark.parametrize(
    "path", ["/admin/audit?text=%00", "/admin/customers?after=%00", "/admin/components%00"]
)
def test_an_address_that_no_database_can_be_asked_for_is_not_found(
    admin: Browser, path: str
) -> None:
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0.5, "now"), (12, "in 12 minutes"), (-180, "3 hours ago"), (-0.9, "now")],
)
def test_a_moment_is_as_far_off_as_people_say_it(
    frozen: Traveller, minutes: float, said: str
) -> None:
    assert base.relative(NOON + timedelta(minutes=minutes)) == said


def test_a_term_without_a_tone_of_its_own_is_shown_as_unknown() -> None:
    assert [base.tone(DeliveryState.BOUNCED), base.tone(Visibility.INTERNAL)] == [
        "critical",
        "unknown",
    ]
