"""PostgreSQL backed up by its own programs and put back, on a server of its own database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from statuspage.core.config import Settings, load_settings
from statuspage.core.db import current_session, db, writing
from statuspage.delivery import control
from statuspage.models import Hold, Incident
from statuspage.runtime import backup, postgresql_dumps
from statuspage.runtime.application import create_app
from statuspage.runtime.versions import UnusableDatabase, present_version
from tests.databases import PostgresServer
from tests.upgrades.dumps import dumps, load_postgresql


@pytest.fixture
def url(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of an earlier version, and its server's programs in the path."""
    monkeypatch.setenv("PATH", f"{postgres_server.programs}:{os.environ['PATH']}")
    with postgres_server.another() as url:
        load_postgresql(dumps("postgresql")[-1], url)
        yield url


@pytest.fixture
def app(url: str, tmp_path: Path) -> Iterator[Flask]:
    made = create_app(
        load_settings({"DATABASE_URL": url, "DATA_DIR": str(tmp_path), "SECRET_KEY": "k" * 32})
    )
    with made.app_context():
        yield made
        current_session().rollback()
        db.engine.dispose()


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.extensions["settings"]
    return found


def titles() -> list[str]:
    found = list(current_session().scalars(select(Incident.title).order_by(Incident.id)))
    current_session().rollback()
    return found


def test_a_backup_is_put_back_whole_brought_up_to_date_and_held(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    before, had = titles(), present_version()
    backup.back_up(settings, tmp_path / "copy")
    assert postgresql_dumps.version_of(settings, tmp_path / "copy") == had
    with writing() as session:
        session.execute(text("UPDATE incidents SET title = 'After'"))
        session.execute(text("CREATE TABLE later (id int REFERENCES incidents)"))
    kept = backup.restore(app, tmp_path / "copy")
    assert titles() == before
    assert current_session().scalars(select(Hold.channel)).all() == [control.EVERYTHING]
    current_session().rollback()
    # What it replaced is kept, and comes back as well.
    assert kept is not None
    backup.restore(app, kept)
    assert set(titles()) == {"After"}


def test_what_cannot_be_restored_changes_nothing(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    before = titles()
    (tmp_path / "text").write_text("no dump")
    with pytest.raises(UnusableDatabase, match="input file does not appear to be a valid archive"):
        backup.restore(app, tmp_path / "text")
    backup.back_up(settings, tmp_path / "copy")
    with pytest.raises(UnusableDatabase, match="no_such_thing"):
        postgresql_dumps.put_back(settings, tmp_path / "copy", "SELECT no_such_thing;")
    assert titles() == before


def test_a_machine_without_the_programs_is_told_what_to_install(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not postgresql_dumps.is_available()
    with pytest.raises(UnusableDatabase) as refused:
        backup.back_up(settings, tmp_path / "copy")
    assert str(refused.value) == (
        "pg_dump is not on this machine; install PostgreSQL's client programs"
    )
