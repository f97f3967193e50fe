"""The company's own look from the admin, and on the public page."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from typing import Any

import lxml.html
from PIL import Image

from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, said, texts
from tests.htmlchecker import HtmlChecker

LOOK = "/admin/look"


def _picture() -> bytes:
    file = BytesIO()
    Image.effect_noise((32, 32), 50).save(file, "PNG")
    return file.getvalue()


PNG, DARK = _picture(), _picture()


def upload(desk: Desk, **pictures: bytes) -> Any:
    files = {name: (BytesIO(content), f"{name}.png") for name, content in pictures.items()}
    return desk.browser.send(f"{LOOK}/logo", files)


def home(desk: Desk) -> str:
    return desk.get("/").text


def test_colour_links_and_footer_stand_on_the_page(desk: Desk, html_errors: HtmlChecker) -> None:
    answer = desk.browser.send_shown(
        LOOK,
        {
            "accent": "#1D5FC4",
            "links": "Terms https://example.com/terms",
            "footer": "Made by **Acme**. <script>alert(1)</script>",
        },
    )
    assert answer.status_code == 303, answer.text
    assert said(desk.get(LOOK)) == ["The branding was saved."]
    shown = home(desk)
    assert '<a href="https://example.com/terms" dir="auto">Terms</a>' in shown
    assert "<strong>Acme</strong>" in shown
    assert "<script>alert" not in shown
    path = shown.partition('href="/look/style.')[2].partition('"')[0]
    style = desk.get(f"/look/style.{path}")
    assert (style.status_code, style.content_type) == (200, "text/css; charset=utf-8")
    assert "#1d5fc4" in style.text
    assert html_errors(shown) == []
    assert html_errors(desk.get(LOOK).text) == []


def test_what_does_not_fit_is_refused_with_what_would(desk: Desk) -> None:
    values = {"accent": "#ffcc00"}
    reason = (
        "Accent color: #ffcc00 is hard to read on the light page: its contrast is under "
        "4.5 to 1. #8a6e00 is the nearest that fits."
    )
    answer = desk.browser.send_shown(LOOK, values)
    assert (answer.status_code, reasons(answer)) == (422, [reason])
    assert "/look/" not in home(desk)


def test_a_logo_stands_in_place_of_the_name_until_it_is_removed(desk: Desk) -> None:
    assert upload(desk, logo=PNG).status_code == 303
    path = home(desk).partition('class="logo" src="')[2].partition('"')[0]
    shown = desk.get(path)
    assert (shown.data, shown.content_type) == (PNG, "image/png")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    desk.browser.send(f"{LOOK}/logo/remove", {})
    assert 'class="logo"' not in home(desk)


def logos(html: str) -> tuple[str, str]:
    """The addresses of the logo for dark backgrounds and of the one for all others."""
    root = lxml.html.fromstring(html)
    [logo] = root.cssselect(".brand img.logo")
    [source] = root.cssselect(".brand picture source") or [{"srcset": ""}]
    return str(source.get("srcset")), str(logo.get("src"))


def test_a_second_logo_is_shown_on_dark_backgrounds(desk: Desk, html_errors: HtmlChecker) -> None:
    upload(desk, logo=PNG, logo_dark=DARK)
    shown = home(desk)
    assert [desk.get(path).data for path in logos(shown)] == [DARK, PNG]
    assert '<source media="(prefers-color-scheme: dark)" srcset=' in shown
    assert html_errors(shown) == []
    assert html_errors(desk.get(LOOK).text) == []


def test_the_preview_shows_the_logo_of_its_scheme(desk: Desk) -> None:
    upload(desk, logo=PNG, logo_dark=DARK)
    shown = [
        desk.browser.send(f"{LOOK}/preview", {"scheme": scheme}).text
        for scheme in ("light", "dark")
    ]
    assert ['<source media="not all"' in shown[0], '<source media="all"' in shown[1]] == [True] * 2


def test_either_logo_is_exchanged_alone(desk: Desk) -> None:
    upload(desk, logo=PNG, logo_dark=DARK)
    upload(desk, logo_dark=PNG)
    upload(desk, logo=DARK)
    assert [desk.get(path).data for path in logos(home(desk))] == [PNG, DARK]


def test_the_logo_for_dark_backgrounds_is_removed_alone_and_the_other_with_it(desk: Desk) -> None:
    upload(desk, logo=PNG, logo_dark=DARK)
    desk.browser.send(f"{LOOK}/logo/remove", {"only": "dark"})
    assert said(desk.get(LOOK))[1:] == ["The page shows one logo on every background."]
    assert logos(home(desk))[0] == ""
    upload(desk, logo_dark=DARK)
    desk.browser.send(f"{LOOK}/logo/remove", {})
    assert [name in home(desk) for name in ("<picture", 'class="logo"')] == [False, False]


def test_a_logo_for_dark_backgrounds_alone_is_refused(desk: Desk) -> None:
    answer = upload(desk, logo_dark=DARK)
    assert (answer.status_code, reasons(answer)) == (
        422,
        ["Picture: Choose this one first: it is shown wherever the other is not."],
    )


def test_of_two_pictures_neither_is_taken_where_one_is_damaged(desk: Desk) -> None:
    answer = upload(desk, logo=PNG, logo_dark=DARK[:200])
    assert reasons(answer) == [
        "Picture for dark backgrounds: This picture is damaged or cut off. Save it again."
    ]
    assert 'class="logo"' not in home(desk)


def test_of_two_people_the_second_is_told(desk: Desk) -> None:
    sheet = fields(desk.get(LOOK).text)
    desk.browser.send(LOOK, {**sheet, "footer": "First"})
    answer = desk.browser.send(LOOK, {**sheet, "footer": "Second"})
    assert answer.status_code == 422
    assert "Footer: Now saved here: First" in reasons(answer)


def test_the_companys_own_style_sheet_stands_after_the_pages(desk: Desk) -> None:
    css = ".brand { letter-spacing: 0.02em }"
    assert desk.browser.send_shown(LOOK, {"css": css}).status_code == 303
    shown = home(desk)
    path = shown.partition('href="/look/style.')[2].partition('"')[0]
    assert shown.index("/static/page") < shown.index("/look/style.")
    assert desk.get(f"/look/style.{path}").text == css


def test_a_style_sheet_that_would_fetch_is_refused_with_its_line(desk: Desk) -> None:
    answer = desk.browser.send_shown(LOOK, {"css": "a {}\n@import url(https://evil.example);"})
    assert answer.status_code == 422
    assert reasons(answer)[0].startswith("Style sheet: Line 2: @import is not taken")
    assert "@import url(https://evil.example);" in answer.text
    assert "/look/" not in home(desk)


def sheet(html: str) -> str:
    """The one style sheet of a preview."""
    return b64decode(
        html.partition("data:text/css;charset=utf-8;base64,")[2].partition('"')[0]
    ).decode()


def test_the_preview_is_the_page_in_what_is_typed_and_keeps_nothing(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    before = home(desk)
    typed = {
        "accent": "#7A1FA2",
        "links": "Terms https://example.com/terms",
        "footer": "Made by **Acme**.",
        "css": ".brand { color: red } /* </style><script>alert(1)</script> */",
        "scheme": "dark",
    }
    answer = desk.browser.send(f"{LOOK}/preview", typed)
    assert answer.status_code == 200
    assert sheet(answer.text).count("--accent: #7a1fa2") == 1
    assert ".brand { color: red }" in sheet(answer.text)
    assert "prefers-color-scheme" not in sheet(answer.text)
    assert sheet(answer.text).endswith(":root { color-scheme: dark; }")
    assert '<a href="https://example.com/terms" dir="auto">Terms</a>' in answer.text
    assert "<strong>Acme</strong>" in answer.text
    assert "All Systems Operational</h1>" in answer.text
    assert "<script" not in answer.text
    assert html_errors(answer.text) == []
    assert home(desk) == before


def test_the_preview_says_what_it_cannot_show_and_shows_the_rest(desk: Desk) -> None:
    typed = {"accent": "#ffcc00", "css": "a { background: url(x) }", "footer": "Made by us"}
    answer = desk.browser.send(f"{LOOK}/preview", typed)
    assert [note.partition(":")[0] for note in texts(answer, "problem")] == [
        "Accent color is not shown",
        "Style sheet is not shown",
    ]
    assert "--accent" not in sheet(answer.text)
    assert "url(x)" not in sheet(answer.text)
    assert "Made by us" in answer.text
