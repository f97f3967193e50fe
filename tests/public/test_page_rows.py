"""Rows of the page and its components as views: one order, and times of either database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from statuspage.public.page_rows import read_components, read_moment, read_page
from statuspage.public.snapshot import GroupView
from tests.factories import NOON, make_component, make_group


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-04 12:00:00.000000",
        "2026-03-04T12:00:00+00:00",
        "2026-03-04T13:00:00+01:00",
        datetime.fromisoformat("2026-03-04T13:00:00+01:00"),
    ],
)
def test_a_time_is_in_utc_however_it_comes(written: str | datetime) -> None:
    assert (read_moment(written), read_moment(written).tzinfo) == (NOON, UTC)


def test_a_page_that_nobody_set_up_is_named_all_the_same(session: Session) -> None:
    view = read_page(session.connection())
    assert (view.name, view.language, view.is_set_up) == ("Status", "en", False)


def test_places_are_counted_anew_where_rows_leave_gaps_and_removed_ones_come_last(
    session: Session,
) -> None:
    shop = make_group(session, "Shop", position=7)
    make_group(session, "Empty", position=1)
    make_component(session, "Search", group_id=shop.id, position=9)
    make_component(session, "Cart", group_id=shop.id, position=4)
    make_component(session, "API", position=5)
    make_component(session, "Old", group_id=shop.id, position=2, removed_at=NOON)
    session.flush()
    tree, by_key = read_components(session.connection())
    assert [
        (each.position, each.name)
        if not isinstance(each, GroupView)
        else (each.position, each.name, [(one.position, one.name) for one in each.components])
        for each in tree
    ] == [(1, "API"), (2, "Shop", [(1, "Cart"), (2, "Search")])]
    *_, last = by_key.values()
    assert (last.full_name, last.is_removed, last.position) == ("Shop - Old", True, 0)
