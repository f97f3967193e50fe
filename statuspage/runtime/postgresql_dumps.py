"""Backups of PostgreSQL, by its own programs: ``pg_dump`` writes one, ``pg_restore`` reads it.

They must not be older than the server (https://www.postgresql.org/docs/current/app-pgdump.html).
A password goes to them in the environment, which other users of the machine cannot see.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from sqlalchemy import make_url, text

from statuspage.core.config import Settings
from statuspage.core.db import current_session
from statuspage.runtime.versions import UnusableDatabase

# What stands in the schema and is no part of an extension.
_OWN_TABLES: Final = """
    SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
    WHERE schemaname = current_schema()
"""
# Whoever still reads, a web server that was not stopped, must not hold this up for ever.
_BEGIN: Final = "SET lock_timeout = '10s'; SET client_min_messages = warning;"
_OWN_FUNCTIONS: Final = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
    AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
"""


def is_available() -> bool:
    """Whether this machine has the programs."""
    return all(shutil.which(name) for name in ("pg_dump", "pg_restore", "psql"))


def dump(settings: Settings, target: Path) -> None:
    """Write the database, as it is at one moment, into a new file; :class:`UnusableDatabase`."""
    _run(settings, "pg_dump", "--format=custom", _address(settings), f"--file={target}")


def version_of(settings: Settings, file: Path) -> str:
    """The version of the schema in a dump; :class:`UnusableDatabase` for what is none."""
    rows = ["--data-only", "--table=alembic_version", "--file=-"]
    lines = iter(_run(settings, "pg_restore", *rows, str(file)).splitlines())
    if any(line.startswith("COPY ") for line in lines):
        return next(lines)
    raise UnusableDatabase(f"{file} is no backup of this service")


def put_back(settings: Settings, file: Path, statement: str) -> None:
    """Put what a dump holds in the place of all that is there, and run ``statement``.

    All in one transaction: what fails has changed nothing.  Raises :class:`UnusableDatabase`.
    """
    session = current_session()
    drops = [f"DROP TABLE {name} CASCADE;" for name in session.scalars(text(_OWN_TABLES))]
    drops += [f"DROP FUNCTION {name} CASCADE;" for name in session.scalars(text(_OWN_FUNCTIONS))]
    session.rollback()
    script = _run(settings, "pg_restore", "--no-owner", "--no-privileges", "--file=-", str(file))
    _run(
        settings,
        "psql",
        *("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--file=-"),
        _address(settings),
        said="\n".join([_BEGIN, *drops, script, statement]),
    )


def _address(settings: Settings) -> str:
    url = make_url(settings.database_url).set(drivername="postgresql")
    return f"--dbname={url._replace(password=None).render_as_string()}"


def _run(settings: Settings, program: str, *words: str, said: str = "") -> str:
    """What a program answers; :class:`UnusableDatabase` with its reason where it fails."""
    password = make_url(settings.database_url).password
    environ = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    try:
        done = subprocess.run(
            [program, *words], input=said, env=environ, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise UnusableDatabase(
            f"{program} is not on this machine; install PostgreSQL's client programs"
        ) from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[0]
        raise UnusableDatabase(reason.removeprefix(f"{program}: error: "))
    return done.stdout
