"""What people read is free of the phrases that the style sheet bans."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from statuspage.core.paths import TEMPLATES
from tests.guards.source import Source, sources

ROOT = TEMPLATES.parent
STYLE = ROOT / "docs" / "wording.md"


def banned() -> list[str]:
    """The phrases of the first column of the style sheet's second table."""
    table = STYLE.read_text(encoding="utf-8").split("| banned | say |")[1]
    rows = re.findall(r"^\| ([^|]+) \|", table.split("\n\n")[0], re.MULTILINE)
    return [phrase for row in rows for phrase in row.split(", ")]


BANNED = re.compile(
    r"(?<!\w)(?:"
    + "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in banned())
    + r")(?!\w)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def prose() -> Iterator[tuple[str, str]]:
    """Templates without their comments, and the documentation."""
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in {".html", ".md", ".txt"}:
            yield str(path.relative_to(ROOT)), _COMMENT.sub("", path.read_text(encoding="utf-8"))
    for path in (*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))):
        if path != STYLE:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def literals(source: Source) -> str:
    """The texts in a module's code; what only its readers see, its docstrings, is left out."""
    alone = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}
    found = (
        node.value
        for node in source.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in alone
    )
    return "\n\n".join(found)


def test_no_template_and_no_page_of_the_documentation_holds_a_banned_phrase() -> None:
    assert [(name, found) for name, text in prose() for found in BANNED.findall(text)] == []


def test_no_text_in_the_code_holds_a_banned_phrase() -> None:
    found = {
        source.path: phrases
        for source in sources()
        if (phrases := BANNED.findall(literals(source)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text", ["You will Hear\nof it.", "with one press", "It was called off.", "made anew"]
)
def test_a_banned_phrase_is_found_in_any_case_and_across_lines(text: str) -> None:
    assert BANNED.search(text)


@pytest.mark.parametrize("text", ["We hear you often", "a renewed effort", "pressing", "so told"])
def test_a_bare_word_is_no_banned_phrase(text: str) -> None:
    assert not BANNED.search(text)
