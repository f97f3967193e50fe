"""Every module that holds logic has its tests at the mirrored place.

Logic is what decides: a function without a branch, a loop, a comparison or a refusal has none.
``statuspage/delivery/claims.py`` is tested by ``tests/delivery/test_claims.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from tests.guards.source import ROOT, Source, sources

DECIDING = (
    ast.If, ast.IfExp, ast.BoolOp, ast.Compare, ast.Match, ast.For, ast.AsyncFor, ast.While,
    ast.comprehension, ast.Try, ast.Raise,
)  # fmt: skip


def mirrored(path: str) -> str:
    inside = Path(path).relative_to("statuspage")
    return f"tests/{inside.with_name(f'test_{inside.name}')}"


def decides(source: Source) -> bool:
    return any(
        isinstance(node, DECIDING) for function in source.functions for node in ast.walk(function)
    )


def untested(given: Iterable[Source]) -> set[str]:
    return {
        source.path
        for source in given
        if decides(source)
        and not Path(source.path).name.startswith("__")
        and not (ROOT / mirrored(source.path)).exists()
    }


def test_every_module_with_logic_has_its_tests_at_the_mirrored_place() -> None:
    assert untested(sources()) == set()


def test_the_guard_sees_a_module_without_tests() -> None:
    name = "statuspage/core/nowhere.py"
    assert untested([Source(name, "def f(x):\n    return x > 1\n")]) == {name}
    assert untested([Source(name, "def f(x):\n    return str(x)\n")]) == set()
    assert untested([Source(name, "X = 1 > 2\n")]) == set()
