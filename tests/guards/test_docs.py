"""The documentation is held against the code."""

from __future__ import annotations

import re
from pathlib import Path

from statuspage.core.config import SETTINGS
from statuspage.messages.checks import RULES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_setting_is_documented_as_it_is() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (?:`(.*)`)? \| (.*) \|$", (DOCS / "settings.md").read_text(), re.MULTILINE
    )
    assert rows == [(setting.name, setting.default, setting.meaning) for setting in SETTINGS]


def test_every_module_stands_in_the_plan_of_the_house() -> None:
    plan = (DOCS / "architecture.md").read_text()
    folder = DOCS.parent / "statuspage"
    modules = {
        entry.name + ("/" if entry.is_dir() else "")
        for entry in folder.iterdir()
        if not entry.name.startswith(("__", "."))
    }
    assert {module for module in modules if module not in plan} == set()


def test_every_check_is_documented_as_it_is() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \| (\w+) \| ([\w ]+) \| (.*) \|$",
        (DOCS / "checks.md").read_text(),
        re.MULTILINE,
    )
    assert rows == [
        (rule.id, rule.kind.value, "holds back" if rule.blocks else "warns", rule.reason)
        for rule in RULES
    ]
