"""Backing a database up while the service runs, and putting a backup in its place.

SQLite copies itself; PostgreSQL is dumped and read back by its own ``pg_dump`` and ``pg_restore``.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pysqlite3
from flask import Flask
from sqlalchemy import delete, inspect, text

from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import current_session, sqlite_path, writing
from statuspage.delivery import control, report
from statuspage.models import Worker
from statuspage.runtime import postgresql_dumps
from statuspage.runtime.versions import (
    UnusableDatabase,
    errors_in_one_line,
    migrate,
    newest_version,
    pending,
    present_version,
)
from statuspage.runtime.worker import has_worker

HELD_AFTER_RESTORE = (
    "Restored from a backup. What was sent since then is not known here, so some of what waits may "
    "have gone already. Look at what waits, then release it."
)

NAMED: Final = re.compile(r"statuspage-\d{8}T\d{6}Z\.(db|dump)")
"""What a backup is called that is one of several."""

_HOLD = """
    INSERT INTO holds (channel, reason, at) VALUES (?, ?, ?)
    ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason
"""
_SERVED: Final = "a worker serves this database; stop the service first"


def back_up(settings: Settings, target: Path) -> None:
    """Copy the database, as it is at one moment, into a new file; :class:`UnusableDatabase`."""
    if target.exists():
        raise UnusableDatabase(f"{target} exists already; choose another name")
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if settings.is_sqlite:
            _copy(_sqlite_file(settings), partial)
        else:
            postgresql_dumps.dump(settings, partial)
        partial.replace(target)
    except (OSError, pysqlite3.Error) as error:
        raise UnusableDatabase(f"{target} cannot be written: {error}") from None
    finally:
        partial.unlink(missing_ok=True)


def back_up_into(settings: Settings, folder: Path, *, keep: int) -> Path:
    """Make a backup named after the moment in a folder, read it back, and keep the newest ``keep``.

    Returns the new one.  Raises :class:`UnusableDatabase`, and then all that were there stay.
    """
    ending = "db" if settings.is_sqlite else "dump"
    made = folder / f"statuspage-{clock.now():%Y%m%dT%H%M%SZ}.{ending}"
    back_up(settings, made)
    try:
        check_backup(settings, made)
    except UnusableDatabase:
        # Under this name it would count as the newest.
        made.unlink()
        raise
    # By name they are in the order of their moments.
    for old in sorted(folder.glob(f"statuspage-*Z.{ending}"))[:-keep]:
        old.unlink()
    return made


def restore(app: Flask, backup: Path) -> Path | None:
    """Put a backup in the database's place and hold the outbox; stop the service before.

    Returns where the present database is kept; None where there was none.  Raises
    :class:`UnusableDatabase`, and then nothing has changed.
    """
    settings: Settings = app.extensions["settings"]
    check_backup(settings, backup)
    with errors_in_one_line(settings), app.app_context():
        put = _restore_sqlite if settings.is_sqlite else _restore_postgresql
        kept = put(settings, backup)
    settle_restored(app)
    return kept


def settle_restored(app: Flask) -> None:
    """Make a database that was put back from a backup, by whatever tool, safe to start with.

    The outbox is held, and ids that were given since the backup are not given again.
    Call it before the service starts.
    """
    with errors_in_one_line(app.extensions["settings"]), app.app_context():
        if pending(present_version()):
            migrate()
        with writing() as session:
            control.put_hold(session, control.EVERYTHING, reason=HELD_AFTER_RESTORE)
            control.skip_numbers(session)
            session.execute(delete(Worker))


def check_backup(settings: Settings, backup: Path) -> None:
    """Raise :class:`UnusableDatabase` where a file is no whole backup that this release can use."""
    if not backup.is_file():
        raise UnusableDatabase(f"{backup} is not a file")
    version = (
        _sqlite_version(backup)
        if settings.is_sqlite
        else postgresql_dumps.version_of(settings, backup)
    )
    if version > newest_version():
        raise UnusableDatabase(f"{backup} was made by a newer version of this service")


def _restore_sqlite(settings: Settings, backup: Path) -> Path | None:
    target = _sqlite_file(settings)
    if has_worker(settings):
        raise UnusableDatabase(_SERVED)
    arriving = target.with_name(target.name + ".arriving")
    try:
        _copy(backup, arriving)
        with closing(_connect(arriving)) as copy, copy:
            # Before it takes its place: whatever ends this halfway, nothing is sent.
            held = (control.EVERYTHING, HELD_AFTER_RESTORE, f"{clock.now():%F %T.%f}")
            copy.execute(_HOLD, held)
        kept = _set_aside(target) if target.exists() else None
        os.replace(arriving, target)
    except (OSError, pysqlite3.Error) as error:
        raise UnusableDatabase(f"{backup} cannot be restored: {error}") from None
    finally:
        arriving.unlink(missing_ok=True)
    return kept


def _restore_postgresql(settings: Settings, backup: Path) -> Path | None:
    session = current_session()
    kept = None
    if inspect(session.get_bind()).has_table(Worker.__tablename__):
        if not report.worker_trouble(session):
            raise UnusableDatabase(_SERVED)
        kept = settings.data_dir / "backups" / f"before-restore-{clock.now():%Y%m%dT%H%M%SZ}.dump"
        session.rollback()
        back_up(settings, kept)
    schema = session.scalar(text("SELECT quote_ident(current_schema())"))
    hold = f"""
        INSERT INTO {schema}.holds (channel, reason, at)
        VALUES ('{control.EVERYTHING}', '{HELD_AFTER_RESTORE}', now())
        ON CONFLICT (channel) DO UPDATE SET reason = excluded.reason;
    """
    postgresql_dumps.put_back(settings, backup, hold)
    return kept


def _sqlite_file(settings: Settings) -> Path:
    path = sqlite_path(settings)
    if path is None:
        raise UnusableDatabase("a database in memory has no backup")
    return path


def _connect(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection = pysqlite3.connect(str(path))
    return connection


def _copy(source: Path, target: Path) -> None:
    with closing(_connect(source)) as database, closing(_connect(target)) as copy:
        database.backup(copy)


def _sqlite_version(backup: Path) -> str:
    try:
        with closing(_connect(backup)) as database:
            sound = database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            version = database.execute("SELECT max(version_num) FROM alembic_version").fetchone()[0]
    except pysqlite3.Error as error:
        raise UnusableDatabase(f"{backup} is no backup of this service: {error}") from None
    if not sound:
        raise UnusableDatabase(f"{backup} is damaged")
    return version or ""


def _set_aside(target: Path) -> Path:
    kept = target.with_name(f"{target.name}.before-{clock.now():%Y%m%dT%H%M%SZ}")
    with closing(_connect(target)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.replace(target, kept)
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    return kept
