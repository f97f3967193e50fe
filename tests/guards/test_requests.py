"""Only the rooms that answer requests know of requests."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tests.guards.source import Source, dotted, sources

ANSWER_REQUESTS = {"admin", "api", "public"}
OF_A_REQUEST = {
    *("request", "session", "flash", "render_template", "render_template_string", "g"),
    *("abort", "redirect", "make_response"),
}


def knowing(given: Iterable[Source]) -> list[str]:
    """Where something of a request is imported or used by a room that answers none."""
    given = [source for source in given if source.room not in ANSWER_REQUESTS]
    imported = [
        f"{source.path}:{found.line} imports {found.name}"
        for source in given
        for found in source.imports
        if found.module == "flask" and found.name in OF_A_REQUEST
    ]
    used = [
        f"{source.path}:{node.lineno} uses {dotted(node)}"
        for source in given
        for node in source.nodes
        if isinstance(node, ast.Attribute)
        and dotted(node) in {f"flask.{name}" for name in OF_A_REQUEST}
    ]
    return imported + used


def test_only_the_rooms_that_answer_requests_know_of_them() -> None:
    assert knowing(sources()) == []


def test_the_guard_sees_a_request_in_another_room() -> None:
    text = "import flask\nfrom flask import request\nflask.flash('Saved')\n"
    assert knowing([Source("statuspage/incidents/x.py", text)]) == [
        "statuspage/incidents/x.py:2 imports request",
        "statuspage/incidents/x.py:3 uses flask.flash",
    ]
    assert knowing([Source("statuspage/admin/x.py", text)]) == []
