"""A look that nobody has saved: the page in it, whole, in the scheme that was chosen."""

from __future__ import annotations

from base64 import b64decode

import pytest

from statuspage.public.branding_preview import in_scheme, render_branding
from tests.public import samples
from tests.public.samples import LINKS


def sheet(html: str) -> str:
    encoded = html.partition("data:text/css;charset=utf-8;base64,")[2].partition('"')[0]
    return b64decode(encoded).decode()


@pytest.mark.parametrize(
    ("scheme", "light", "dark"),
    [("light", "min-width: 0", "max-width: 0"), ("dark", "max-width: 0", "min-width: 0")],
)
def test_a_scheme_counts_whatever_the_browser_prefers(scheme: str, light: str, dark: str) -> None:
    css = "@media (prefers-color-scheme: light) {} @media ( PREFERS-color-scheme:dark ) {}"
    assert in_scheme(css, scheme) == f"@media ({light}) {{}} @media ({dark}) {{}}"


def test_what_is_chosen_stands_in_place_of_what_is_saved_and_runs_nothing() -> None:
    chosen = {"accent": "#7a1fa2", "css": "/* </style><script>alert(1)</script> */"}
    html = render_branding(samples.ALL_FINE, LINKS, chosen=chosen, scheme="dark")
    assert sheet(html).count("--accent: #7a1fa2") == 1
    assert sheet(html).endswith(":root { color-scheme: dark; }")
    assert "<script" not in html
    assert html.count('<base target="_blank">') == 1


def test_a_notice_goes_before_the_content_once() -> None:
    html = render_branding(
        samples.ALL_FINE, LINKS, chosen={}, scheme="light", notice="<p>Not saved.</p>"
    )
    assert html.count("<p>Not saved.</p>") == 1
