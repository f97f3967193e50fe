"""A room imports only from the rooms before it, and no modules import each other in a circle."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from tests.guards.source import Source, sources

ORDER = (
    *("core", "models", "access", "messages", "recipients", "configuration", "delivery"),
    *("intake", "incidents", "public", "reports", "importers", "admin", "api", "runtime"),
    *("__init__", "__main__"),
)
# The management API and the commands call the verbs of most rooms; `__main__` is a room of itself.
# What is told by form about the past is kept as an import: that is the arrow from the admin.
# What alerts suggest is read by most rooms after it.
MOST_ARROWS = 87


def rooms_imported(source: Source) -> Iterator[tuple[int, str]]:
    """The line and the room of each import from another room."""
    for found in source.imports:
        parts = [*found.module.split("."), found.name]
        room = parts[1] if parts[1] in ORDER else "__init__"
        if parts[0] == "statuspage" and room != source.room:
            yield found.line, room


def upward(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}:{line} imports {room}"
        for source in given
        for line, room in rooms_imported(source)
        if ORDER.index(room) > ORDER.index(source.room)
    ]


def late(given: Iterable[Source]) -> list[str]:
    return [
        f"{source.path}:{found.line}"
        for source in given
        for found in source.imports
        if found.inside_function
    ]


def circle(given: Iterable[Source]) -> list[str]:
    """The modules of one circle of imports; empty where there is none."""
    given = tuple(given)
    modules = {source.module for source in given}
    graph = {
        source.module: {
            name if (name := f"{found.module}.{found.name}") in modules else found.module
            for found in source.imports
        }
        & modules
        for source in given
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_every_room_has_its_place_in_the_order() -> None:
    assert {source.room for source in sources()} - set(ORDER) == set()


def test_a_room_imports_only_from_the_rooms_before_it() -> None:
    assert upward(sources()) == []


def test_nothing_is_imported_inside_a_function() -> None:
    assert late(sources()) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(sources()) == []


def test_few_rooms_depend_on_one_another() -> None:
    arrows = {(source.room, room) for source in sources() for _, room in rooms_imported(source)}
    assert len(arrows) <= MOST_ARROWS


def test_the_supervisor_needs_the_standard_library_alone() -> None:
    (supervisor,) = (source for source in sources() if source.path.endswith("/supervisor.py"))
    modules = {found.module.split(".")[0] for found in supervisor.imports}
    assert modules - set(sys.stdlib_module_names) == set()


def test_the_guard_sees_an_import_against_the_order_late_or_in_a_circle() -> None:
    first = Source("statuspage/core/a.py", "from statuspage.core import b\n")
    second = Source(
        "statuspage/core/b.py",
        "def f():\n    from statuspage.core.a import x\n    import statuspage.api\n",
    )
    assert upward([first, second]) == ["statuspage/core/b.py:3 imports api"]
    assert late([first, second]) == ["statuspage/core/b.py:2", "statuspage/core/b.py:3"]
    assert set(circle([first, second])) == {"statuspage.core.a", "statuspage.core.b"}
