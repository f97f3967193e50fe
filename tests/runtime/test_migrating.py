from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from statuspage.core.db import db
from statuspage.runtime import migrating
from statuspage.runtime.migrating import add_migrations, begin_migrating, run_patiently


def test_the_app_that_migrates_has_alembic_s_commands_and_the_one_that_serves_has_not(
    app: Flask,
) -> None:
    assert "migrate" not in app.extensions
    config = add_migrations(Flask("statuspage")).extensions["migrate"]
    assert config.directory.endswith("migrations")


@pytest.mark.only_on("postgresql")
def test_a_migration_lets_others_go_first_and_tries_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT_MS", 20)
    with app.app_context(), db.engine.connect() as reader:
        reader.execute(text("SELECT id FROM accounts"))
        # Whoever reads goes on reading through the first pause, and is done in the second.
        pauses = iter([lambda: None, reader.rollback])
        monkeypatch.setattr(migrating.time, "sleep", lambda _seconds: next(pauses)())
        tries = []

        def lock() -> None:
            tries.append(1)
            with db.engine.begin() as connection:
                begin_migrating(connection)
                connection.execute(text("LOCK TABLE accounts"))

        run_patiently(lock)
        assert len(tries) == 3


@pytest.mark.only_on("postgresql")
def test_a_migration_that_finds_no_gap_ends(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT_MS", 20)
    monkeypatch.setattr(migrating, "PAUSES_S", (0,))
    with app.app_context(), db.engine.connect() as reader:
        reader.execute(text("SELECT id FROM accounts"))

        def lock() -> None:
            with db.engine.begin() as connection:
                begin_migrating(connection)
                connection.execute(text("LOCK TABLE accounts"))

        with pytest.raises(OperationalError, match="lock timeout"):
            run_patiently(lock)


@pytest.mark.only_on("postgresql")
def test_one_process_migrates_at_a_time(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as first, db.engine.begin() as second:
        begin_migrating(first)
        second.execute(text("SET LOCAL lock_timeout = 20"))
        with pytest.raises(OperationalError, match="lock timeout"):
            begin_migrating(second)
