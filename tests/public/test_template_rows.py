"""What a page lists of its components, days and changes, from plain views."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from statuspage.public.snapshot import ComponentView, DayView, GroupView
from statuspage.public.template_rows import Run, StateChange, board, by_state, changes, runs
from tests.public import samples
from tests.public.samples import (
    DEGRADED,
    INVESTIGATING,
    MAJOR,
    NOON,
    OPERATIONAL,
    PARTIAL,
    ago,
    component,
    group,
    incident,
    post,
)


def parts(count: int, name: str = "Part") -> list[ComponentView]:
    return [component(f"{name} {number}") for number in range(count)]


def listed(*tree: GroupView | ComponentView, cut: bool = True) -> dict[str, list[str]]:
    """The names of what is listed, by the name of its row."""
    rows = board(tree, unfold=False, cut=cut).rows
    return {row.view.name: [each.name for each in row.components] for row in rows}


def test_a_group_has_the_worst_state_of_those_that_are_shown() -> None:
    shop = group("Shop", component("Cart", DEGRADED), component("Search", MAJOR), component("API"))
    (row,) = board((shop,), unfold=False, cut=False).rows
    assert (row.status, row.total, row.is_cut) == (MAJOR, 3, False)


def test_groups_stand_open_where_it_is_asked_for_or_something_is_wrong() -> None:
    tree = (group("Fine", component("A")), group("Broken", component("B", PARTIAL)))
    unfolded = [
        [row.is_unfolded for row in board(tree, unfold=unfold, cut=False).rows]
        for unfold in (False, True)
    ]
    assert unfolded == [[False, True], [True, True]]


def test_a_hundred_components_are_listed_whole_and_one_more_is_cut() -> None:
    whole = board(tuple(parts(100)), unfold=False, cut=True)
    assert (len(whole.rows), whole.total, whole.is_cut) == (100, 100, False)
    cut = board(tuple(parts(101)), unfold=False, cut=True)
    assert (len(cut.rows), cut.total, cut.is_cut) == (25, 101, True)
    uncut = board(tuple(parts(101)), unfold=False, cut=False)
    assert (len(uncut.rows), uncut.is_cut) == (101, False)


def test_of_very_many_components_the_worst_stays_and_the_first() -> None:
    tree = parts(300)
    tree[200] = component("Part 200", PARTIAL)
    assert list(listed(*tree)) == [*(f"Part {number}" for number in range(24)), "Part 200"]


def test_a_large_group_lists_some_of_its_own_and_counts_them_all() -> None:
    (row,) = board((group("Regions", *parts(150)),), unfold=False, cut=True).rows
    assert (len(row.components), row.total, row.is_cut) == (25, 150, True)


def test_however_many_groups_there_are_so_many_components_are_listed_and_trouble_first() -> None:
    groups = [group(f"Group {g}", *parts(30, f"Part {g}")) for g in range(20)]
    groups[19] = group("Group 19", *parts(29, "Part 19"), component("Broken", MAJOR))
    found = listed(*groups)
    assert sum(map(len, found.values())) == 200
    assert len(found) == 20
    assert ("Broken" in found["Group 19"], len(found["Group 19"])) == (True, 25)


def test_what_is_only_shown_in_trouble_and_its_group_are_left_out_until_then() -> None:
    fine, broken = (
        component("Legacy", s, only_show_if_degraded=True) for s in (OPERATIONAL, MAJOR)
    )
    api = component("API")
    assert listed(group("Old things", fine), fine, api) == {"API": []}
    assert listed(group("Old things", broken), api) == {"Old things": ["Legacy"], "API": []}


def days(*given: DayView) -> list[DayView]:
    return [
        replace(day, day=date(2026, 3, 10 - place)) for place, day in enumerate(given)
    ]  # fmt: skip


def spans(given: Iterable[DayView]) -> list[tuple[int, int, int, int]]:
    return [
        (run.first.day, run.last.day, len(run.incidents), len(run.continued))
        for run in runs(tuple(given))
    ]


def test_quiet_days_on_end_are_one_line_and_a_day_with_incidents_is_its_own() -> None:
    quiet = DayView(day=NOON.date(), incidents=(), more=0)
    busy = replace(quiet, incidents=(samples.PAYMENTS_OUTAGE,), more=2)
    assert spans(days(quiet, quiet, busy, busy, quiet)) == [
        (9, 10, 0, 0), (8, 8, 1, 0), (7, 7, 1, 0), (6, 6, 0, 0),
    ]  # fmt: skip
    (run,) = runs((busy,))
    assert run == Run(NOON.date(), NOON.date(), (samples.PAYMENTS_OUTAGE,), more=2)


def test_days_on_which_the_same_incidents_went_on_are_one_line_of_their_own() -> None:
    long = incident("Long", post(INVESTIGATING, "We look.", ago(days=3)))
    quiet = DayView(day=NOON.date(), incidents=(), more=0)
    goes_on = replace(quiet, continued=(long,))
    assert spans(days(goes_on, goes_on, quiet, quiet)) == [(9, 10, 0, 1), (7, 8, 0, 0)]


def test_components_that_changed_alike_are_one_change_and_unchanged_ones_none() -> None:
    api, webhooks, search, cart = (
        component(name) for name in ("API", "Webhooks", "Search", "Cart")
    )
    told = post(
        INVESTIGATING, "Down.", NOON,
        affected=[
            (api, OPERATIONAL, MAJOR), (cart, OPERATIONAL, PARTIAL),
            (webhooks, OPERATIONAL, MAJOR), (search, OPERATIONAL, OPERATIONAL),
        ],
    )  # fmt: skip
    assert changes(told) == [
        StateChange(OPERATIONAL, MAJOR, ("API", "Webhooks")),
        StateChange(OPERATIONAL, PARTIAL, ("Cart",)),
    ]


def test_components_stand_by_their_states_the_worst_first_and_removed_ones_last() -> None:
    fine, worse, worst = component("A"), component("B", DEGRADED), component("C", MAJOR)
    gone = component("D", MAJOR, is_removed=True)
    assert by_state((gone, fine, worse, worst)) == [
        (MAJOR, [worst]), (DEGRADED, [worse]), (OPERATIONAL, [fine]), (None, [gone]),
    ]  # fmt: skip
