"""Which promises were kept, from the posts alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from statuspage.core.enums import Kind
from statuspage.incidents.promises import record_of
from statuspage.models import Incident, IncidentUpdate
from tests.factories import NOON


def incident(*updates: tuple[float, float | None], status: str = "investigating") -> Incident:
    """An incident with posts: minutes after noon, and the minute that each promises."""
    return Incident(
        kind=Kind.INCIDENT,
        status=status,
        updates=[
            IncidentUpdate(
                id=number,
                posted_at=NOON + timedelta(minutes=at),
                next_update_at=None if by is None else NOON + timedelta(minutes=by),
            )
            for number, (at, by) in enumerate(updates)
        ],
    )


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (incident((0, None)), "No updates were due."),
        (incident((40, 70)), "1 promise: 1 still to come"),
        (incident((0, 30), (30, 60)), "2 promises: 1 kept, 1 still to come"),
        (incident((0, 30), (34, 60), (50, None)), "2 promises: 1 kept, 1 late by 4 minutes"),
        (
            incident((0, 5), (9, 12), (20, 90), (50, None), status="resolved"),
            "3 promises: 1 kept, 2 late by up to 8 minutes",
        ),
        (
            incident((0, 30), (40, None), status="resolved"),
            "1 promise: 0 kept, 1 late by 10 minutes",
        ),
        (incident((0, 30.5), (31, None)), "1 promise: 0 kept, 1 late by less than a minute"),
        (incident((-90, 40), (30, 60), status="resolved"), "1 promise: 1 kept"),
    ],
)
def test_a_record_says_how_many_promises_were_kept(told: Incident, said: str) -> None:
    assert str(record_of(told, NOON + timedelta(minutes=50))) == said


def test_what_is_overdue_is_late_already() -> None:
    record = record_of(incident((0, 30)), NOON + timedelta(minutes=50))
    assert str(record) == "1 promise: 0 kept, 1 late by 20 minutes"


def test_when_a_post_was_made_counts_and_not_when_it_happened() -> None:
    told = incident((0, 30), (45, None))
    told.updates[1].happened_at = NOON + timedelta(minutes=20)
    assert record_of(told, NOON + timedelta(hours=1)).latest == timedelta(minutes=15)
