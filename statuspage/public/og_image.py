"""The picture that chats and networks show beside a link to the page: its name and its state.

1200 by 630 pixels, as the Open Graph protocol's readers want it (https://ogp.me), and made from the
state alone, by shape, colour and, where they can be drawn, words.  The one font that is there on
every machine knows ASCII only.  Other letters are drawn with the first of :data:`FONTS` on the
machine that has them all; where none has, the text is left to the link's title.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any, Final
from unicodedata import bidirectional, category

from PIL import Image, ImageDraw, ImageFont, features

from statuspage.core.languages import translations
from statuspage.public.badges import COLOURS
from statuspage.public.html_pages import overall_tone
from statuspage.public.snapshot import Frame

PATH: Final = "/preview.png"
UNCONFIRMED_PATH: Final = "/preview-unconfirmed.png"
CONTENT_TYPE: Final = "image/png"
SIZE: Final = (1200, 630)

# static/tokens.css, its light scheme.
_GROUND, _INK, _INK_SOFT = "#f6f7f8", "#15181c", "#535b66"
_EDGE: Final = 90
_SIGN: Final = 168
# Drawn so much larger and made smaller, since nothing else smooths an edge.
_FINER: Final = 4


def draw_preview(frame: Frame, *, host: str, is_confirmed: bool = True) -> bytes:
    """The picture as PNG; not confirmed, it vouches for no state."""
    tone = overall_tone(frame) if is_confirmed else "unknown"
    said = frame.description if frame.page.is_set_up and is_confirmed else "Not confirmed"
    words = translations(frame.page.language).gettext(said)
    return _draw(tone, frame.page.name, words, host)


@lru_cache(maxsize=16)
def _draw(tone: str, name: str, words: str, host: str) -> bytes:
    picture = Image.new("RGB", SIZE, _GROUND)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, SIZE[0], 18), fill=COLOURS[tone])
    sign = _draw_sign(tone)
    picture.paste(sign, (_EDGE, 231), sign)
    room = SIZE[0] - 2 * _EDGE
    _write(draw, name, (_EDGE, 130), size=56, room=room, fill=_INK)
    left = _EDGE + _SIGN + 52
    middle, beside = 231 + _SIGN // 2, SIZE[0] - _EDGE - left
    _write(draw, words, (left, middle), size=76, room=beside, fill=COLOURS[tone])
    _write(draw, host, (_EDGE, 528), size=36, room=room, fill=_INK_SOFT)
    file = BytesIO()
    picture.quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()


def _write(
    draw: Any, text: str, place: tuple[int, int], *, size: int, room: int, fill: str
) -> None:
    """One line, centred on its height, as small as ``room`` wants it; what is longer is cut.

    A text that no font can write is left out.
    """
    # Raqm lays no line out that holds a separator of lines or paragraphs.
    text = " ".join(text.split())
    file = _font_for(text)
    if file is None:
        return
    font = _font(file, size)
    while font.getlength(text) > room and size > 32:
        size -= 4
        font = _font(file, size)
    while font.getlength(text) > room:
        text = text[:-4].rstrip() + "..."
    draw.text(place, text, font=font, fill=fill, anchor="lm")


# By file name, as distributions call them; Pillow looks in the system's folders.
FONTS: Final = (
    *("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf"),
    *("NotoSansArabic-Regular.ttf", "NotoSansDevanagari-Regular.ttf", "NotoSansThai-Regular.ttf"),
    *("NotoSansCJK-Regular.ttc", "NotoSansJP-Regular.otf", "NotoSansCJKjp-Regular.otf"),
    *("DroidSansFallbackFull.ttf", "ipagp.ttf", "wqy-microhei.ttc"),
)
# The built-in font's, in the place of a file's name.
_BUILT_IN: Final = ""


def _font(file: str, size: int) -> Any:
    return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)


@lru_cache(maxsize=64)
def _font_for(text: str) -> str | None:
    """The file of a font that has all letters of ``text``; None where there is none."""
    if text.isascii():
        return _BUILT_IN
    # Without Raqm letters are not joined and run from left to right.
    is_plain = all(bidirectional(letter) not in {"R", "AL", "NSM"} for letter in text)
    if not is_plain and not features.check("raqm"):
        return None
    return next((file for file in FONTS if _has_letters(file, text)), None)


def _has_letters(file: str, text: str) -> bool:
    try:
        font = ImageFont.truetype(file, 24)
        font.getlength(text)
    except (OSError, RuntimeError):
        # The machine has no such font, or Raqm cannot lay the text out.
        return False
    # A letter that a font lacks is drawn as its sign for that, as this noncharacter is.
    lacking = bytes(font.getmask("\uffff"))
    return all(
        letter.isspace() or category(letter) == "Cf" or bytes(font.getmask(letter)) != lacking
        for letter in set(text)
    )


def _draw_sign(tone: str) -> Any:
    """The state's shape, as on the page (templates/public/icons.svg), in 20 by 20 steps."""
    scale = _SIGN * _FINER / 20
    sign = Image.new("RGBA", (_SIGN * _FINER, _SIGN * _FINER), (0, 0, 0, 0))
    draw = ImageDraw.Draw(sign)

    def at(points: Sequence[float]) -> list[float]:
        return [point * scale for point in points]

    _SHAPES[tone](draw, at, COLOURS[tone], scale)
    return sign.resize((_SIGN, _SIGN), Image.Resampling.LANCZOS)


