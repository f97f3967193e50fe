"""One archive with everything: what comes in is what went out, whichever databases they are."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.core.config import load_settings
from statuspage.core.db import Base, current_session, db, writing
from statuspage.delivery import control
from statuspage.models import Account
from statuspage.runtime import whole_archive
from statuspage.runtime.application import create_app
from statuspage.runtime.versions import UnusableDatabase
from tests.announcing import declare, resolve, set_up_scenario
from tests.browsing import make_account
from tests.databases import PostgresServer, SqliteTemplate

Rows = Mapping[str, list[Any]]


@pytest.fixture
def full(app: Flask, frozen: Traveller, tmp_path: Path) -> Path:
    """An archive of an installation that has sent mail."""
    scenario = set_up_scenario(app)
    with app.app_context():
        resolve(declare(scenario, title="Orders were late").code)
        with writing() as session:
            session.add(make_account())
    whole_archive.export_all(app, tmp_path / "all.zip")
    return tmp_path / "all.zip"


@contextmanager
def another(url: str, folder: Path) -> Iterator[Flask]:
    settings = {"DATABASE_URL": url, "DATA_DIR": str(folder), "SECRET_KEY": "k" * 32}
    app = create_app(load_settings(settings))
    with app.app_context():
        yield app
        current_session().rollback()
        db.engine.dispose()


@pytest.fixture
def other(app: Flask, sqlite_template: SqliteTemplate, tmp_path: Path) -> Iterator[Flask]:
    """An empty SQLite database with all tables."""
    with another(sqlite_template.copy_to(tmp_path / "other").url, tmp_path / "other") as made:
        yield made


def rows_of(app: Flask) -> Rows:
    """What an archive should hold, as the models read it."""
    with app.app_context():
        session = current_session()
        found = {
            table.name: [
                tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
            if table.name not in whole_archive.LEFT_OUT
        }
        session.rollback()
    return found


def check_came(before: Rows, app: Flask) -> None:
    """All is there; on SQLite one delivery that is none stands for the numbers that are skipped."""
    after = dict(rows_of(app))
    assert [hold[0] for hold in after.pop("holds")] == [control.EVERYTHING]
    after["deliveries"] = [row for row in after["deliveries"] if row[1] != 0]
    assert after == {name: rows for name, rows in before.items() if name != "holds"}


def test_an_archive_fills_an_empty_sqlite_database_with_everything(
    app: Flask, full: Path, other: Flask
) -> None:
    before = rows_of(app)
    whole_archive.import_all(other, full)
    check_came(before, other)


def test_an_archive_fills_a_postgresql_without_tables_and_goes_on_with_new_numbers(
    app: Flask, full: Path, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    before = rows_of(app)
    with postgres_server.another() as url, another(url, tmp_path / "other") as other:
        whole_archive.import_all(other, full)
        check_came(before, other)
        with writing() as session:
            session.add(make_account(email="another@example.com"))
        highest = max(current_session().scalars(select(Account.id)))
        assert highest == len(before["accounts"]) + 1


@pytest.mark.only_on("sqlite")
def test_an_archive_is_read_without_this_service(full: Path) -> None:
    with zipfile.ZipFile(full) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        incidents = opened.read("tables/incidents.jsonl").splitlines()
        assert opened.read("customers.csv").startswith(b'"email",')
    assert [json.loads(line)["title"] for line in incidents] == ["Orders were late"]
    assert manifest["rows"]["incidents"] == 1
    assert manifest["not_inside"][0].startswith("SECRET_KEY: ")
    assert not {"sign_ins", "workers"} & manifest["rows"].keys()


@pytest.mark.only_on("sqlite")
def test_a_database_that_has_rows_is_left_alone(app: Flask, full: Path) -> None:
    before = rows_of(app)
    with pytest.raises(UnusableDatabase, match="the database is not empty"):
        whole_archive.import_all(app, full)
    assert rows_of(app) == before


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.json", b"{}", "is no archive of this service"),
        ("manifest.json", b'{"version": "0001", "rows": {}}', "has version 0001"),
        ("tables/customers.jsonl", b"", "has 0 rows, and manifest.json says"),
        ("tables/customers.jsonl", b'{"id": 1}\n', "tables/customers.jsonl, lines 1 to 1: 'key'"),
        ("tables/incidents.jsonl", b"torn\n", "tables/incidents.jsonl, lines 1 to 1: "),
    ],
)
def test_a_damaged_archive_is_named_by_its_place_and_brings_nothing(
    full: Path, other: Flask, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(full) as whole, zipfile.ZipFile(damaged, "w") as written:
        for each in whole.namelist():
            written.writestr(each, content if each == name else whole.read(each))
    with pytest.raises(UnusableDatabase, match=said):
        whole_archive.import_all(other, damaged)
    assert {name for name, rows in rows_of(other).items() if rows} == set()


@pytest.mark.only_on("sqlite")
def test_a_file_that_is_there_is_not_written_over(app: Flask, full: Path) -> None:
    with pytest.raises(UnusableDatabase, match="exists already"):
        whole_archive.export_all(app, full)
