"""Databases of earlier commits, as compressed SQL; ``python -m tests.upgrades.make`` makes them.

The name of one says the version of its schema, and the commit whose code made it and its data.
"""

from __future__ import annotations

import lzma
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

FOLDER = Path(__file__).parent / "dumps"


def dumps(kind: str) -> list[Path]:
    """The dumps of one kind of database, oldest first."""
    return sorted(FOLDER.glob(f"*.{kind}.sql.xz"))


def version_in_name(dump: Path) -> str:
    return dump.name.split("-")[0]


def load_sqlite(dump: Path, target: Path) -> None:
    """Make the SQLite file that was dumped."""
    with closing(sqlite3.connect(target)) as database:
        database.executescript(lzma.decompress(dump.read_bytes()).decode())


def load_postgresql(dump: Path, url: str) -> None:
    """Fill an empty database with what was dumped."""
    # Statements without results, several in one call, are what this connection takes as they are.
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(lzma.decompress(dump.read_bytes()))
