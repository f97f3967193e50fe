"""Only ``recipients/suppression.py`` asks the table of suppressions, so its rule stands once."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tests.guards.source import Source, sources

RULE = "statuspage/recipients/suppression.py"
KINDS = {"bounced", "complained", "unsubscribed"}


def asks_suppression(source: Source) -> bool:
    """Whether the table is named otherwise than as the type of something."""
    annotations = {
        id(inner)
        for node in source.nodes
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(part, ast.expr)
        for inner in ast.walk(part)
    }
    return any(
        isinstance(node, ast.Name) and node.id == "Suppression" and id(node) not in annotations
        for node in source.nodes
    )


def compares_a_kind(source: Source) -> bool:
    """Whether a kind of suppression is compared as bare text."""
    return any(
        isinstance(side, ast.Constant) and side.value in KINDS
        for node in source.nodes
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
    )


def breaches(given: Iterable[Source]) -> list[str]:
    return [source.path for source in given if asks_suppression(source) or compares_a_kind(source)]


def test_only_the_rule_asks_the_table_of_suppressions() -> None:
    assert breaches(sources()) == [RULE]


def test_the_guard_sees_a_query_and_a_bare_kind_and_lets_a_type_pass() -> None:
    planted = [
        Source("query.py", "select(Suppression.reason)\n"),
        Source("kind.py", "left = found.kind == 'unsubscribed'\n"),
        Source("type.py", "def f(found: Suppression | None) -> Suppression: ...\n"),
    ]
    assert breaches(planted) == ["query.py", "kind.py"]
