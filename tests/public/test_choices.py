"""The boxes of a form that chooses components: which there are, and which are ticked."""

from __future__ import annotations

import lxml.html
from markupsafe import Markup

from statuspage.public.choices import draw_choices
from statuspage.public.snapshot import ComponentView, GroupView
from tests.public.samples import MAJOR, component, group

LEGACY = component("Legacy", only_show_if_degraded=True)
OLD_API = component("Old API", only_show_if_degraded=True)


def boxes(
    *tree: GroupView | ComponentView, chosen: tuple[ComponentView, ...] = ()
) -> list[tuple[str, str, bool]]:
    """The group, the name and whether it is ticked, of each box."""
    drawn = draw_choices(tree, frozenset(each.code for each in chosen), Markup())
    root = lxml.html.fromstring(f"<ul>{drawn}</ul>")
    return [
        (
            "".join(box.xpath("ancestor::ul[@aria-label]/@aria-label")),
            box.getparent().text_content().strip(),
            box.get("checked") is not None,
        )
        for box in root.cssselect("input")
    ]


def test_a_groups_components_stand_in_a_list_of_its_name() -> None:
    api = component("API")
    assert boxes(group("Shop", component("Cart"), component("Search")), api, chosen=(api,)) == [
        ("Shop", "Cart", False), ("Shop", "Search", False), ("", "API", True),
    ]  # fmt: skip


def test_what_is_only_shown_in_trouble_is_offered_to_whoever_chose_it_alone() -> None:
    tree = (group("Shop", component("Cart"), OLD_API), LEGACY)
    assert boxes(*tree) == [("Shop", "Cart", False)]
    assert boxes(*tree, chosen=(OLD_API, LEGACY)) == [
        ("Shop", "Cart", False), ("Shop", "Old API", True), ("", "Legacy", True),
    ]  # fmt: skip


def test_boxes_stay_the_same_whatever_state_a_component_is_in() -> None:
    fine, broken = ((component("API", state),) for state in (component("API").status, MAJOR))
    assert draw_choices(fine, frozenset(), Markup()) == draw_choices(broken, frozenset(), Markup())


def test_a_name_is_text_in_its_own_language() -> None:
    drawn = draw_choices((component("<b>API</b>"),), frozenset(), Markup(' lang="de"'))
    assert '<bdi lang="de">&lt;b&gt;API&lt;/b&gt;</bdi>' in drawn
