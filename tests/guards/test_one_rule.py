"""Guards over rules that stand in one place."""

from __future__ import annotations

import ast

from tests.guards.test_imports import house

SUPPRESSION_RULE = "statuspage/recipients/suppression.py"


def names_suppression_in_code(tree: ast.Module) -> bool:
    """Whether the table is more than the type of something."""
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(part, ast.expr)
        for inner in ast.walk(part)
    }
    return any(
        isinstance(node, ast.Name) and node.id == "Suppression" and id(node) not in annotations
        for node in ast.walk(tree)
    )


def test_only_the_rule_of_suppression_asks_its_table() -> None:
    named = [source.path for source in house() if names_suppression_in_code(source.tree)]
    assert named == [SUPPRESSION_RULE]


def test_only_the_rule_of_suppression_writes_its_kinds_as_text() -> None:
    kinds = {"bounced", "complained", "unsubscribed"}
    asked = [
        f"{source.path}:{node.lineno}"
        for source in house()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant) and side.value in kinds
    ]
    assert asked == []
