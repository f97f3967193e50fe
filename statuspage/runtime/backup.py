"""What an operator does to the whole: bring the database up to date, back it up, restore it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pysqlite3
from flask import Flask
from sqlalchemy import delete, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from statuspage.access import accounts
from statuspage.configuration import page_settings
from statuspage.core import clock
from statuspage.core.config import Settings, current_settings, default_database_url
from statuspage.core.db import current_session, sqlite_path, writing
from statuspage.core.paths import COMMAND, MIGRATIONS, ROOT
from statuspage.delivery import control
from statuspage.delivery.dispatch import open_lanes
from statuspage.importers import demo
from statuspage.models import Page, Worker
from statuspage.runtime.worker import has_worker

HELD_AFTER_RESTORE = (
    "Restored from a backup. What was sent since then is not known here, so some of what waits may "
    "have gone already. Look at what waits, then release it."
)

_HOLD = """
    INSERT INTO holds (channel, reason, at) VALUES (?, ?, ?)
    ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason
"""


class UnusableDatabase(Exception):
    """The database or a file cannot be used; the text is one line for the operator."""


def prepare(app: Flask) -> tuple[str, str] | None:
    """Migrate, load the demo where it may be, and make the first account.

    Returns that account's address and password the first time, None afterwards.  Raises
    :class:`UnusableDatabase` where the database cannot be used, and
    :class:`~statuspage.core.config.ConfigError` for a mail provider's setting that is wrong.
    """
    settings: Settings = app.extensions["settings"]
    open_lanes(settings)
    with _errors_in_one_line(settings), app.app_context():
        _migrate()
        if demo.may_load():
            demo.load()
        page_settings.ensure_page(time_zone=settings.time_zone.key)
        if accounts.any_account(current_session()):
            return None
        return accounts.create_first(accounts.FIRST_ACCOUNT)


def keep_files_private() -> None:
    """Have what this process writes be its owner's alone; the exported site says otherwise itself.

    Database, mail files and uploads hold people's addresses.
    """
    os.umask(0o077)


def back_up(settings: Settings, target: Path) -> None:
    """Copy the SQLite database, as it is at one moment, into a new file;
    :class:`UnusableDatabase`.
    """
    source = _sqlite_file(settings)
    if target.exists():
        raise UnusableDatabase(f"{target} exists already; choose another name")
    partial = target.with_name(target.name + ".partial")
    try:
        with closing(_connect(source)) as database, closing(_connect(partial)) as copy:
            database.backup(copy)
        partial.replace(target)
    except (OSError, pysqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise UnusableDatabase(f"{target} cannot be written: {error}") from None


def restore(app: Flask, backup: Path) -> None:
    """Put a backup in the database's place and hold the outbox; stop the service before.

    The present database is kept beside it, with the time in its name.  Raises
    :class:`UnusableDatabase`, and then nothing has changed.
    """
    settings: Settings = app.extensions["settings"]
    target = _sqlite_file(settings)
    _check_backup(backup)
    if has_worker(settings):
        raise UnusableDatabase("a worker serves this database; stop the service first")
    arriving = target.with_name(target.name + ".arriving")
    try:
        with closing(_connect(backup)) as database, closing(_connect(arriving)) as copy:
            database.backup(copy)
            # Before it takes its place: whatever ends this halfway, nothing is sent.
            with copy:
                held = (control.EVERYTHING, HELD_AFTER_RESTORE, f"{clock.now():%F %T.%f}")
                copy.execute(_HOLD, held)
        if target.exists():
            _set_aside(target)
        os.replace(arriving, target)
    except (OSError, pysqlite3.Error) as error:
        arriving.unlink(missing_ok=True)
        raise UnusableDatabase(f"{backup} cannot be restored: {error}") from None
    settle_restored(app)


def settle_restored(app: Flask) -> None:
    """Make a database that was put back from a backup, by whatever tool, safe to start with.

    The outbox is held, and ids that were given since the backup are not given again.
    Call it before the service starts.
    """
    with _errors_in_one_line(app.extensions["settings"]), app.app_context():
        _migrate()
        with writing() as session:
            control.put_hold(session, control.EVERYTHING, reason=HELD_AFTER_RESTORE)
            control.skip_numbers(session)
            session.execute(delete(Worker))


def set_up_at(session: Session) -> datetime | None:
    """When the page was set up; None while nobody has."""
    return session.scalar(select(Page.set_up_at))


@contextlib.contextmanager
def _errors_in_one_line(settings: Settings) -> Iterator[None]:
    """Report trouble with the database in one line instead of a traceback."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        _close_to_others(settings)
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise UnusableDatabase(f"DATABASE_URL: the database cannot be used: {reason}") from None
    except OSError as error:
        raise UnusableDatabase(f"DATA_DIR: cannot be used: {error}") from None


