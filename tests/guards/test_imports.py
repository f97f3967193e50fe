"""Guards over the source itself: who may import what, and what may stand where."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "statuspage"

# The reading order: a module imports only from those above it.
ORDER = (
    *("core", "models", "access", "messages", "recipients", "configuration", "delivery"),
    *("incidents", "public", "importers", "admin", "api", "runtime", "__init__", "__main__"),
)

# The rooms that know of requests.
SPEAK_HTTP = {"admin", "api", "public"}
OF_A_REQUEST = {"request", "session", "flash", "render_template", "render_template_string", "g"}
# Not imported by name: what libraries find by themselves.
NEVER_IMPORTED = {"linkify-it-py", "psycopg", "tzdata"}
LONGEST_MODULE = 600


@dataclass(frozen=True, slots=True)
class Import:
    """``from module import name``, or ``import module`` where the name is empty."""

    module: str
    name: str
    line: int
    inside_function: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A module of the house, read."""

    path: str
    text: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def room(self) -> str:
        """Its place in the order: the name of its top-level module or package."""
        return Path(self.path).with_suffix("").parts[1]

    def rooms_imported(self) -> Iterator[tuple[int, str]]:
        """The line and place in the order of whatever it imports from the house."""
        for found in self.imports:
            parts = [*found.module.split("."), found.name]
            if parts[0] == "statuspage":
                yield found.line, parts[1] if parts[1] in ORDER else "__init__"


def read(file: Path) -> Source:
    text = file.read_text()
    tree = ast.parse(text)
    return Source(file.relative_to(ROOT).as_posix(), text, tree, tuple(find_imports(tree)))


def find_imports(tree: ast.Module) -> Iterator[Import]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, functions)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, "", node.lineno, id(node) in late)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(node.module or "", alias.name, node.lineno, id(node) in late)


@cache
def house() -> tuple[Source, ...]:
    return tuple(map(read, sorted(HOUSE.rglob("*.py"))))


def dotted(node: ast.expr) -> str:
    """``flask.session`` as text; empty for what is no plain chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def test_every_module_has_its_place_in_the_order() -> None:
    assert {source.room for source in house()} - set(ORDER) == set()


def test_a_module_imports_only_from_those_above_it() -> None:
    assert [
        f"{source.path}:{line} imports {room}"
        for source in house()
        for line, room in source.rooms_imported()
        if room != source.room and ORDER.index(room) > ORDER.index(source.room)
    ] == []


def test_nothing_is_imported_inside_a_function() -> None:
    assert [
        f"{source.path}:{found.line}"
        for source in house()
        for found in source.imports
        if found.inside_function
    ] == []


def test_the_supervisor_needs_the_standard_library_alone() -> None:
    (supervisor,) = (source for source in house() if source.path.endswith("/supervisor.py"))
    modules = {found.module.split(".")[0] for found in supervisor.imports}
    assert modules - set(sys.stdlib_module_names) == set()


def test_only_the_web_knows_of_requests() -> None:
    imported = [
        f"{source.path}:{found.line} imports {found.name}"
        for source in house()
        if source.room not in SPEAK_HTTP
        for found in source.imports
        if found.module == "flask" and found.name in OF_A_REQUEST
    ]
    used = [
        f"{source.path}:{node.lineno} uses {dotted(node)}"
        for source in house()
        if source.room not in SPEAK_HTTP
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and dotted(node) in {f"flask.{name}" for name in OF_A_REQUEST}
    ]
    assert imported + used == []


def test_only_writing_commits() -> None:
    commits = [
        source.path
        for source in house()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and dotted(node.func).endswith(".commit")
    ]
    assert commits == ["statuspage/core/db.py"]


def test_only_delivery_calls_a_provider() -> None:
    # Reading what a provider reports is no sending, nor is filling in a letter to show it.
    readers = {
        "statuspage.delivery.channels.sendgrid_webhook",
        "statuspage.delivery.channels.outgoing",
    }
    assert [
        f"{source.path}:{found.line} imports {found.module}"
        for source in house()
        if source.room != "delivery"
        for found in source.imports
        if f"{found.module}.{found.name}".startswith("statuspage.delivery.channels")
        and found.module not in readers
    ] == []


def test_no_module_is_longer_than_a_package_should_be() -> None:
    lengths = {source.path: source.text.count("\n") for source in house()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_what_the_house_imports_is_pinned_and_what_is_pinned_is_imported() -> None:
    chosen = (ROOT / "requirements.txt").read_text().split("\n\n")[0]
    brings = modules_of(chosen)
    used = imported_by("statuspage", "migrations")
    idle = {name for name, modules in brings.items() if not modules & used} - NEVER_IMPORTED
    unpinned = used - {"statuspage"}.union(*brings.values())
    assert (idle, unpinned) == (set(), set())


def test_what_tests_and_benches_import_is_pinned() -> None:
    pinned = modules_of((ROOT / "requirements.txt").read_text())
    pinned |= modules_of((ROOT / "requirements-dev.txt").read_text())
    ours = {"app", "statuspage", "tests"}
    assert imported_by("tests") - ours.union(*pinned.values()) == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_exactly(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert [
        line
        for line in lines
        if line
        and not line.startswith(("#", "-r "))
        and not re.fullmatch(r"[^=\s]+==[^=\s]+", line)
    ] == []


def test_nothing_in_the_project_tells_of_the_machine_it_was_written_on() -> None:
    places = re.compile(
        "|".join(
            ("/" + "work/", "/" + "root/", "/home" + r"/\w", "pypi" + r"\.org", "npmjs" + r"\.")
        )
    )
    assert [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in project_files()
        if (match := places.search(file.read_text(encoding="utf-8", errors="replace")))
    ] == []


def modules_of(requirements: str) -> dict[str, set[str]]:
    """Which modules each pinned distribution brings."""
    names = re.findall(r"^([\w.-]+)", requirements.replace("\n-r", "\n#"), re.MULTILINE)
    return {
        name: {file.parts[0].removesuffix(".py") for file in distribution(name).files or ()}
        for name in names
    }


def imported_by(*folders: str) -> set[str]:
    """The outermost modules that the code there imports, apart from the standard library's."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    imports = (found.module for file in files for found in read(file).imports)
    return {module.split(".")[0] for module in imports} - sys.stdlib_module_names


def project_files() -> Iterator[Path]:
    """Every text file that belongs to the project."""
    made = {".git", ".venv", ".tools", "instance", "results", "__pycache__", ".hypothesis"}
    made |= {".mypy_cache", ".pytest_cache", ".ruff_cache"}
    binary = {".png", ".jpg", ".ico", ".woff2", ".db"}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = set(folders) - made
        yield from (
            Path(folder, file)
            for file in files
            if file != ".git" and Path(file).suffix not in binary
        )
