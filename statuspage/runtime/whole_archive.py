"""One archive with everything, in open formats, and back in: into either kind of database.

A ZIP file.  ``tables/NAME.jsonl`` holds a table, one row a line, as JSON (RFC 8259) with times as
in RFC 3339 and bytes in base64 (RFC 4648); ``customers.csv`` and ``subscribers.csv`` are the two
lists as other services read them; ``manifest.json`` says when it was made, how many rows each
table has, and what is not inside.
"""

from __future__ import annotations

import zipfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
from flask import Flask
from sqlalchemy import JSON, Column, Date, Enum, LargeBinary, MetaData, Table, func, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import Base, UtcDateTime, db, reading, writing
from statuspage.recipients import customer_csv, subscribers
from statuspage.runtime.backup import settle_restored
from statuspage.runtime.versions import (
    UnusableDatabase,
    errors_in_one_line,
    migrate,
    newest_version,
    pending,
    present_version,
)

MANIFEST: Final = "manifest.json"
LEFT_OUT: Final = ("breakers", "presences", "sign_ins", "throttles", "workers")
"""Tables of what is under way on this machine: whoever is signed in signs in again."""
NOT_INSIDE: Final = (
    "SECRET_KEY: without it links in old email end, codes of authenticator apps and secrets of "
    "alert sources cannot be read, and checkpoints of the audit trail cannot be verified",
    "all other settings, such as the keys of mail providers and chat rooms",
    "sign-ins of browsers, and files under DATA_DIR: mail and chat messages that were only written",
)
_ROWS_AT_A_TIME: Final = 1_000


def export_all(app: Flask, target: Path) -> int:
    """Write everything, as it is at one moment, into a new file; returns how many rows it holds.

    It holds addresses of people and hashes of passwords.  Raises :class:`UnusableDatabase`.
    """
    if target.exists():
        raise UnusableDatabase(f"{target} exists already; choose another name")
    partial = target.with_name(target.name + ".partial")
    with errors_in_one_line(app.extensions["settings"]), app.app_context():
        if lacking := pending(present_version()):
            raise UnusableDatabase(f"the database lacks version {lacking[0].number}; upgrade first")
        try:
            with (
                reading(db.engine) as session,
                zipfile.ZipFile(partial, "x", zipfile.ZIP_DEFLATED) as archive,
            ):
                rows = _write(archive, session)
            partial.replace(target)
        except OSError as error:
            raise UnusableDatabase(f"{target} cannot be written: {error}") from None
        finally:
            partial.unlink(missing_ok=True)
    return sum(rows.values())


def import_all(app: Flask, source: Path) -> int:
    """Fill an empty database with an archive, and hold the outbox; returns how many rows came.

    The database need not have tables yet.  Raises :class:`UnusableDatabase`, and then no row came.
    """
    settings: Settings = app.extensions["settings"]
    with errors_in_one_line(settings), app.app_context():
        try:
            with zipfile.ZipFile(source) as archive:
                rows = _read_manifest(source, archive)
                if pending(present_version()):
                    migrate()
                with writing() as session:
                    _fill(session, archive, rows)
        except (OSError, zipfile.BadZipFile) as error:
            raise UnusableDatabase(f"{source} cannot be read: {error}") from None
    settle_restored(app)
    return sum(rows.values())


