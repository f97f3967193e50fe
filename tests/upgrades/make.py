"""Make the dumps again: ``python -m tests.upgrades.make [COMMIT …]``; needs the project's history.

Each commit's own code makes its tables and its demo, on SQLite and on PostgreSQL.  Most of the demo
is then left out, and a row is added of what it has none of, so that a dump is small and holds some
of everything.  A release adds its own: its commit goes to the end of `COMMITS`.
"""

from __future__ import annotations

import lzma
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from statuspage.core.paths import ROOT
from tests.databases import PostgresServer
from tests.upgrades.dumps import FOLDER

COMMITS = (
    "9dabe46", "2daa148", "496fa39", "d34272d", "9454ead",
    "271935b", "9219d80", "86b3751", "288695a", "843820e",
    "ad8f34b",
)  # fmt: skip

# What the demo has too much of; what points to it goes with it.
_TRIM = (
    """DELETE FROM incidents WHERE id NOT IN (SELECT max(id) FROM incidents) AND id NOT IN
        (SELECT max(incident_id) FROM messages WHERE audience LIKE 'customer%')""",
    "DELETE FROM messages WHERE id NOT IN (SELECT max(id) FROM messages GROUP BY audience)",
    "DELETE FROM customers WHERE id > 6",
    "DELETE FROM deliveries WHERE message_id NOT IN (SELECT id FROM messages)"
    " OR customer_id NOT IN (SELECT id FROM customers)",
    "DELETE FROM delivery_events WHERE delivery_id NOT IN (SELECT id FROM deliveries)",
    "DELETE FROM messages WHERE id NOT IN (SELECT message_id FROM deliveries)",
)
_TIME = "2026-03-02 10:00:00.000000"
# One row of what a demo shows none of; a column that a commit does not have is left out.
_ADDED: Mapping[str, Mapping[str, object]] = {
    "subscribers": {
        "id": 1, "email": "Reader@example.com", "address": "reader@example.com",
        "state": "confirmed", "language": "en", "all_components": 0, "incidents": 1,
        "maintenance": 0, "resolved_only": 1, "asked_at": _TIME, "confirmed_at": _TIME,
    },
    "subscriber_components": {"subscriber_id": 1, "component_id": 1},
    "api_keys": {
        "id": 1, "name": "Monitoring", "beginning": "sp_0000", "token_hash": "0" * 64,
        "created_at": _TIME, "created_by_id": 1,
    },
    "wordings": {
        "id": 1, "name": "public/investigating", "subject": "", "body": "We’re looking into it.",
        "restored": 0, "saved_at": _TIME, "account_id": 1,
    },
}  # fmt: skip


def main(commits: Sequence[str]) -> None:
    """Write the dumps of these commits."""
    server = PostgresServer()
    try:
        for commit in commits:
            with TemporaryDirectory() as folder:
                _make(commit, Path(folder), server)
    finally:
        server.stop()


def _make(commit: str, folder: Path, server: PostgresServer) -> None:
    code = folder / "code"
    code.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    subprocess.run(["tar", "x"], cwd=code, input=archive.stdout, check=True)
    file = folder / "data" / "statuspage.db"
    _set_up(code, folder / "data", "")
    with closing(sqlite3.connect(file)) as database:
        _trim(database)
        (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        script = "\n".join(database.iterdump())
        _keep(f"{version}-{commit}.sqlite", script)
        with server.another() as url:
            _set_up(code, folder / "other", url)
            _copy(database, url)
            _keep(f"{version}-{commit}.postgresql", _dump(server, url))


def _set_up(code: Path, data: Path, url: str) -> None:
    environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(data), "DATABASE_URL": url}
    command = [sys.executable, "-m", "statuspage", "setup"]
    subprocess.run(command, cwd=code, env=environ, check=True, stdout=subprocess.DEVNULL)


def _trim(database: sqlite3.Connection) -> None:
    for statement in _TRIM:
        database.execute(statement)
    while orphans := database.execute("PRAGMA foreign_key_check").fetchall():
        for table, row, *_ in orphans:
            database.execute(f"DELETE FROM {table} WHERE rowid = ?", [row])
    for table, values in _ADDED.items():
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        known = {name: value for name, value in values.items() if name in columns}
        if known:
            marks = ", ".join("?" for _ in known)
            database.execute(
                f"INSERT INTO {table} ({', '.join(known)}) VALUES ({marks})", [*known.values()]
            )
    database.commit()


def _copy(source: sqlite3.Connection, url: str) -> None:
    """Fill the tables of PostgreSQL with the rows of SQLite."""
    with psycopg.connect(url, options="-c TimeZone=UTC") as target:
        # Neither the order of the tables nor the guards of the audit trail matter.
        target.execute("SET session_replication_role = replica")
        tables = [row[0] for row in target.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename <> 'alembic_version'"
        )]  # fmt: skip
        for table in tables:
            target.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        for table in tables:
            _copy_rows(source, target, table)


def _copy_rows(source: sqlite3.Connection, target: psycopg.Connection, table: str) -> None:
    types = dict(target.execute(
        "SELECT column_name, udt_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'", [table],
    ).fetchall())  # fmt: skip
    rows = source.execute(f"SELECT {', '.join(types)} FROM {table}").fetchall()
    # As texts that PostgreSQL reads by the type of their column: 1 is true, a time is a time.
    values = sql.SQL(", ").join(sql.SQL("%s::text::" + kind) for kind in types.values())
    names = sql.SQL(", ").join(map(sql.Identifier, types))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table), names, values
    )
    for row in rows:
        target.execute(statement, [None if value is None else str(value) for value in row])
    if types.get("id") in {"int4", "int8"}:
        target.execute(
            sql.SQL(
                "SELECT setval(pg_get_serial_sequence({name}, 'id'), max(id)) FROM {table}"
                " HAVING pg_get_serial_sequence({name}, 'id') IS NOT NULL"
            ).format(name=sql.Literal(table), table=sql.Identifier(table))
        )


def _dump(server: PostgresServer, url: str) -> str:
    """The database as statements alone, without what only ``psql`` understands."""
    words = ["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100"]
    script = subprocess.run(
        [server.programs / "pg_dump", *words, url], capture_output=True, text=True, check=True
    ).stdout
    return "\n".join(
        line for line in script.splitlines() if line and not line.startswith(("--", "\\"))
    )


def _keep(name: str, script: str) -> None:
    (FOLDER / f"{name}.sql.xz").write_bytes(
        lzma.compress(script.encode(), preset=9 | lzma.PRESET_EXTREME)
    )


if __name__ == "__main__":
    main(sys.argv[1:] or COMMITS)
