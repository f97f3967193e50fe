"""``docs/security.md`` names code and tests that are there, and leaves out no requirement."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.guards.source import ROOT

DOCUMENT = (ROOT / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.*) \| (.*?) ?\| (.*?) ?\|$", DOCUMENT, re.MULTILINE)

# Levels 1 and 2 of ASVS 5.0: how many requirements each section has, without those of servers.
SECTIONS = {
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.5": 5,
}  # fmt: skip


def missing(rows: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """What rows name that is not there; a row that does not apply names nothing."""
    found = []
    for number, how, code, test in rows:
        if how.startswith("doesn't apply"):
            continue
        path, _, name = test.strip("`").partition("::")
        file = ROOT / path
        if not (ROOT / "statuspage" / code.strip("`")).is_file() or not file.is_file():
            found.append(f"{number}: {code} {path}")
        elif not re.search(rf"def {name}\(", file.read_text()):
            found.append(f"{number}: {test}")
    return found


def test_each_file_and_test_that_it_names_is_there() -> None:
    assert missing(ROWS) == []


def test_no_requirement_of_the_chapters_on_sign_in_is_left_out() -> None:
    numbers = [number for number, *_ in ROWS]
    assert len(numbers) == len(set(numbers))
    counted = {name: sum(n.rpartition(".")[0] == name for n in numbers) for name in SECTIONS}
    assert counted == SECTIONS


def test_a_name_that_is_nowhere_is_found() -> None:
    row = ("6.1.1", "somehow", "`access/sign_ins.py`", "`tests/access/test_sign_ins.py::test_no`")
    assert missing([row]) == ["6.1.1: `tests/access/test_sign_ins.py::test_no`"]
