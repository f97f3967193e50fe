"""Every public function and class of ``statuspage/`` is used there, or by a template."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tests.guards.source import ROOT, Function, Source, dotted, sources

# Used by what is no source of ours.
USED_OUTSIDE = {
    "create_app",  # app.py
    "make_app",  # flask --app statuspage.runtime.migrating:make_app
    "begin_migrating",  # migrations/env.py
    "run_patiently",  # migrations/env.py
}
# Decorators that give a function back to whoever calls it.
GIVES_BACK = {"cache", "lru_cache", "contextmanager", "contextlib.contextmanager", "dataclass"}


def unused(given: Iterable[Source], templates: str = "") -> list[str]:
    given = tuple(given)
    words = {name for source in given for name in _mentioned(source)}
    words |= set(re.findall(r"\w+", templates)) | USED_OUTSIDE
    return [
        f"{source.path}:{node.name}"
        for source in given
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and node.name not in words
        and not _is_registered(node)
    ]


def _is_registered(node: Function | ast.ClassDef) -> bool:
    """Whether a decorator hands it to Flask, click or SQLAlchemy."""
    calls = (found.func if isinstance(found, ast.Call) else found for found in node.decorator_list)
    return any(dotted(call) not in GIVES_BACK for call in calls)


def _mentioned(source: Source) -> Iterable[str]:
    """The names that code reads; importing alone, or ``__all__``, uses nothing."""
    for node in source.nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # An annotation in quotes, or a name that is looked up.
            yield node.value


def test_every_public_function_and_class_is_used() -> None:
    files = (ROOT / "templates").rglob("*.*")
    assert unused(sources(), "\n".join(file.read_text() for file in files)) == []


def test_the_guard_sees_what_nobody_uses() -> None:
    text = "@admin.route('/x')\ndef screen(): pass\ndef idle(): pass\ndef used(): pass\nused()\n"
    planted = Source("statuspage/core/x.py", text)
    assert unused([planted]) == ["statuspage/core/x.py:idle"]
    assert unused([planted], "{{ idle() }}") == []
