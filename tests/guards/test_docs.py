"""The documentation is held against the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from statuspage.core.config import SETTINGS
from statuspage.messages.checks import RULES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PATH = re.compile(r"`((?:[\w.-]+/)+(?:[\w.-]+\.py)?|\w+\.py)`")
# A folder of an installation, which its own data fills.
NOT_IN_THE_PROJECT = {"mail/"}


def missing_paths(text: str) -> set[str]:
    """Folders and modules that a text names, from the project's root or from ``statuspage/``."""
    return {
        path
        for path in PATH.findall(text)
        if not (ROOT / path).exists() and not (ROOT / "statuspage" / path).exists()
    }


def test_every_setting_is_documented_as_it_is() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (?:`(.*)`)? \| (.*) \|$", (DOCS / "settings.md").read_text(), re.MULTILINE
    )
    assert rows == [(setting.name, setting.default, setting.meaning) for setting in SETTINGS]


def test_every_package_stands_in_the_plan() -> None:
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
        (rule.id, rule.kind.value, "blocks" if rule.blocks else "warns", rule.reason)
        for rule in RULES
    ]


def test_every_file_that_the_documents_name_is_there() -> None:
    documents = [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    missing = {document.name: missing_paths(document.read_text()) for document in documents}
    assert {name: paths for name, paths in missing.items() if paths - NOT_IN_THE_PROJECT} == {}


def test_the_documentation_is_a_site_whose_links_and_anchors_are_there(tmp_path: Path) -> None:
    """Strict, as ``mkdocs.yml`` says: whatever is amiss ends it, a page in no menu too."""
    builder = Path(sys.executable).with_name("mkdocs")
    built = subprocess.run(
        [builder, "build", "-q", "-d", tmp_path],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (built.returncode, built.stdout) == (0, ""), built.stderr
    assert (tmp_path / "first-hour.html").is_file()


@pytest.mark.only_on("sqlite")
def test_every_command_that_the_documents_name_is_one(app: Flask) -> None:
    called = re.compile(r"^ *(?:statuspage|flask --app app) ([a-z][a-z-]+)", re.MULTILINE)
    quoted = re.compile(r"`(?:statuspage|flask --app app) ([a-z][a-z-]+)")
    texts = [file.read_text() for file in [*DOCS.glob("*.md"), ROOT / "README.md"]]
    named = {name for text in texts for each in (called, quoted) for name in each.findall(text)}
    assert named - app.cli.commands.keys() == set()
    assert {"run", "check", "upgrade", "backup", "export-all"} <= named


def test_the_guard_sees_a_file_that_is_not_there() -> None:
    named = "`delivery/claims.py`, `docs/`, `gone/` and `gone.py`"
    assert missing_paths(named) == {"gone/", "gone.py"}
