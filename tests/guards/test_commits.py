"""Only ``db.writing()`` commits, so a verb is one transaction."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tests.guards.source import Source, dotted, sources


def commits(given: Iterable[Source]) -> list[str]:
    return [
        source.path
        for source in given
        for node in source.nodes
        if isinstance(node, ast.Call) and dotted(node.func).endswith(".commit")
    ]


def test_only_writing_commits() -> None:
    assert commits(sources()) == ["statuspage/core/db.py"]


def test_the_guard_sees_a_commit() -> None:
    planted = Source("statuspage/admin/x.py", "def f(session):\n    session.commit()\n")
    assert commits([planted]) == ["statuspage/admin/x.py"]
