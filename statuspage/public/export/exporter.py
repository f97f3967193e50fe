"""Keeps the exported site current while the worker runs, in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import Final
from zlib import crc32

from flask import Flask
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import InterfaceError, OperationalError

from statuspage.access import alarms
from statuspage.core.db import db, writing
from statuspage.core.links import Links
from statuspage.public.export.files import UnusableTarget, Vanished
from statuspage.public.export.sync import SiteCopy
from statuspage.public.export.targets import find_target
from statuspage.public.refresher import Refresher

log = logging.getLogger(__name__)

ALARM: Final = "export"

LOOK_SECONDS: Final = 0.1
TURN_SECONDS: Final = 5.0
MOST_SECONDS_BETWEEN_RETRIES: Final = 60.0
# What is no news is written in a quarter of the time, so that mail has the rest.
IDLE_SHARE: Final = 3.0


class Keeper:
    """Writes to the folder or bucket of this name whatever the refresher's edition changes.

    Of several workers one keeps a bucket, and one on each host a folder.  What fails raises an
    alarm and is tried again, ever more seldom; the first success clears it.
    """

    def __init__(self, app: Flask, name: str, refresher: Refresher) -> None:
        self._app = app
        self._target = find_target(name)
        self._refresher = refresher
        self._links: Links = app.extensions["links"]
        with app.app_context():
            self._engine: Engine = db.engine
        # A folder of that name is another one on each host.
        place = f"{socket.gethostname()}:{name}" if self._target.has_folders else name
        self._turn = _Turn(self._engine, place)
        self._copy: SiteCopy | None = None
        self._shown: object = None
        self._failures = 0
        self._is_calm = False

    def run(self, stopping: threading.Event) -> None:
        """Work until it is told to stop."""
        while not stopping.wait(self.step()):
            pass
        self._refresher.stop()
        self._turn.end()

    def step(self) -> float:
        """Do the next little that is due; the seconds until there may be more."""
        try:
            return self._step()
        except (OperationalError, InterfaceError) as error:
            log.warning("the database did not answer the export: %s", error.orig)
            return 1.0
        except Exception as error:
            return self._fail(error)

    def _step(self) -> float:
        edition = self._refresher.edition()
        is_stale = self._refresher.stale_since is not None
        if edition is None or not self._may_write(is_stale):
            return TURN_SECONDS if edition else 1.0
        if self._copy is None:
            self._target.open()
            self._copy, self._shown = SiteCopy(self._target, self._engine, self._links), None
        if edition is not self._shown:
            self._copy.take(edition)
            if not is_stale:
                self._copy.survey()
            self._shown = edition
        elif self._copy.waits and not is_stale:
            return self._write_more(self._copy)
        else:
            self._succeed()
            return LOOK_SECONDS
        return 0.0

    def _may_write(self, is_stale: bool) -> bool:
        """Whether it is our turn; while the database is away it stays ours, to say so."""
        if is_stale:
            return self._copy is not None or self._turn.needs_no_database
        if self._turn.is_ours():
            if self._turn.was_away:
                self._copy = None  # another worker may have written meanwhile
            return True
        self._copy = None
        return False

    def _write_more(self, copy: SiteCopy) -> float:
        started, is_urgent = time.monotonic(), copy.is_urgent
        copy.step()
        return 0.0 if is_urgent else IDLE_SHARE * (time.monotonic() - started)

    def _succeed(self) -> None:
        self._failures = 0
        if self._is_calm:
            return
        with self._app.app_context(), writing() as session:
            alarms.clear_alarm(session, ALARM)
        self._is_calm = True

    def _fail(self, error: Exception) -> float:
        self._failures += 1
        self._is_calm = False
        if isinstance(error, (Vanished, UnusableTarget)):
            self._copy = None
        reason = str(error) if isinstance(error, (OSError, UnusableTarget)) else repr(error)
        text = f"The exported site cannot be kept current: {reason}"
        log.error("%s", text, exc_info=None if isinstance(error, UnusableTarget) else error)
        try:
            with self._app.app_context(), writing() as session:
                alarms.raise_alarm(session, ALARM, text)
        except (OperationalError, InterfaceError):
            log.warning("the alarm about the exported site reached nobody")
        return min(2.0 ** min(self._failures - 1, 10), MOST_SECONDS_BETWEEN_RETRIES)


class _Turn:
    """Whose turn it is to write: on PostgreSQL a lock that ends with the process that holds it."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self._name = crc32(place.encode()) - 2**31
        self._connection: Connection | None = None
        self._looked_at = -TURN_SECONDS
        self.needs_no_database = engine.dialect.name == "sqlite"
        self.was_away = False

    def is_ours(self) -> bool:
        """Whether we may write now; ``was_away`` says whether others could since the last time."""
        self.was_away = False
        if self.needs_no_database:
            return True
        if self._connection is not None and not self._is_due():
            return True
        if self._connection is not None and self._still_holds(self._connection):
            return True
        self.was_away = self._take()
        return self.was_away

    def end(self) -> None:
        """Let others have it."""
        if self._connection is not None:
            # Given back to the pool it would go on holding the lock.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at < TURN_SECONDS:
            return False
        self._looked_at = now
        return True

    def _still_holds(self, connection: Connection) -> bool:
        try:
            connection.execute(select(1))
        except (OperationalError, InterfaceError):
            self.end()
            return False
        return True

    def _take(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Of two numbers: a worker's own lock has one, so the two never meet.
        lock = func.pg_try_advisory_lock(_FAMILY, self._name)
        if not connection.scalar(select(lock)):
            connection.close()
            return False
        self._connection = connection
        return True


_FAMILY: Final = 1702391156
