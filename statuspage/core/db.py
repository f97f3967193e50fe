"""The database: its base class, session, UTC type, and what SQLite and PostgreSQL need.

Verbs write inside :func:`writing`: one verb, one transaction, one commit at its end.  Everything
else only reads.  On SQLite a writing transaction begins with ``BEGIN IMMEDIATE``, so that it waits
for its turn at once instead of failing halfway (https://www.sqlite.org/lang_transaction.html).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import pysqlite3
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    UpdateBase,
    bindparam,
    event,
    literal,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, ORMExecuteState, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from statuspage.core import clock
from statuspage.core.config import Settings

BUSY_TIMEOUT_MS = 10_000
PAUSE_SECONDS = 0.12
"""A little longer than SQLite waits between two looks at a lock, so that whoever waits gets it."""
SLICE_SECONDS = 0.3
"""Nobody who writes should wait for a second, and a slice on a busy machine may take three times as
long as the one before."""

T = TypeVar("T")
_READ_ONCE = "read once"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, UTC inside; SQLite keeps it as sortable text, PostgreSQL as timestamptz."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody knows what they mean."""
        if value is None:
            return None
        moment = clock.as_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Hand out UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table inherits from; not ``db.Model``, which strict type checking cannot see."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


Base.registry.update_type_annotation_map({datetime: UtcDateTime})
db = SQLAlchemy(metadata=Base.metadata)


def current_session() -> Session:
    """The session of the current app context."""
    return db.session()


def read_once(session: Session, name: str, read: Callable[[], T]) -> T:
    """What ``read`` returns, read once and then kept under ``name`` until something is written.

    For settings that a request asks for again and again.  A flush, a statement that writes and the
    end of the transaction all forget it, so a verb sees what it has changed itself.  While changes
    wait to be flushed, everything is read.
    """
    if session.new or session.dirty or session.deleted:
        return read()
    kept: dict[str, Any] = session.info.setdefault(_READ_ONCE, {})
    if name not in kept:
        kept[name] = read()
    found: T = kept[name]
    return found


def _forget(session: Session, *_: object) -> None:
    session.info.pop(_READ_ONCE, None)


def _forget_after_writing(state: ORMExecuteState) -> None:
    if not state.is_select:
        _forget(state.session)


event.listen(Session, "after_flush", _forget)
event.listen(Session, "after_transaction_end", _forget)
event.listen(Session, "do_orm_execute", _forget_after_writing)


@contextmanager
def writing() -> Iterator[Session]:
    """A transaction that writes: committed at the end, rolled back whole on any exception."""
    session = current_session()
    if session.in_transaction():
        if session.new or session.dirty or session.deleted:
            raise RuntimeError("a change was made before writing() began and would be lost")
        # Ends the read before it, so that this transaction can begin as one that writes.
        session.rollback()
    try:
        session.connection(execution_options={"writes": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session of its own whose reads are all of one moment."""
    with Session(engine) as session:
        if engine.dialect.name == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            session.connection(execution_options=options)
        yield session


def in_slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``items`` in slices that are written in a transaction each; one empty slice for nothing.

    SQLite has one lock for all who write, and who waits for it is not woken but looks again after
    a tenth of a second: between two slices it is left free for longer than that.  After a slice
    that took longer than `SLICE_SECONDS` the next has as many items as would have fitted into that,
    else up to twice as many, and never more than ``size``.
    """
    is_sqlite = current_session().get_bind().dialect.name == "sqlite"
    start, most = 0, size
    while True:
        began = time.monotonic()
        yield items[start : start + most]
        start += most
        if start >= len(items):
            return
        took = time.monotonic() - began
        fits = int(most * SLICE_SECONDS / took) if took > SLICE_SECONDS else 2 * most
        most = max(1, min(fits, size))
        if is_sqlite:
            time.sleep(PAUSE_SECONDS)


def insert_new(session: Session, table: type[Base]) -> Any:
    """An INSERT for ``table`` that can say ``on_conflict_do_nothing`` and ``…_do_update``.

    Its result knows how many rows it wrote.
    """
    postgresql = session.get_bind().dialect.name == "postgresql"
    statement = postgresql_insert(table) if postgresql else sqlite_insert(table)
    return statement.execution_options(preserve_rowcount=True)


def count_written(session: Session, statement: UpdateBase) -> int:
    """Run an INSERT, UPDATE or DELETE; returns how many rows it wrote."""
    # Typed as any result, although a statement that writes has only this kind.
    return cast(CursorResult[Any], session.execute(statement)).rowcount


class IdList(TypeDecorator[Sequence[int]]):
    """Many ids as one parameter, written as JSON."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> str:
        """``[1,2,3]``."""
        return json.dumps(list(value or ()))


class _Members(FunctionElement[int]):
    """The ids of a list, as rows."""

    inherit_cache = True


@compiles(_Members, "sqlite")
def _members_on_sqlite(element: _Members, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"


@compiles(_Members, "postgresql")
def _members_on_postgresql(element: _Members, compiler: SQLCompiler, **options: Any) -> str:
    ids = compiler.process(element.clauses, **options)
    return f"(SELECT value::bigint FROM json_array_elements_text({ids}::json))"


class JsonArray(FunctionElement[str]):
    """Some columns of a row as the text of a JSON array; times are texts, as the database has them.

    So that rows which belong to another row come with it, as one text that can be compared.
    """

    inherit_cache = True
    type = String()


@compiles(JsonArray, "sqlite")
def _json_array_on_sqlite(element: JsonArray, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


@compiles(JsonArray, "postgresql")
def _json_array_on_postgresql(element: JsonArray, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_build_array({compiler.process(element.clauses, **options)})::text"


def among(
    column: ColumnElement[int] | InstrumentedAttribute[int], ids: Sequence[int] | str
) -> ColumnElement[bool]:
    """Whether the column is one of ``ids``, or of those given later under that parameter's name.

    One parameter however many there are: with one for each of a thousand ids, building and parsing
    the statement takes longer than running it.
    """
    given = bindparam(ids, type_=IdList) if isinstance(ids, str) else literal(ids, IdList)
    return column.bool_op("IN")(_Members(given))


def engine_options(settings: Settings) -> dict[str, Any]:
    """What ``create_engine`` is told for the database that the settings name."""
    if settings.is_sqlite:
        return {
            "module": pysqlite3,
            "connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
            "pool_size": 34,
            "json_deserializer": _read_json,
        }
    return {
        "json_deserializer": _read_json,
        "pool_pre_ping": True,
        "pool_size": 34,
        "max_overflow": 6,
        "connect_args": {
            "connect_timeout": 5,
            "application_name": "statuspage",
            # A pooler in transaction mode gives each transaction another server connection, which
            # does not know the statements that were prepared on the one before.
            "prepare_threshold": None,
        },
    }


# Nearly every JSON column of an update is empty, and a screen reads hundreds of them.
_EMPTY: Final[dict[str | bytes, type]] = {"{}": dict, b"{}": dict, "[]": list, b"[]": list}


def _read_json(text: str | bytes) -> Any:
    empty = _EMPTY.get(text)
    return json.loads(text) if empty is None else empty()


def tune(engine: Engine) -> None:
    """Set up each SQLite connection: WAL, full sync, foreign keys, and our own BEGIN."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions by itself: SQLAlchemy's "begin" event does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-2000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def sqlite_path(settings: Settings) -> Path | None:
    """The SQLite file, or None on PostgreSQL and in memory."""
    name = settings.database_url.removeprefix("sqlite:///") if settings.is_sqlite else ""
    return Path(name) if name and name != ":memory:" else None
