"""The migrations and the models say the same."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from statuspage import ROOT
from statuspage.db import Base, db


def test_the_migrations_make_the_tables_that_the_models_name(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_are_one_line_without_branches() -> None:
    assert len(ScriptDirectory(str(ROOT / "migrations")).get_heads()) == 1
