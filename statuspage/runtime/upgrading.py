"""Bringing a database up to this release: with a backup before, or rehearsed on a copy alone."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from flask import Flask
from sqlalchemy import text

from statuspage.access import accounts
from statuspage.configuration import page_settings
from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import current_session, sqlite_path
from statuspage.delivery.dispatch import open_lanes
from statuspage.importers import demo
from statuspage.runtime import postgresql_dumps
from statuspage.runtime.backup import back_up
from statuspage.runtime.versions import (
    Migration,
    UnusableDatabase,
    errors_in_one_line,
    migrate,
    newest_version,
    pending,
    present_version,
)

log = logging.getLogger(__name__)

KEPT: Final = 3
"""Of so many versions the newest backup that was made before an upgrade stays.

A start that fails again and again makes many of one version, which cost none of an earlier one.
"""


_WITHOUT: Final = "or upgrade with --no-backup"


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """What an upgrade would do: the version that is there, and the migrations that it lacks.

    ``size`` and ``free`` are bytes: of the database, and where its backup would go.  ``backup`` is
    that file; None where none can or need be made.
    """

    version: str | None
    needed: str
    migrations: Sequence[Migration]
    backup: Path | None
    size: int
    free: int


def prepare(app: Flask) -> tuple[str, str] | None:
    """Migrate, load the demo where it may be, and make the first account.

    Returns that account's address and password the first time, None afterwards.  An SQLite database
    is backed up before it is migrated; how long a dump of PostgreSQL takes, no start can know.
    Raises :class:`UnusableDatabase` where the database cannot be used, and
    :class:`~statuspage.core.config.ConfigError` for a mail provider's setting that is wrong.
    """
    settings: Settings = app.extensions["settings"]
    open_lanes(settings)
    with errors_in_one_line(settings), app.app_context():
        _carry_out(settings, _plan(settings), with_backup=settings.is_sqlite)
        if demo.may_load():
            demo.load()
        page_settings.ensure_page(time_zone=settings.time_zone.key)
        if accounts.any_account(current_session()):
            return None
        return accounts.create_first(accounts.FIRST_ACCOUNT)


def plan(app: Flask) -> UpgradePlan:
    """What :func:`upgrade` would do; :class:`UnusableDatabase`."""
    settings: Settings = app.extensions["settings"]
    with errors_in_one_line(settings), app.app_context():
        return _plan(settings)


def upgrade(app: Flask, *, with_backup: bool = True) -> UpgradePlan:
    """Back the database up and bring it to this release; returns what was done.

    Raises :class:`UnusableDatabase`, which says where the database stands then.
    """
    settings: Settings = app.extensions["settings"]
    with errors_in_one_line(settings), app.app_context():
        planned = _plan(settings)
        _carry_out(settings, planned, with_backup=with_backup)
        return planned


def rehearse(app: Flask) -> bool:
    """Migrate a copy of an SQLite database, and throw it away; false on PostgreSQL, where none is.

    Raises :class:`UnusableDatabase` where that fails.
    """
    settings: Settings = app.extensions["settings"]
    if not settings.is_sqlite:
        return False
    with (
        errors_in_one_line(settings),
        app.app_context(),
        TemporaryDirectory(dir=settings.data_dir, prefix="rehearsal-") as folder,
    ):
        copy = Path(folder) / "copy.db"
        back_up(settings, copy)
        migrate(f"sqlite:///{copy}")
    return True


def require_room(planned: UpgradePlan) -> None:
    """Raise :class:`UnusableDatabase` where the disk has no room for the backup."""
    if planned.backup is None or planned.size <= planned.free:
        return
    needed, free = (f"{number / 1e6:,.0f} MB" for number in (planned.size, planned.free))
    raise UnusableDatabase(
        f"no backup can be made: {planned.backup.parent} has {free} free, it needs {needed}; "
        f"make room, {_WITHOUT}"
    )


def _plan(settings: Settings) -> UpgradePlan:
    version = present_version()
    lacking = pending(version)
    backup = None
    if version is not None and lacking and (settings.is_sqlite or postgresql_dumps.is_available()):
        ending = "db" if settings.is_sqlite else "dump"
        name = f"before-upgrade-{version}-{clock.now():%Y%m%dT%H%M%SZ}.{ending}"
        backup = settings.data_dir / "backups" / name
    free = _free(settings.data_dir)
    return UpgradePlan(version, newest_version(), lacking, backup, _size(settings), free)


def _carry_out(settings: Settings, planned: UpgradePlan, *, with_backup: bool) -> None:
    if not planned.migrations:
        return
    if with_backup and planned.version is not None:
        _back_up_before(settings, planned)
    try:
        migrate()
    except UnusableDatabase as error:
        raise UnusableDatabase(f"{error}; {_standing(planned, with_backup)}") from None
    if planned.version is not None:
        log.warning("the database was upgraded from %s to %s", planned.version, planned.needed)


def _back_up_before(settings: Settings, planned: UpgradePlan) -> None:
    if planned.backup is None:
        raise UnusableDatabase(f"no backup can be made: pg_dump is not on this machine; {_WITHOUT}")
    require_room(planned)
    back_up(settings, planned.backup)
    _drop_old(planned.backup.parent)


def _drop_old(folder: Path) -> None:
    # By name they are in the order of version and time.
    made = sorted(folder.glob("before-upgrade-*"))
    newest = {file.name.split("-")[2]: file for file in made}
    kept = list(newest.values())[-KEPT:]
    for old in made:
        if old not in kept:
            old.unlink()


def _standing(planned: UpgradePlan, with_backup: bool) -> str:
    """Where a migration that failed has left the database, and what can be done."""
    version = present_version()
    kept = f", and its backup is {planned.backup}" if with_backup and planned.backup else ""
    return (
        f"the database is whole, of version {version or 'none'}{kept}; mend what is named and "
        "start again: what is left is done then"
    )


def _size(settings: Settings) -> int:
    """How many bytes the database takes; a dump takes less."""
    path = sqlite_path(settings)
    if path is not None:
        return path.stat().st_size if path.exists() else 0
    if settings.is_sqlite:
        return 0
    size: int | None = current_session().scalar(text("SELECT pg_database_size(current_database())"))
    current_session().rollback()
    return size or 0


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
