"""A name that a docstring refers to exists, so that prose is renamed with the code."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Mapping

from tests.guards.source import Source, sources

REFERENCE = re.compile(r":(?:func|class|mod|data|attr|meth|exc|obj):`~?([.\w]+)`")


def names_of(source: Source) -> Iterator[str]:
    """What a module defines or imports, and ``Class.member`` of its classes."""
    for found in source.imports:
        yield found.name or found.module.split(".")[0]
    for node in source.tree.body:
        yield from _bound(node)
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for inner in ast.walk(node) for name in _bound(inner))


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                yield name.id
            elif isinstance(name, ast.Attribute):
                yield name.attr


def dangling(given: Iterable[Source], known: Iterable[Source] = ()) -> list[str]:
    """The references of ``given`` to what is neither there nor in ``known``."""
    given = tuple(given)
    names = {source.module: set(names_of(source)) for source in (*known, *given)}
    return [
        f"{source.path}: {name}"
        for source in given
        for name in REFERENCE.findall(source.text)
        if not _exists(name, source, names)
    ]


def _exists(name: str, source: Source, names: Mapping[str, set[str]]) -> bool:
    if name.startswith("."):
        return _absolute(f"{source.package}{name}", names)
    if name.startswith("statuspage."):
        return _absolute(name, names)
    first = name.split(".")[0]
    local = names[source.module]
    inner = {full.split(".")[1] for full in local if "." in full}
    if name in local | inner or hasattr(builtins, first):
        return True
    # ``module.name``, where the module is imported; libraries are believed.
    modules = {f"{i.module}.{i.name}" for i in source.imports if i.name == first}
    return any(
        _absolute(module + name[len(first) :], names) if module.startswith("statuspage.") else True
        for module in modules
    ) or (first in local and any(i.module.split(".")[0] == first for i in source.imports))


def _absolute(name: str, names: Mapping[str, set[str]]) -> bool:
    if name in names:
        return True
    parts = name.split(".")
    ends = (".".join(parts[:place]) for place in range(len(parts) - 1, 0, -1))
    return any(end in names and name[len(end) + 1 :] in names[end] for end in ends)


def test_every_name_in_a_docstring_exists() -> None:
    assert dangling(sources()) == []


def test_the_guard_sees_a_reference_to_nothing() -> None:
    there = Source("statuspage/core/a.py", "class Clock:\n    zone: str\n")
    text = "# :class:`~.a.Clock`, :attr:`.a.Clock.hand`, :mod:`.a`, :mod:`.b` and :func:`gone`"
    assert dangling([Source("statuspage/core/c.py", text)], known=[there]) == [
        "statuspage/core/c.py: .a.Clock.hand",
        "statuspage/core/c.py: .b",
        "statuspage/core/c.py: gone",
    ]
