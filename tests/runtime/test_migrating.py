from __future__ import annotations

from flask import Flask

from statuspage.runtime.migrating import add_migrations


def test_the_app_that_migrates_has_alembic_s_commands_and_the_one_that_serves_has_not(
    app: Flask,
) -> None:
    assert "migrate" not in app.extensions
    config = add_migrations(Flask("statuspage")).extensions["migrate"]
    assert config.directory.endswith("migrations")
