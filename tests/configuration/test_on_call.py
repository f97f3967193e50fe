"""Who is on call at a moment: weeks, swaps, the handover, and people who left."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from statuspage.configuration import contacts, on_call
from statuspage.configuration.editing import ContactDetails
from statuspage.core.errors import Invalid
from statuspage.models import Page
from tests.configuration_edits import ACTOR, last_entry

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def people(session: Session, page: Page) -> dict[str, int]:
    return {
        name: contacts.add_contact(ContactDetails(name), actor=ACTOR).id
        for name in ("Ana", "Bo", "Cy")
    }


def names(session: Session, moment: datetime = WEDNESDAY) -> list[str]:
    found = on_call.planned(session, moment)
    return [one.name for one in found.people] if found else []


def test_a_week_begins_on_monday_at_nine_where_the_page_is() -> None:
    handover = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert on_call.begins_at(MONDAY, BERLIN) == handover
    assert on_call.monday_of(handover, BERLIN) == MONDAY
    assert on_call.monday_of(handover - timedelta(seconds=1), BERLIN) == date(2026, 2, 23)
    # The clocks go forward on a Sunday.
    assert on_call.begins_at(date(2026, 3, 30), BERLIN) == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_a_swap_counts_in_whichever_place_and_until_it_is_over(
    session: Session, people: dict[str, int]
) -> None:
    ana, bo, cy = people.values()
    on_call.plan_weeks({MONDAY: (ana, bo)}, actor=ACTOR)
    assert names(session) == ["Ana", "Bo"]
    assert names(session, WEDNESDAY + timedelta(days=7)) == []
    until = WEDNESDAY + timedelta(hours=2)
    on_call.add_swap(WEDNESDAY, until, absent_id=bo, cover_id=cy, actor=ACTOR)
    assert last_entry(session).subject == "Cy for Bo"
    assert names(session) == ["Ana", "Cy"]
    found = on_call.planned(session, WEDNESDAY)
    assert found is not None
    assert found.until == until
    assert names(session, until) == ["Ana", "Bo"]
    (swap,) = on_call.swaps(session, WEDNESDAY)
    on_call.remove_swap(swap.id, actor=ACTOR)
    on_call.remove_swap(swap.id, actor=ACTOR)
    assert names(session) == ["Ana", "Bo"]


def test_who_left_is_not_on_call_and_an_empty_week_asks_the_roles(
    session: Session, people: dict[str, int], page: Page
) -> None:
    on_call.plan_weeks({MONDAY: (people["Ana"], None)}, actor=ACTOR)
    contacts.remove_contact(people["Ana"], actor=ACTOR)
    assert names(session) == []
    contacts.add_contact(ContactDetails("Olga", role="On-call"), actor=ACTOR)
    assert [one.name for one in on_call.on_call_now(session)] == ["Olga"]


def test_what_cannot_be_is_refused(session: Session, people: dict[str, int]) -> None:
    ana, bo, cy = people.values()
    with pytest.raises(Invalid, match="two different"):
        on_call.plan_weeks({MONDAY: (ana, ana)}, actor=ACTOR)
    with pytest.raises(Invalid, match="from the list"):
        on_call.plan_weeks({MONDAY: (cy + 1, None)}, actor=ACTOR)
    later = WEDNESDAY + timedelta(hours=1)
    for start, end, absent, cover in (
        (later, WEDNESDAY, ana, bo), (WEDNESDAY, later, ana, ana), (WEDNESDAY, later, ana, cy + 1),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            on_call.add_swap(start, end, absent_id=absent, cover_id=cover, actor=ACTOR)
    assert names(session) == []
