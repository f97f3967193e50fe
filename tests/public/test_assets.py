"""Static files as they are served."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from statuspage.public import assets


@pytest.mark.parametrize("name", ["page.css", "admin.css"])
def test_a_style_sheet_is_served_with_the_sheets_that_it_imports(name: str) -> None:
    served = assets.read_asset(name).decode()
    tokens, base = ((assets.FOLDER / part).read_text() for part in ("tokens.css", "base.css"))
    assert (served.count(tokens), served.count(base), served.count("@import")) == (1, 1, 0)
    assert served.index(tokens) < served.index(base)


def test_any_other_file_is_served_as_it_is() -> None:
    assert assets.read_asset("page.js") == (assets.FOLDER / "page.js").read_bytes()


def test_a_rule_stands_in_one_sheet_of_those_that_a_page_loads() -> None:
    base = _rules(assets.FOLDER / "base.css")
    for name in ("page.css", "admin.css"):
        assert _rules(assets.FOLDER / name) & base == set()


def _rules(path: Path) -> set[str]:
    css = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return {" ".join(rule.split()) for rule in re.findall(r"^[^@\s][^{}]*\{[^{}]*\}", css, re.M)}
