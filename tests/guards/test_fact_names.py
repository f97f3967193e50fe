"""A guard over the source: a fact that people type is declared in one module."""

from __future__ import annotations

import ast

from statuspage.messages.facts import ASKED_INTERNAL, ASKED_PUBLIC
from tests.guards.source import Source, sources

TYPED = {fact.name for fact in (*ASKED_PUBLIC, *ASKED_INTERNAL)}

ELSEWHERE = {
    "core/enums.py": "names a step of an incident",
    "access/audit_search.py": "names a column of the audit trail",
    "messages/facts.py": "declares them",
    "messages/incident_facts.py": "says which of them a step told first",
    "importers/demo/loading.py": "writes rows of a made-up company as they are kept",
    "messages/checks/phrases/__init__.py": "names a list of phrases",
}


def literals(source: Source) -> set[str]:
    """The texts that stand in a module as literals."""
    constants = (node.value for node in source.nodes if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and value in TYPED}


def test_the_name_of_a_typed_fact_is_a_literal_only_where_facts_are_declared() -> None:
    found = {
        source.path.removeprefix("statuspage/"): names
        for source in sources()
        if (names := literals(source))
    }

    assert found.keys() == ELSEWHERE.keys(), found
