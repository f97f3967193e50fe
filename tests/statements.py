"""Counts the SQL statements that a request or a verb sends: a number, where a time would waver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def noted(engine: Engine) -> Iterator[list[str]]:
    """The statements that the engine sends meanwhile, in order, each with its parameters."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(f"{arguments[2]} {arguments[3]!r}")

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
