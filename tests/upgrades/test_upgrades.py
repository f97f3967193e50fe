"""Databases of earlier commits come up under this one with all their data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import Engine, MetaData, select

from statuspage.core.config import load_settings
from statuspage.core.db import Base, current_session, db
from statuspage.core.enums import SubscribedUpdates, Visibility
from statuspage.models import Incident, Subscriber
from statuspage.public.edition_builder import build_edition
from statuspage.runtime.application import create_app
from statuspage.runtime.migrating import add_migrations
from statuspage.runtime.versions import newest_version
from tests.databases import PostgresServer
from tests.upgrades.dumps import dumps, load_postgresql, load_sqlite, version_in_name

Rows = Mapping[str, list[dict[str, Any]]]

# What a migration replaced, each with a test of what came of it.
REPLACED = {"subscribers.resolved_only"}
# All of them come up on SQLite; on PostgreSQL, where each takes longer, every other one.
ON_POSTGRESQL = dumps("postgresql")[::-2]


@contextmanager
def upgraded(url: str, folder: Path) -> Iterator[tuple[Flask, Rows]]:
    """The service on a database that it has just migrated, and the rows that were there before."""
    settings = {"DATABASE_URL": url, "DATA_DIR": str(folder), "SECRET_KEY": "k" * 32}
    app = add_migrations(create_app(load_settings(settings)))
    with app.app_context():
        before = rows_of(db.engine)
        flask_migrate.upgrade()
        try:
            yield app, before
        finally:
            current_session().rollback()
            db.engine.dispose()


def rows_of(engine: Engine) -> Rows:
    """Every row of every table, in the order of its key."""
    metadata = MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        return {
            name: [
                dict(row._mapping)
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for name, table in metadata.tables.items()
            if name != "alembic_version"
        }


def lost(before: Rows, after: Rows) -> list[str]:
    """What of the rows before is not there after, or differs."""
    found = []
    for table, rows in before.items():
        if len(rows) != len(after.get(table, ())):
            found.append(f"{table}: {len(rows)} rows before, {len(after.get(table, ()))} after")
            continue
        for old, new in zip(rows, after[table], strict=True):
            found += [
                f"{table}.{name}: {value!r}, not {new.get(name)!r}"
                for name, value in old.items()
                if new.get(name) != value and f"{table}.{name}" not in REPLACED
            ]
    return found


def check_all_is_there(app: Flask, before: Rows) -> None:
    assert lost(before, rows_of(db.engine)) == []
    session = current_session()
    for mapper in Base.registry.mappers:
        # Read as what the code knows it as: a state that it does not know would be an error.
        session.scalars(select(mapper)).all()
    public = select(Incident.title).where(Incident.visibility == Visibility.PUBLIC)
    titles = set(session.scalars(public))
    session.rollback()
    edition = build_edition(db.engine, app.extensions["links"], None)
    feed = edition.documents["/history.atom"].body.decode()
    assert {title for title in titles if title not in feed} == set()


@pytest.mark.parametrize("dump", dumps("sqlite"), ids=version_in_name)
def test_an_sqlite_database_of_an_earlier_commit_comes_up_with_all_its_data(
    dump: Path, tmp_path: Path
) -> None:
    file = tmp_path / "statuspage.db"
    load_sqlite(dump, file)
    with upgraded(f"sqlite:///{file}", tmp_path) as (app, before):
        check_all_is_there(app, before)


@pytest.mark.parametrize("dump", ON_POSTGRESQL, ids=version_in_name)
def test_a_postgresql_database_of_an_earlier_commit_comes_up_with_all_its_data(
    dump: Path, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with postgres_server.another() as url:
        load_postgresql(dump, url)
        with upgraded(url, tmp_path) as (app, before):
            check_all_is_there(app, before)


def test_whoever_asked_for_resolutions_alone_still_gets_them_alone(tmp_path: Path) -> None:
    file = tmp_path / "statuspage.db"
    load_sqlite(next(dump for dump in dumps("sqlite") if version_in_name(dump) == "0017"), file)
    with upgraded(f"sqlite:///{file}", tmp_path) as (_, before):
        assert [row["resolved_only"] for row in before["subscribers"]] == [True]
        asked = current_session().scalars(select(Subscriber.updates)).all()
        assert asked == [SubscribedUpdates.LAST]


def test_ten_earlier_versions_are_kept_none_of_them_newer_than_this_one() -> None:
    versions = [version_in_name(dump) for dump in dumps("sqlite")]
    assert versions == [version_in_name(dump) for dump in dumps("postgresql")]
    assert len(versions) >= 10
    assert max(versions) <= newest_version()
