"""The whole history as parts: what each is made of, and which of them a change touches."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from statuspage.core.languages import OFFERED
from statuspage.models import Component
from statuspage.public.archive import Part, PartKind, draft_parts, survey
from statuspage.public.queries import read_site
from tests.factories import LINKS, NOON, make_component, make_incident, make_page

OVER = ("investigating", "resolved")
Name = tuple[PartKind, str, bool]


@pytest.fixture
def checkout(session: Session) -> Component:
    make_page(session)
    checkout = make_component(session, "Checkout", code="checkout0000")
    make_incident(
        session, "Long", code="long00000000", started_at=NOON - timedelta(days=40),
        updates=OVER, step_minutes=15 * 24 * 60, components=[checkout],
    )  # fmt: skip
    session.flush()
    return checkout


def parts(session: Session) -> dict[Name, Part]:
    session.flush()
    found = survey(read_site(session, at=NOON))
    return {(part.kind, part.name, part.is_translated): part for part in found}


def changed(before: dict[Name, Part], after: dict[Name, Part]) -> set[tuple[PartKind, str]]:
    return {
        name[:2]
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }  # fmt: skip


def test_a_month_is_a_part_from_the_first_incident_to_this_one(
    session: Session, checkout: Component
) -> None:
    months = [name for kind, name, translated in parts(session) if kind is PartKind.MONTH]
    assert set(months) == {"2026-01", "2026-02", "2026-03"}


def test_each_page_is_a_part_in_the_pages_own_language_and_one_in_all_others(
    session: Session, checkout: Component
) -> None:
    found = parts(session)
    own = found[PartKind.PAGE, "long00000000", False]
    others = found[PartKind.PAGE, "long00000000", True]
    assert own.paths == ("/incidents/long00000000",)
    assert len(others.paths) == len(OFFERED) - 1
    assert "/de/incidents/long00000000" in others.paths


def test_a_post_touches_its_incident_its_month_and_its_components_alone(
    session: Session, checkout: Component
) -> None:
    make_component(session, "Search", code="search000000", position=1)
    before = parts(session)
    make_incident(
        session, "Short", code="short0000000", started_at=NOON - timedelta(days=1),
        updates=OVER, components=[checkout],
    )  # fmt: skip
    found = changed(before, parts(session))
    assert (PartKind.MONTH, "2026-03") in found
    assert (PartKind.RECENT_FEEDS, "checkout0000") in found
    assert {name for kind, name in found if kind in {PartKind.PAGE, PartKind.JSON}} == {
        "short0000000"
    }
    assert (PartKind.RECENT_FEEDS, "search000000") not in found


def test_an_incident_that_goes_on_is_open_and_what_is_gone_has_no_documents(
    session: Session, checkout: Component
) -> None:
    make_incident(session, "Open", code="open00000000")
    found = parts(session)
    assert {part.name for part in found.values() if part.is_open} == {"open00000000"}
    page = found[PartKind.PAGE, "open00000000", False]
    gone = page._replace(name="gone00000000", key=4711)
    drafted = draft_parts(read_site(session, at=NOON), [page, gone], LINKS)
    assert [path for path, _ in drafted] == ["/incidents/open00000000"]
