"""What an incident's rows say: here, how an expected time that slips is known and owned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from statuspage.messages.facts import Facts
from statuspage.messages.incident_facts import Slip, facts_of, slips_of, with_slip
from statuspage.models import Incident, Page
from tests.factories import LINKS, NOON, minutes


def incident(**columns: object) -> Incident:
    """A row that no session has seen, with no more than a declaration fills in."""
    given = {"title": "Payments fail", "status": "investigating", "started_at": NOON}
    return Incident(**(given | columns))


def facts(row: Incident) -> Facts:
    return facts_of(Page(name="Acme", time_zone="UTC"), row, links=LINKS)


def expected(moment: datetime | None) -> dict[str, Any]:
    return {"expected_back": moment.isoformat() if moment else ""}


@pytest.mark.parametrize(
    ("before", "after", "slips"),
    [
        (NOON, NOON + minutes(60), [Slip(NOON, NOON + minutes(60), NOON)]),
        (NOON, None, [Slip(NOON, None, NOON)]),
        (NOON, NOON, []),
        (NOON, NOON - minutes(10), []),
        (None, NOON, []),
    ],
)
def test_only_a_later_time_or_none_is_a_slip(
    before: datetime | None, after: datetime | None, slips: list[Slip]
) -> None:
    kept = with_slip(expected(before), expected(after), NOON)
    assert slips_of(Incident(public_facts=kept)) == slips


def test_slips_are_counted_and_only_the_update_that_slips_owns_it() -> None:
    first = with_slip(expected(NOON), expected(NOON + minutes(30)), NOON - minutes(30))
    again = with_slip(first, {**first, **expected(NOON + minutes(60))}, NOON)
    row = incident(public_facts=again, updated_at=NOON)
    assert [slip.was for slip in slips_of(row)] == [NOON, NOON + minutes(30)]
    assert facts(row).public.expected_before == NOON + minutes(30)
    row.updated_at = NOON + minutes(5)
    assert facts(row).public.expected_before is None
