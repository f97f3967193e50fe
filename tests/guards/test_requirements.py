"""What is imported is pinned and the other way round; no file names the machine of its writer."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.guards.source import ROOT, read

# Not imported by name: what libraries find by themselves.
NEVER_IMPORTED = {"linkify-it-py", "psycopg", "tzdata", "uvloop"}


def test_what_is_imported_is_pinned_and_what_is_pinned_is_imported() -> None:
    chosen = (ROOT / "requirements.txt").read_text().split("\n\n")[0]
    brings = modules_of(chosen)
    used = imported_by("statuspage", "migrations")
    idle = {name for name, modules in brings.items() if not modules & used} - NEVER_IMPORTED
    unpinned = used - {"statuspage", "_typeshed"}.union(*brings.values())
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
