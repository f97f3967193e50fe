"""The company's look: what would not do is refused with what would, before anything is kept."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from statuspage.configuration import branding
from statuspage.configuration.branding import (
    MOST_LINKS,
    MOST_LOGO_BYTES,
    MOST_LOGO_PIXELS,
    BrandingChoices,
    sort_choices,
)
from statuspage.core.errors import Invalid
from statuspage.models import Page, revision
from tests.configuration_edits import ACTOR, count_entries, last_entry


def picture(width: int = 8, height: int = 8, kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("L", (width, height)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("choices", "field", "reason"),
    [
        (BrandingChoices(accent="red"), "accent", "Enter the color as # and six digits"),
        (BrandingChoices(accent="#ffcc00"), "accent", "#ffcc00 is hard to read on the light page"),
        (BrandingChoices(accent="#1d5fc4", accent_dark="#000000"), "accent_dark", "#000000 is"),
        (BrandingChoices(accent_dark="#9ec5ff"), "accent", "Choose one for the light scheme too"),
        (BrandingChoices(links="Terms"), "links", "“Terms” is not"),
        (
            BrandingChoices(links="A https://a.org\n" * (MOST_LINKS + 1)),
            "links",
            "At most 6 links.",
        ),
        (BrandingChoices(css="a { background: url(x) }"), "css", "Line 1:"),
    ],
)
def test_what_cannot_be_taken_is_left_empty_with_the_reason(
    choices: BrandingChoices, field: str, reason: str
) -> None:
    left, refused = sort_choices(choices)
    assert list(refused) == [field]
    assert refused[field].startswith(reason)
    assert getattr(left, field) == ""


def test_the_colour_that_is_named_as_the_nearest_fits() -> None:
    _, refused = sort_choices(BrandingChoices(accent="#ffcc00"))
    nearest = refused["accent"].split()[-6]
    assert sort_choices(BrandingChoices(accent=nearest)) == (BrandingChoices(accent=nearest), {})


def test_choices_are_cleaned_before_they_are_compared() -> None:
    typed = BrandingChoices(accent=" #1D5FC4 ", footer=" Made by us \n")
    assert sort_choices(typed) == (BrandingChoices(accent="#1d5fc4", footer="Made by us"), {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x" * (MOST_LOGO_BYTES + 1), "Use a picture of at most 100 KB."),
        (b"<?xml?><SVG></SVG>", "An SVG can carry scripts. Save it as PNG or WebP"),
        (b"hello", "Choose a PNG, JPEG or WebP picture."),
        (picture(kind="GIF"), "Choose a PNG, JPEG or WebP picture."),
        (picture(2_001, 2_000), f"Use a picture of at most {MOST_LOGO_PIXELS:,} pixels."),
        (picture(200, 200)[:60], "This picture is damaged or cut off. Save it again."),
    ],
)
def test_what_is_no_safe_picture_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        branding.set_logo({"logo": content}, actor=ACTOR)
    assert (refused.value.field, refused.value.reason[: len(reason)]) == ("logo", reason)


def test_a_dark_logo_stands_beside_another_and_goes_with_it(session: Session, page: Page) -> None:
    with pytest.raises(Invalid, match="Choose this one first"):
        branding.set_logo({"logo_dark": picture()}, actor=ACTOR)
    branding.set_logo({"logo": picture(), "logo_dark": picture(9)}, actor=ACTOR)
    session.refresh(page)
    assert sorted(page.look) == ["logo", "logo_dark"]
    branding.remove_logo(actor=ACTOR)
    session.refresh(page)
    assert page.look == {}


def test_removing_what_is_not_there_changes_nothing(session: Session, page: Page) -> None:
    branding.remove_logo(actor=ACTOR)
    assert (count_entries(session), revision.current_number(session)) == (0, 0)


def test_choices_are_kept_with_what_they_were_and_the_page_is_told(
    session: Session, page: Page
) -> None:
    branding.change_branding(BrandingChoices(accent="#1D5FC4"), actor=ACTOR)
    entry = last_entry(session)
    assert (entry.action, entry.before["accent"], entry.after["accent"]) == (
        "look.change", "", "#1d5fc4",
    )  # fmt: skip
    assert branding.branding_choices(session) == BrandingChoices(accent="#1d5fc4")
    assert revision.current_number(session) == 1