def _close_to_others(settings: Settings) -> None:
    """Take from others what an older release left readable to everybody: the SQLite database."""
    if settings.database_url != default_database_url(settings.data_dir):
        return
    for ending in ("", "-wal", "-shm"):
        path = settings.data_dir / f"statuspage.db{ending}"
        with contextlib.suppress(FileNotFoundError, PermissionError):
            path.chmod(path.stat().st_mode & ~stat.S_IRWXO)


def _migrate() -> None:
    """Bring the schema up to date, in a process of its own, where it is not already."""
    version = _version()
    if version == _newest_version():
        return
    _refuse_foreign_schema(version)
    command = [sys.executable, "-m", "flask", "--app", "statuspage.runtime.migrating:make_app"]
    done = subprocess.run(
        [*command, "db", "upgrade"], cwd=ROOT, env=_environ(), capture_output=True, text=True
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise UnusableDatabase(f"the database cannot be migrated: {said[-1]}")


def _refuse_foreign_schema(version: str | None) -> None:
    """Raise :class:`UnusableDatabase` for tables that this release cannot have made."""
    if version is not None and version not in _versions():
        raise UnusableDatabase(
            f"DATABASE_URL: the database has version {version}, which this release does not know; "
            "a newer one made it, or another program"
        )
    tables = inspect(current_session().get_bind()).get_table_names()
    taken = sorted(Page.metadata.tables.keys() & tables)
    if version is None and taken:
        raise UnusableDatabase(
            f"DATABASE_URL: the database holds tables of another program ({', '.join(taken[:3])}); "
            "give this service a database of its own"
        )


def _version() -> str | None:
    session = current_session()
    if not inspect(session.get_bind()).has_table("alembic_version"):
        return None
    version: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    session.rollback()
    return version


def _newest_version() -> str:
    """Migrations are numbered, so the newest is the last by name."""
    return max(_versions())


def _versions() -> set[str]:
    return {file.name.split("_")[0] for file in (MIGRATIONS / "versions").glob("*.py")}


def _environ() -> dict[str, str]:
    """This app's database, however this app was configured."""
    settings = current_settings()
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "SECRET_KEY": settings.secret_key,
    }


def _sqlite_file(settings: Settings) -> Path:
    path = sqlite_path(settings)
    if path is None:
        raise UnusableDatabase(
            "this is for SQLite; on PostgreSQL use pg_dump and pg_restore, and then run: "
            f"{COMMAND} restored"
        )
    return path


def _connect(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection = pysqlite3.connect(str(path))
    return connection


def _check_backup(backup: Path) -> None:
    if not backup.is_file():
        raise UnusableDatabase(f"{backup} is not a file")
    try:
        with closing(_connect(backup)) as database:
            sound = database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            version = database.execute("SELECT max(version_num) FROM alembic_version").fetchone()[0]
    except pysqlite3.Error as error:
        raise UnusableDatabase(f"{backup} is no backup of this service: {error}") from None
    if not sound:
        raise UnusableDatabase(f"{backup} is damaged")
    if (version or "") > _newest_version():
        raise UnusableDatabase(f"{backup} was made by a newer version of this service")


def _set_aside(target: Path) -> None:
    kept = target.with_name(f"{target.name}.before-{clock.now():%Y%m%dT%H%M%SZ}")
    with closing(_connect(target)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.replace(target, kept)
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
