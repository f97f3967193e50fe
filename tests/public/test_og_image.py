from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from statuspage.public import og_image
from statuspage.public.badges import COLOURS
from tests.public import samples

HOST = "status.example.com"


def drawn(sample: str, **page: object) -> Image.Image:
    frame = samples.SAMPLES[sample].frame
    frame = replace(frame, page=replace(frame.page, **page))  # type: ignore[arg-type]
    return Image.open(BytesIO(og_image.draw_preview(frame, host=HOST))).convert("RGB")


def colours(image: Image.Image) -> set[str]:
    """The colours of more than a thousand points."""
    counted = image.getcolors(1 << 20) or []
    return {f"#{bytes(point).hex()}" for count, point in counted if count > 1000}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "tone"),
    [("all-fine", "fine"), ("worst-day", "critical"), ("maintenance", "planned")],
)
def test_it_has_the_size_that_readers_want_and_the_colour_of_the_state(
    name: str, tone: str
) -> None:
    image = drawn(name)
    assert image.size == (1200, 630)
    assert COLOURS[tone] in colours(image)


def test_every_tone_has_a_shape_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(og_image, "COLOURS", dict.fromkeys(COLOURS, "#000"))
    signs = {og_image._draw_sign(tone).tobytes() for tone in COLOURS}
    assert len(signs) == len(COLOURS)


def test_unconfirmed_it_vouches_for_nothing() -> None:
    frame = samples.ALL_FINE.frame
    image = og_image.draw_preview(frame, host=HOST, is_confirmed=False)
    shown = colours(Image.open(BytesIO(image)).convert("RGB"))
    assert (COLOURS["unknown"] in shown, COLOURS["fine"] in shown) == (True, False)


@pytest.mark.parametrize("name", ["Café Zürich", "Статус", "حالة الخدمة"])
def test_letters_beyond_ascii_are_drawn_with_a_font_of_the_machine(name: str) -> None:
    bare = og_image._draw("fine", "", "Fine", HOST)

    assert og_image._draw("fine", name, "Fine", HOST) != bare


def test_what_no_font_can_write_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(og_image, "FONTS", ("no-such-font.ttf",))
    og_image._font_for.cache_clear()
    unwritten = drawn("all-fine", name="東京", language="ja")
    og_image._font_for.cache_clear()
    bare = og_image._draw("fine", "", "", HOST)
    assert unwritten.tobytes() == Image.open(BytesIO(bare)).convert("RGB").tobytes()


def test_a_name_of_any_length_fits() -> None:
    image = drawn("all-fine", name="Marigold " * 40)
    edge = image.crop((1150, 40, 1200, 600)).getcolors() or []
    assert len(edge) == 1


def test_a_separator_of_paragraphs_in_a_name_is_drawn_as_a_space() -> None:
    two_lines = og_image._draw("fine", "شركة\u2029خدمة", "Fine", HOST)

    assert two_lines == og_image._draw("fine", "شركة خدمة", "Fine", HOST)
