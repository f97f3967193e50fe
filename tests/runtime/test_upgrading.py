"""Bringing a database up to date, with a backup before; and what is left alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest
from flask import Flask

from statuspage.core.config import load_settings
from statuspage.runtime import upgrading
from statuspage.runtime.application import create_app
from statuspage.runtime.versions import UnusableDatabase, newest_version
from tests.upgrades.dumps import dumps, load_sqlite, version_in_name

# What it lacks begins with the table of passkeys.
(OLD,) = (dump for dump in dumps("sqlite") if version_in_name(dump) == "0038")


def app_on_a_new_file(folder: Path) -> Flask:
    return create_app(load_settings({"DATA_DIR": str(folder), "SECRET_KEY": "for tests " * 4}))


def change(folder: Path, statement: str) -> None:
    with closing(pysqlite3.connect(str(folder / "statuspage.db"))) as database, database:
        database.execute(statement)


def test_the_tables_of_another_program_are_named_and_left_alone(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE incidents (number INTEGER)")
    with pytest.raises(UnusableDatabase) as refused:
        upgrading.prepare(app_on_a_new_file(tmp_path))
    assert str(refused.value) == (
        "DATABASE_URL: the database holds tables of another program (incidents); "
        "give this service a database of its own"
    )


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE alembic_version AS SELECT '9999' AS version_num")
    with pytest.raises(UnusableDatabase) as refused:
        upgrading.prepare(app_on_a_new_file(tmp_path))
    assert str(refused.value) == (
        "DATABASE_URL: the database has version 9999, which this release does not know; "
        "a newer one made it, or another program"
    )


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE incidents (number INTEGER)")
    file = tmp_path / "statuspage.db"
    file.chmod(0o644)
    with pytest.raises(UnusableDatabase):
        upgrading.prepare(app_on_a_new_file(tmp_path))
    assert file.stat().st_mode & 0o777 == 0o640


def version_of(file: Path) -> str:
    with closing(pysqlite3.connect(str(file))) as database:
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(version)


def test_without_room_for_a_backup_nothing_is_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_sqlite(OLD, tmp_path / "statuspage.db")
    app = app_on_a_new_file(tmp_path)
    monkeypatch.setattr(upgrading, "_free", lambda _folder: 10)
    with pytest.raises(UnusableDatabase, match=r"no backup can be made: .* make room, or upgrade"):
        upgrading.upgrade(app)
    assert version_of(tmp_path / "statuspage.db") == "0038"


def test_three_backups_of_upgrades_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_sqlite(OLD, tmp_path / "statuspage.db")
    (tmp_path / "backups").mkdir()
    old = [f"before-upgrade-000{number}-20250101T000000Z.db" for number in range(1, 5)]
    for name in [*old, "mine.db"]:
        (tmp_path / "backups" / name).touch()
    monkeypatch.setattr(upgrading, "migrate", lambda: None)
    upgrading.upgrade(app_on_a_new_file(tmp_path))
    left = sorted(file.name for file in (tmp_path / "backups").iterdir())
    assert left[:2] == old[2:]
    assert (len(left), left[-1]) == (4, "mine.db")


def test_starts_that_fail_again_and_again_cost_no_backup_of_an_earlier_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_sqlite(OLD, tmp_path / "statuspage.db")
    (tmp_path / "backups").mkdir()
    earlier = tmp_path / "backups" / "before-upgrade-0030-20250101T000000Z.db"
    failed = [f"before-upgrade-0038-2025010{day}T000000Z.db" for day in range(1, 6)]
    for name in [earlier.name, *failed]:
        (tmp_path / "backups" / name).touch()
    monkeypatch.setattr(upgrading, "migrate", lambda: None)
    upgrading.upgrade(app_on_a_new_file(tmp_path))
    left = sorted((tmp_path / "backups").iterdir())
    assert (len(left), left[0]) == (2, earlier)
    assert version_of(left[1]) == "0038"


def test_a_migration_that_fails_says_where_the_database_stands_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_sqlite(OLD, tmp_path / "statuspage.db")
    app = app_on_a_new_file(tmp_path)
    # A table of somebody else stands where the migration puts its own.
    change(tmp_path, "CREATE TABLE passkeys (number INTEGER)")
    with pytest.raises(UnusableDatabase) as failed:
        upgrading.upgrade(app)
    (kept,) = (tmp_path / "backups").iterdir()
    assert "table passkeys already exists" in str(failed.value)
    assert str(failed.value).endswith(
        f"; the database is whole, of version 0038, and its backup is {kept}; mend what is named "
        "and start again: what is left is done then"
    )
    change(tmp_path, "DROP TABLE passkeys")
    assert upgrading.upgrade(app).version == "0038"
    assert version_of(tmp_path / "statuspage.db") == newest_version()
