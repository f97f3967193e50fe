"""A name stands for one thing: no class twice, and no file twice outside ``admin/``."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from tests.guards.source import Source, sources, twice


def classes_twice(given: Iterable[Source]) -> dict[str, list[str]]:
    return twice(
        (node.name, source.path)
        for source in given
        for node in source.nodes
        if isinstance(node, ast.ClassDef)
    )


def files_twice(given: Iterable[Source]) -> dict[str, list[str]]:
    """A screen may have the name of what it shows."""
    paths = ((Path(source.path).name, source.path) for source in given if source.room != "admin")
    return twice((name, path) for name, path in paths if not name.startswith("__"))


def test_no_class_name_stands_for_two_things() -> None:
    assert classes_twice(sources()) == {}


def test_no_file_name_stands_for_two_things() -> None:
    assert files_twice(sources()) == {}


def test_the_guard_sees_a_class_and_a_file_of_the_same_name() -> None:
    paths = ["statuspage/core/x.py", "statuspage/models/x.py"]
    planted = [Source(path, "class Draft:\n    pass\n") for path in paths]
    assert classes_twice(planted) == {"Draft": paths}
    assert files_twice(planted) == {"x.py": paths}
