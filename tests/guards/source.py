"""The source of ``statuspage/``, parsed once for all guards, and sources planted to try them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "statuspage"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Import:
    """``from module import name``, or ``import module`` where the name is empty."""

    module: str
    name: str
    line: int
    inside_function: bool


@dataclass(frozen=True)
class Source:
    """A module: its path from the project's root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function and method, wherever it stands."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return tuple(node for node in self.nodes if isinstance(node, kinds))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(self._find_imports())

    def _find_imports(self) -> Iterator[Import]:
        # Only statements hold them: most of a tree, its expressions, is not looked at.
        waiting: list[tuple[ast.AST, bool]] = [(self.tree, False)]
        while waiting:
            node, is_late = waiting.pop()
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, "", node.lineno, is_late)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield Import(node.module or "", alias.name, node.lineno, is_late)
            is_late = is_late or isinstance(node, Function)
            for name in ("cases", "finalbody", "orelse", "handlers", "body"):
                waiting += [(each, is_late) for each in reversed(getattr(node, name, ()))]

    @property
    def module(self) -> str:
        """Its dotted name; a package's own is the package's."""
        return ".".join(Path(self.path).with_suffix("").parts).removesuffix(".__init__")

    @property
    def package(self) -> str:
        """The package that a reference with a leading dot starts from."""
        if self.path.endswith("/__init__.py"):
            return self.module
        return self.module.rpartition(".")[0]

    @property
    def room(self) -> str:
        """Its top-level package, or its own name at the top level."""
        return Path(self.path).with_suffix("").parts[1]


@cache
def sources() -> tuple[Source, ...]:
    """All modules of ``statuspage/``, by path."""
    return tuple(map(read, sorted(PACKAGE.rglob("*.py"))))


def read(file: Path) -> Source:
    return Source(file.relative_to(ROOT).as_posix(), file.read_text())


def dotted(node: ast.expr) -> str:
    """``flask.session`` as text; empty for what is no plain chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def twice(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The names that have several places, with these."""
    places: dict[str, list[str]] = {}
    for name, place in names:
        places.setdefault(name, []).append(place)
    return {name: found for name, found in places.items() if len(found) > 1}
