"""A guard over the source: a fact that people type is declared in one module."""

from __future__ import annotations

import ast
from pathlib import Path

from statuspage.messages.facts import ASKED_INTERNAL, ASKED_PUBLIC

SOURCE = Path(__file__).resolve().parents[2] / "statuspage"
TYPED = {fact.name for fact in (*ASKED_PUBLIC, *ASKED_INTERNAL)}

ELSEWHERE = {
    "core/enums.py": "names a step of an incident",
    "access/audit_search.py": "names a column of the audit trail",
    "messages/facts.py": "declares them",
    "messages/incident_facts.py": "says which of them a step told first",
    "importers/demo/loading.py": "writes rows of a made-up company as they are kept",
    "messages/checks/phrases/__init__.py": "names a list of phrases",
}


def literals(path: Path) -> set[str]:
    """The texts that stand in a module as literals."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) if node.value in TYPED}


def test_the_name_of_a_typed_fact_is_a_literal_only_where_facts_are_declared() -> None:
    found = {
        str(path.relative_to(SOURCE)): names
        for path in SOURCE.rglob("*.py")
        if (names := literals(path))
    }

    assert found.keys() == ELSEWHERE.keys(), found
