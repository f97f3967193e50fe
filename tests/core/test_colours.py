"""The company's own look: what fits the page, and what is made of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspage.core.colours import (
    AA,
    DARK_GROUNDS,
    LIGHT_GROUNDS,
    Branding,
    contrast,
    fits,
    fitting,
    ink_on,
    read_branding,
    read_links,
)
from statuspage.public.assets import FOLDER

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@given(COLOURS, st.sampled_from([LIGHT_GROUNDS, DARK_GROUNDS]))
def test_what_is_offered_fits(colour: str, grounds: tuple[str, ...]) -> None:
    offered = fitting(colour, grounds)
    assert fits(offered, grounds)
    assert offered == colour or not fits(colour, grounds)


@given(COLOURS)
def test_what_stands_on_a_colour_is_read(colour: str) -> None:
    assert contrast(ink_on(colour), colour) >= AA


def test_the_grounds_are_those_of_the_tokens() -> None:
    light, dark = (FOLDER / "tokens.css").read_text().split("@media screen")
    for css, grounds in ((light, LIGHT_GROUNDS), (dark, DARK_GROUNDS)):
        # The first that counts: paper has its own at the end.
        said = dict(reversed(re.findall(r"--(ground|surface): (#\w+);", css)))
        full = {"#fff": "#ffffff"}
        assert tuple(full.get(said[name], said[name]) for name in ("ground", "surface")) == grounds


def test_nothing_that_was_typed_becomes_style() -> None:
    hostile = read_branding(
        (("accent", "red;} * {display:none"), ("accent_dark", "#12345"), ("x", "y"))
    )
    assert hostile == Branding()
    assert list(hostile.files()) == []
    style = Branding(accent="#1d5fc4").style
    assert "--accent: #1d5fc4; --on-accent: #ffffff;" in style


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "Terms of use https://example.com/terms",
            (("Terms of use", "https://example.com/terms"),),
        ),
        ("Terms javascript:alert(1)", ()),
        ("https://example.com", ()),
        ("Terms https://example.com and more", ()),
    ],
)
def test_a_link_is_a_name_and_a_web_address(line: str, found: tuple[tuple[str, str], ...]) -> None:
    assert read_links(line) == found
