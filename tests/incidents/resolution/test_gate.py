"""The gate before a resolution: since when it is watched, what is missing, and for which reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from statuspage.core.enums import IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.resolution.gate import (
    LONGEST_REASON,
    WHY_NOT,
    Gate,
    let_through,
    watched_since,
)
from statuspage.models import Approval, IncidentUpdate
from tests.factories import NOON

OPEN = Gate(watched=None, watch_for=None, not_back=())
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.mark.parametrize(
    ("statuses", "minute"),
    [
        (["investigating"], None),
        (["investigating", "monitoring"], 1),
        (["monitoring", "monitoring"], 0),
        (["monitoring", "identified"], None),
        (["monitoring", "identified", "monitoring"], 2),
    ],
)
def test_a_fix_is_watched_since_the_monitoring_that_nothing_broke(
    statuses: list[str], minute: int | None
) -> None:
    updates = [
        IncidentUpdate(status=status, happened_at=NOON + timedelta(minutes=number))
        for number, status in enumerate(statuses)
    ]
    expected = None if minute is None else NOON + timedelta(minutes=minute)
    assert watched_since(updates) == expected


@pytest.mark.parametrize(
    ("gate", "lacks"),
    [
        (OPEN, ()),
        (Gate(None, HALF_AN_HOUR, ()), ("watched",)),
        (Gate(HALF_AN_HOUR - timedelta(seconds=1), HALF_AN_HOUR, ()), ("watched",)),
        (Gate(HALF_AN_HOUR, HALF_AN_HOUR, ()), ()),
        (Gate(None, None, ("Checkout",)), ("components",)),
        (Gate(None, None, (), needs_approval=True), ("approval",)),
        (Gate(None, None, (), needs_approval=True, approval=Approval()), ("approval",)),
        (
            Gate(None, None, (), needs_approval=True, approval=Approval(approved_at=NOON)),
            (),
        ),
        (Gate(None, None, (), leaves_customers_out=True), ("customer_mail",)),
    ],
)
def test_what_does_not_hold_is_named(gate: Gate, lacks: tuple[str, ...]) -> None:
    assert gate.lacks == lacks


def test_whatever_is_missing_needs_a_reason_of_its_own_and_no_other_is_kept() -> None:
    gate = Gate(None, HALF_AN_HOUR, ("Checkout",))
    although = {"watched": " We know. ", "components": "x" * 501, "approval": "Not asked"}
    update = NewUpdate(IncidentStatus.RESOLVED, although=although)
    assert let_through(gate, update) == {"watched": "We know.", "components": "x" * LONGEST_REASON}
    assert let_through(OPEN, update) == {}


def test_a_blank_reason_is_none_and_is_asked_for_at_its_field() -> None:
    update = NewUpdate(IncidentStatus.RESOLVED, although={"watched": "  "})
    with pytest.raises(Invalid) as refused:
        let_through(Gate(None, HALF_AN_HOUR, ()), update)
    assert (refused.value.field, refused.value.reason) == ("because_watched", WHY_NOT["watched"])
