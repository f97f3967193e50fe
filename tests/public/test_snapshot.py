"""What views say of themselves: which are shown, when they began, and in which language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statuspage.core.enums import ComponentStatus, Impact
from statuspage.public.snapshot import frame_of
from tests.public import samples
from tests.public.samples import (
    COMPLETED,
    IN_PROGRESS,
    INVESTIGATING,
    MAJOR,
    NOON,
    OPERATIONAL,
    PAGE,
    RESOLVED,
    SCHEDULED,
    ago,
    component,
    group,
    incident,
    maintenance,
    post,
)


@pytest.mark.parametrize(
    ("status", "only_degraded", "is_removed", "is_shown"),
    [
        (OPERATIONAL, False, False, True),
        (OPERATIONAL, True, False, False),
        (MAJOR, True, False, True),
        (MAJOR, False, True, False),
    ],
)
def test_a_component_is_shown_unless_it_is_gone_or_well_and_only_shown_in_trouble(
    status: ComponentStatus, only_degraded: bool, is_removed: bool, is_shown: bool
) -> None:
    view = component("API", status, only_show_if_degraded=only_degraded, is_removed=is_removed)
    assert view.is_shown is is_shown


def test_a_group_stands_before_a_components_name_and_is_as_bad_as_its_worst() -> None:
    shop = group("Shop", component("Cart"), component("Search", MAJOR))
    assert [each.full_name for each in shop.components] == ["Shop - Cart", "Shop - Search"]
    assert (component("API").full_name, shop.status) == ("API", MAJOR)
    assert group("Empty").status is OPERATIONAL


def test_nothing_ends_before_it_begins_whatever_the_rows_say() -> None:
    over = post(RESOLVED, "Over.", ago(hours=3))
    view = incident("Wrong", over, started_at=ago(hours=1))
    assert view.started_at == view.begins_at == view.ran_from == view.resolved_at == ago(hours=3)


def test_a_window_that_ends_before_it_begins_has_no_end() -> None:
    planned = post(SCHEDULED, "Planned.", ago(days=1))
    view = maintenance("Wrong", planned, start=NOON, end=ago(hours=1))
    assert (view.scheduled_for, view.scheduled_until) == (NOON, None)


def test_a_maintenance_ran_from_when_it_really_began() -> None:
    planned = post(SCHEDULED, "Planned.", ago(days=1))
    early = post(IN_PROGRESS, "Begun.", ago(hours=3))
    over = post(COMPLETED, "Done.", ago(hours=1))
    window = {"start": ago(hours=2), "end": NOON}
    assert maintenance("Planned", planned, **window).ran_from == ago(hours=2)
    ran = maintenance("Early", over, early, planned, **window)
    assert (ran.ran_from, ran.begins_at) == (ago(hours=3), ago(hours=2))
    # With its newest post alone it is told when it began.
    listed = replace(ran, updates=(over,), begun_at=ago(hours=3))
    assert listed.ran_from == ago(hours=3)


def test_an_incident_is_told_of_from_its_first_post() -> None:
    first = post(INVESTIGATING, "We look.", ago(hours=3), posted_at=ago(hours=1))
    view = incident("Told", post(RESOLVED, "Over.", ago(hours=2), posted_at=NOON), first)
    assert (view.told_at, view.latest) == (ago(hours=1), view.updates[0])
    silent = replace(view, updates=())
    assert (silent.told_at, silent.latest) == (silent.created_at, None)


def test_a_post_is_in_each_language_that_it_has_a_text_in_and_else_in_the_pages_own() -> None:
    german = ("de", "Zahlungen schlagen fehl", "Wir suchen.")
    told = replace(post(INVESTIGATING, "We look.", NOON), translations=(german,))
    assert [told.is_in(language) for language in ("de", "fr")] == [True, False]
    assert [told.html_in(language) for language in ("de", "fr")] == [
        "<p>Wir suchen.</p>", "<p>We look.</p>",
    ]  # fmt: skip


def test_an_incident_has_the_title_of_its_newest_text_in_a_language() -> None:
    untitled = replace(
        post(RESOLVED, "Over.", NOON), translations=(("de", "", "Behoben."), ("fr", "", "Fini."))
    )
    german = replace(
        post(INVESTIGATING, "We look.", ago(hours=1)),
        translations=(("de", "Zahlungen schlagen fehl", "Wir suchen."),),
    )
    view = incident("Payments fail", untitled, german)
    assert [view.title_in(language) for language in ("de", "fr", "ja")] == [
        "Zahlungen schlagen fehl", "Payments fail", "Payments fail",
    ]  # fmt: skip
    assert [view.has_title_in(language) for language in ("de", "fr")] == [True, False]


def test_links_to_the_pages_own_paths_are_absolute_elsewhere() -> None:
    told = post(INVESTIGATING, "See [all](/history).", NOON)
    home = "https://status.example.com"
    assert 'href="/history"' in told.html
    assert f'href="{home}/history"' in told.html_below(home)
    assert f"{home}/history" in told.text_below(home)


def test_a_post_changed_when_it_was_corrected_or_else_posted() -> None:
    told = post(INVESTIGATING, "We look.", ago(hours=2))
    corrected = replace(told, edited_at=NOON)
    assert (told.changed_at, corrected.changed_at) == (ago(hours=2), NOON)


def test_a_frame_is_in_the_language_that_is_read_and_of_itself_says_nothing() -> None:
    frame = frame_of(PAGE)
    assert (frame.language, replace(frame, read_in="de").language) == ("en", "de")
    assert (frame.indicator, frame.description, frame.pinned) == (Impact.NONE, "", ())


def test_all_components_stand_in_the_pages_order() -> None:
    cart, api = component("Cart"), component("API")
    view = samples.snapshot(tree=[group("Shop", cart), api])
    assert [each.name for each in view.components] == ["Cart", "API"]
