"""The app with Alembic's commands: ``flask --app statuspage.runtime.migrating db upgrade``.

Kept apart from the app that serves and delivers: Alembic is a third of a start's time and 15 MB,
and is needed only when the schema changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from flask import Flask
from flask_migrate import Migrate
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from statuspage.core.db import db
from statuspage.core.paths import MIGRATIONS
from statuspage.runtime.application import create_app

LOCK_TIMEOUT_MS: Final = 3_000
"""Whoever reads or writes a table queues behind a migration that waits for it: no longer than
this."""
PAUSES_S: Final = (1, 2, 4, 8, 15)
# Any number that nothing else locks; the workers' are random and much larger.
_ONE_AT_A_TIME: Final = 39_847


def add_migrations(app: Flask) -> Flask:
    """Teach an app the ``db`` commands and ``flask_migrate``'s functions."""
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True, compare_type=True)
    return app


def make_app() -> Flask:
    """The app of the environment, with migrations; what ``flask --app`` calls."""
    return add_migrations(create_app())


def run_patiently(run: Callable[[], None]) -> None:
    """Run a transaction, and again after a pause where a lock was not to be had in time.

    In the pauses those who waited behind it get their turn.
    """
    for pause in PAUSES_S:
        try:
            return run()
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
        time.sleep(pause)
    return run()


def begin_migrating(connection: Connection) -> None:
    """Have one process migrate at a time, and wait for no lock for long; within a transaction."""
    if connection.dialect.name != "postgresql":
        return
    # Both end with the transaction, so that a pooler's next client finds nothing of them.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