_At = Callable[[Sequence[float]], list[float]]
_DISC: Final = (1, 1, 19, 19)


def _stroke(draw: Any, at: _At, points: Sequence[float], scale: float, colour: str) -> None:
    draw.line(at(points), fill=colour, width=round(2.1 * scale), joint="curve")


def _fine(draw: Any, at: _At, colour: str, scale: float) -> None:
    draw.ellipse(at(_DISC), fill=colour)
    _stroke(draw, at, (5.2, 10, 8.7, 13.4, 14.9, 7.2), scale, _GROUND)


def _planned(draw: Any, at: _At, colour: str, scale: float) -> None:
    draw.line(at((4, 16, 11, 9)), fill=colour, width=round(4.2 * scale))
    draw.ellipse(at((2, 14, 6.2, 18.2)), fill=colour)
    draw.ellipse(at((8.6, 1.2, 18.8, 11.4)), fill=colour)
    draw.polygon(at((12.6, 7.4, 12.2, 4.8, 16.6, 0, 20, 0, 20, 3.4, 15.2, 7.8)), fill=_GROUND)


def _minor(draw: Any, at: _At, colour: str, scale: float) -> None:
    draw.polygon(at((10, 1, 20, 18.6, 0, 18.6)), fill=colour)
    draw.rectangle(at((9, 6.8, 11, 12.2)), fill=_GROUND)
    draw.rectangle(at((9, 13.9, 11, 16)), fill=_GROUND)


def _major(draw: Any, at: _At, colour: str, scale: float) -> None:
    draw.ellipse(at(_DISC), fill=colour)
    draw.pieslice(at((3.2, 3.2, 16.8, 16.8)), -90, 90, fill=_GROUND)


def _critical(draw: Any, at: _At, colour: str, scale: float) -> None:
    corners = (6.3, 1, 13.7, 1, 19, 6.3, 19, 13.7, 13.7, 19, 6.3, 19, 1, 13.7, 1, 6.3)
    draw.polygon(at(corners), fill=colour)
    _stroke(draw, at, (6.5, 6.5, 13.5, 13.5), scale, _GROUND)
    _stroke(draw, at, (13.5, 6.5, 6.5, 13.5), scale, _GROUND)


def _unknown(draw: Any, at: _At, colour: str, scale: float) -> None:
    draw.ellipse(at(_DISC), outline=colour, width=round(2 * scale))
    font = ImageFont.load_default(round(12 * scale))
    draw.text(at((10, 10)), "?", font=font, fill=colour, anchor="mm")


_SHAPES: Final[dict[str, Callable[[Any, _At, str, float], None]]] = {
    "fine": _fine,
    "planned": _planned,
    "minor": _minor,
    "major": _major,
    "critical": _critical,
    "unknown": _unknown,
}