def _write(archive: zipfile.ZipFile, session: Session) -> Mapping[str, int]:
    rows = dict.fromkeys((str(table.name) for table in _tables()), 0)
    for table in _tables():
        with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as file:
            for row in _rows_of(session, table):
                file.write(orjson.dumps(row, default=_encoded, option=orjson.OPT_APPEND_NEWLINE))
                rows[table.name] += 1
    lists: Mapping[str, Callable[[Session], Iterable[str]]] = {
        "customers.csv": customer_csv.export_customers,
        "subscribers.csv": subscribers.export_subscribers,
    }
    for name, lines in lists.items():
        with TextIOWrapper(archive.open(name, "w"), encoding="utf-8", newline="") as text:
            text.writelines(lines(session))
    manifest = {
        "made_by": "statuspage-server",
        "at": clock.now(),
        "version": newest_version(),
        "rows": rows,
        "not_inside": NOT_INSIDE,
    }
    archive.writestr(MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    return rows


def _tables() -> list[Table]:
    """What an archive holds, each table after those that its rows refer to."""
    # No value at all is no value, and not JSON's null: nothing here tells the two apart.
    plain = MetaData()
    tables = [table.to_metadata(plain) for table in Base.metadata.sorted_tables]
    for column in (column for table in tables for column in table.columns):
        if isinstance(column.type, JSON):
            column.type = JSON(none_as_null=bool(column.nullable))
    return [table for table in tables if table.name not in LEFT_OUT]


def _rows_of(session: Session, table: Table) -> Iterator[dict[str, Any]]:
    ordered = select(table).order_by(*table.primary_key)
    names = [str(column.name) for column in table.columns]
    for row in session.execute(ordered, execution_options={"yield_per": _ROWS_AT_A_TIME}):
        yield dict(zip(names, row, strict=True))


def _encoded(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(value)


def _read_manifest(source: Path, archive: zipfile.ZipFile) -> Mapping[str, int]:
    """How many rows each table has, by name."""
    try:
        manifest = orjson.loads(archive.read(MANIFEST))
        version, rows = manifest["version"], dict(manifest["rows"])
    except (KeyError, TypeError, ValueError):
        raise UnusableDatabase(f"{source} is no archive of this service") from None
    if version != newest_version():
        raise UnusableDatabase(
            f"{source} has version {version}, this release has {newest_version()}: export it again "
            "with this release, after an upgrade there"
        )
    return rows


def _fill(session: Session, archive: zipfile.ZipFile, rows: Mapping[str, int]) -> None:
    for table in Base.metadata.sorted_tables:
        if session.execute(select(1).select_from(table).limit(1)).first():
            raise UnusableDatabase(
                "the database is not empty; name a new one, and do not set it up before"
            )
    for table in _tables():
        # What the database computes from other columns, it computes again.
        given = (column for column in table.columns if column.computed is None)
        read = {str(column.name): _reader(column) for column in given}
        name = f"tables/{table.name}.jsonl"
        came, waiting = 0, _lines(archive, name)
        while lines := list(islice(waiting, _ROWS_AT_A_TIME)):
            try:
                found = [_row(orjson.loads(line), read) for line in lines]
                session.execute(insert(table), found)
            except (AttributeError, KeyError, TypeError, ValueError, DBAPIError) as error:
                reason = getattr(error, "orig", None) or error
                place = f"{name}, lines {came + 1} to {came + len(lines)}"
                raise UnusableDatabase(f"{place}: {' '.join(str(reason).split())}") from None
            came += len(lines)
        if came != (expected := rows.get(table.name, 0)):
            raise UnusableDatabase(f"{name} has {came} rows, and {MANIFEST} says {expected}")
        _go_on_numbering(session, table)


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as file:
            yield from file
    except KeyError:
        raise UnusableDatabase(f"{name} is missing") from None


def _row(values: dict[str, Any], read: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {
        name: None if values[name] is None else reader(values[name])
        for name, reader in read.items()
    }


def _reader(column: Column[Any]) -> Callable[[Any], Any]:
    """How JSON becomes what this column holds."""
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat
    if isinstance(kind, Date):
        return date.fromisoformat
    if isinstance(kind, LargeBinary):
        return b64decode
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return kind.enum_class
    return lambda value: value


def _go_on_numbering(session: Session, table: Table) -> None:
    """Have PostgreSQL give new rows numbers after those that came; SQLite does so by itself."""
    numbered = table.autoincrement_column
    if session.get_bind().dialect.name != "postgresql" or numbered is None:
        return
    highest = select(func.max(numbered)).scalar_subquery()
    sequence = func.pg_get_serial_sequence(table.name, numbered.name)
    session.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))
