"""Badges: the state by a word, a shape and a colour, readable wherever they are embedded."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from lxml import etree

from statuspage.core.enums import ComponentStatus, Impact
from statuspage.public import badges
from statuspage.public.html_pages import TONES
from tests.public.samples import INVESTIGATING, PAGE, ago, component, incident, post, snapshot

SVG = "{http://www.w3.org/2000/svg}"


def read(svg: str) -> etree._Element:
    return etree.fromstring(svg.encode())


def words(svg: str) -> str:
    return str(read(svg).findtext(f"{SVG}title"))


def test_the_page_is_named_with_its_overall_state() -> None:
    svg = badges.page_badge(snapshot(tree=(component("Shop"),)).frame)
    assert words(svg) == "Marigold: All Systems Operational"
    assert badges.COLOURS["fine"] in svg


def test_an_open_incident_turns_it() -> None:
    shown = incident("Down", post(INVESTIGATING, "We look.", ago()), impact=Impact.CRITICAL)
    svg = badges.page_badge(snapshot(incidents=[shown]).frame)
    assert words(svg) == "Marigold: Major System Outage"
    assert badges.COLOURS["critical"] in svg


def test_a_page_that_nobody_has_set_up_claims_nothing() -> None:
    site = snapshot(page=replace(PAGE, is_set_up=False))
    svg = badges.page_badge(site.frame)
    assert words(svg) == "Marigold: Not set up"
    assert badges.COLOURS["unknown"] in svg


@pytest.mark.parametrize("status", ComponentStatus)
def test_each_state_has_a_word_a_shape_and_a_colour_of_its_own(status: ComponentStatus) -> None:
    frame = snapshot().frame
    drawn = {
        each: badges.component_badge(component("Login", each), frame) for each in ComponentStatus
    }
    assert words(drawn[status]) == f"Login: {status.label}"
    assert badges.COLOURS[TONES[status]] in drawn[status]
    signs = {
        each: re.search(r'scale\(.*?<path[^>]* d="([^"]+)"', svg)[1] for each, svg in drawn.items()
    }  # type: ignore[index]
    assert len(set(signs.values())) == len(ComponentStatus)


def test_white_is_read_well_on_every_colour() -> None:
    for colour in [*badges.COLOURS.values(), "#2a3037"]:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4
            for each in channels
        )
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


def test_programs_that_read_aloud_find_one_image_with_its_words() -> None:
    svg = read(badges.page_badge(snapshot().frame))
    assert (svg.get("role"), svg.get("aria-label")) == ("img", "Marigold: All Systems Operational")


def test_nothing_in_it_is_fetched_or_run() -> None:
    svg = badges.page_badge(snapshot().frame)
    assert set(re.findall(r"https?://[^\"]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(script|style|image|use|foreignObject)|href|style=|@import|url\(", svg)


@pytest.mark.parametrize(
    "name", ["<script>\"&'", "a]]>b", "zero\x00 bell\x07", "شبكة \u202e", "状态 页面", "x" * 10_000]
)
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    svg = badges.component_badge(component(name), snapshot().frame)
    clean = name.replace("\x00", "").replace("\x07", "")
    assert words(svg) == f"{clean}: Operational"
    root = read(svg)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        "svg",
        "title",
        "path",
        "g",
        "text",
    }
    assert int(root.get("width", "0")) < 700


def test_what_nobody_vouches_for_says_so_and_keeps_its_name() -> None:
    svg = badges.component_badge(component("Tom & <Jerry>: live"), snapshot().frame)
    marked = badges.mark_unconfirmed(svg)
    assert words(marked) == "Tom & <Jerry>: live: Not confirmed"
    assert badges.COLOURS["unknown"] in marked
    assert badges.COLOURS["fine"] not in marked
    assert badges.mark_unconfirmed("<svg></svg>") == "<svg></svg>"


def size(name: str) -> int:
    return int(read(badges.component_badge(component(name), snapshot().frame)).get("width", "0"))


@pytest.mark.parametrize(
    ("typed", "as_wide_as"),
    [
        ("Cafe\u0301 cre\u0300me", "Cafe creme"),
        ("Café crème", "Cafe creme"),
        ("ที่นี่", "ทนา"),
        ("\u200fشَبَكَة", "شبكة"),
        ("e\u20dd", "e"),
    ],
)
def test_a_mark_above_or_below_a_letter_takes_no_room(typed: str, as_wide_as: str) -> None:
    assert size(typed) <= size(as_wide_as)


def test_texts_are_neither_stretched_nor_beside_their_place() -> None:
    svg = read(badges.component_badge(component("Checkout"), snapshot().frame))
    name, said = svg.iter(f"{SVG}text")
    assert [each.get("textLength") for each in (name, said)] == [None, None]
    assert [each.get("text-anchor") for each in (name, said)] == ["middle", "middle"]
    # Their widths in DejaVu Sans Bold, among the widest fonts that systems choose, at 12 pixels.
    room_left, room_right = (
        2 * float(name.get("x", "0")),
        2 * (int(svg.get("width", "0")) - float(said.get("x", "0"))),
    )
    assert (room_left >= 62.8 + 8, room_right >= 79.8 + 8) == (True, True)
