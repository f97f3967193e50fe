import pytest

from statuspage.configuration.style_sheet import MOST_BYTES, check_css
from statuspage.core.errors import Invalid

FINE = """
:root { --radius: 0; --font: Georgia, serif }
@media (prefers-color-scheme: dark) { .masthead { background: #222; } }
@supports (display: grid) { .brand::before { content: "→ "; } }
.brand { background: url(data:image/png;base64,iVBORw0KGgo=) no-repeat; }
.panel { .name { font-weight: 700 } }
/* @import "nothing" */
"""


def test_what_real_sheets_nest_is_taken() -> None:
    check_css("@media all {" * 8 + "a { width: calc((1px + 2px) * 2) }" + "}" * 8)


def test_colours_fonts_spaces_and_pictures_in_the_sheet_are_taken() -> None:
    check_css("")
    check_css(FINE)


@pytest.mark.parametrize(
    ("css", "reason"),
    [
        ('a {}\n@import "https://example.com/a.css";', "Line 2: @import is not taken"),
        ("@IMP\\4fRT url(//x);", "Line 1: @import is not taken"),
        ('@font-face { src: url("https://example.com/a.woff2") }', "Line 1: @font-face is not"),
        ("a { background: url(https://example.com/?leak) }", "Line 1: url(https://example.com"),
        ('a { background: url("//example.com/x.png") }', "Line 1: url() is not taken"),
        ("@media print {\n a { background: u\\72l(/x) } }", "Line 2: url(/x) is not taken"),
        ('a { background: image-set("https://example.com/x" 1x) }', "Line 1: image-set() is not"),
        ("a { background: url(data:image/svg+xml,<svg/>) }", "Line 1: url(data:image/svg+xml"),
        ("a { b { c: url(//x) } }", "Line 1: url(//x) is not taken"),
        ("a { --x: url(//x) }", "Line 1: url(//x) is not taken"),
        ("a { width: expression(alert(1)) }", "Line 1: expression() could run something"),
        ("a { behavior: none }", "Line 1: behavior could run something"),
        ("a { color: red\n}}", "Line 2: this is no CSS"),
        ("a" * (MOST_BYTES + 1), "Use at most 20 KB of CSS."),
        ("\n" + "a{" * 1_000, "Line 2: use at most 32 blocks inside one another."),
        ("@media all{" * 33, "Line 1: use at most 32 blocks inside one another."),
        ("a { width: " + "calc(" * 4_000, "Line 1: use at most 32 blocks inside one another."),
        ('a { "}" [)' * 900, "Line 1: use at most 32 blocks inside one another."),
    ],
)
def test_what_would_fetch_or_run_or_is_none_is_refused_with_its_line(css: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_css(css)
    assert refused.value.field == "css"
    assert refused.value.reason.startswith(reason)
