"""The version of a database's schema: which it has, what this release adds, and how it gets there.

A migration is whole or not there.  On PostgreSQL all that wait are one transaction, on SQLite each
is one, so whatever ends them halfway leaves a version that the next start goes on from.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from statuspage.core.config import Settings, current_settings, default_database_url
from statuspage.core.db import current_session
from statuspage.core.paths import MIGRATIONS, ROOT
from statuspage.models import Page


class UnusableDatabase(Exception):
    """The database or a file cannot be used; the text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: its number, and in a few words what it adds."""

    number: str
    title: str


def present_version() -> str | None:
    """The version of the database; None for one that has no tables yet.

    Raises :class:`UnusableDatabase` where this release cannot have made what is there.
    """
    session = current_session()
    version: str | None = None
    if inspect(session.get_bind()).has_table("alembic_version"):
        version = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.rollback()
    _refuse_foreign_schema(version)
    return version


def pending(version: str | None) -> list[Migration]:
    """The migrations that a database of that version lacks, in their order."""
    return [one for one in _migrations() if one.number > (version or "")]


def newest_version() -> str:
    """The version that this release needs."""
    return _migrations()[-1].number


def migrate(database_url: str = "") -> None:
    """Run what is pending, in a process of its own; on another database where one is named.

    Raises :class:`UnusableDatabase`, which says where the database stands.
    """
    command = [sys.executable, "-m", "flask", "--app", "statuspage.runtime.migrating:make_app"]
    done = subprocess.run(
        [*command, "db", "upgrade"],
        cwd=ROOT,
        env=_environ(database_url),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = _reason_in(done.stderr)
        if done.returncode < 0:
            reason = f"it was ended by signal {-done.returncode}"
        raise UnusableDatabase(f"the database cannot be migrated: {reason}")


def _reason_in(said: str) -> str:
    """The line of a traceback that says what went wrong."""
    lines = said.strip().splitlines() or ["it gave no reason"]
    ours = (line.partition(": ")[2] for line in lines if line.startswith("sqlalchemy.exc."))
    return next(ours, lines[-1])


@contextlib.contextmanager
def errors_in_one_line(settings: Settings) -> Iterator[None]:
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


def _refuse_foreign_schema(version: str | None) -> None:
    """Raise :class:`UnusableDatabase` for tables that this release cannot have made."""
    if version is not None and version not in {one.number for one in _migrations()}:
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


def _migrations() -> list[Migration]:
    """All of this release, in their order: they are named ``0001_what_it_adds.py``."""
    names = sorted(file.stem for file in (MIGRATIONS / "versions").glob("*.py"))
    parts = (name.partition("_") for name in names)
    return [Migration(number, title.replace("_", " ")) for number, _, title in parts]


def _environ(database_url: str) -> dict[str, str]:
    """This app's database, however this app was configured, or the other one."""
    settings = current_settings()
    return {
        **os.environ,
        "DATABASE_URL": database_url or settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "SECRET_KEY": settings.secret_key,
    }
