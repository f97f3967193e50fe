"""The app with Alembic's commands: ``flask --app statuspage.runtime.migrating db upgrade``.

Kept apart from the app that serves and delivers: Alembic is a third of a start's time and 15 MB,
and is needed only when the schema changes.
"""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate

from statuspage.core.db import db
from statuspage.core.paths import MIGRATIONS
from statuspage.runtime.application import create_app


def add_migrations(app: Flask) -> Flask:
    """Teach an app the ``db`` commands and ``flask_migrate``'s functions."""
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True, compare_type=True)
    return app


def make_app() -> Flask:
    """The app of the environment, with migrations; what ``flask --app`` calls."""
    return add_migrations(create_app())
