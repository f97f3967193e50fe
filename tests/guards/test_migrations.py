"""The migrations and the models say the same."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from statuspage.core.db import Base, db
from statuspage.core.paths import ROOT


def test_the_migrations_make_the_tables_that_the_models_name(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_are_one_line_in_the_order_of_their_numbers() -> None:
    line = ScriptDirectory(str(ROOT / "migrations")).walk_revisions()
    numbers = [script.revision for script in line]
    assert numbers[::-1] == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    files = sorted((ROOT / "migrations" / "versions").glob("*.py"))
    assert [file.name.split("_")[0] for file in files] == numbers[::-1]
