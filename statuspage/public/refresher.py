"""Keeps the current edition of the public site in memory, fresh, and honest about its age.

Three daemon threads serve each web process.  One looks at the revision twenty times a second,
builds the next edition when it moved or when time changed what the page says, and swaps it in
whole.  One counts how long ago the edition was last known to match the database, and swaps in one
that says so: a database that hangs would hold up the first.  One keeps the copy on disk, so that no
post waits for a disk.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from statuspage.core import clock
from statuspage.public import edition as copies
from statuspage.public.edition import Edition

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.05
POLL_SECONDS_AWAY: Final = 1.0
# While many read, building gives way: for each second that a build had to wait for the processor,
# the next one waits forty, so that many posts in a row do not slow readers down.  Nobody there, a
# post is not held back; nor is it for longer than a tenth of the processor needs for such builds,
# or than the third figure.
PAUSE_PER_SECOND_WAITED: Final = 40.0
PAUSE_PER_SECOND_WORKED: Final = 9.0
MOST_SECONDS_BETWEEN_BUILDS: Final = 0.6
MOST_SECONDS_BETWEEN_RETRIES: Final = 5.0
SECONDS_BETWEEN_SAVES: Final = 2.0
# The copy waits so long for an edition to be complete, so that it is written once and not twice.
MOST_SECONDS_UNSAVED: Final = 3.0
SECONDS_BETWEEN_CONFIRMATIONS: Final = 60.0
TICK_SECONDS: Final = 0.25
# Unconfirmed for this many ticks (two seconds), an edition is no longer vouched for.  Ticks are
# counted and not time, so that a process that was halted does not doubt itself on waking.
TICKS_OF_GRACE: Final = 8
FIRST_WAIT_SECONDS: Final = 5.0
# What an edition can be shown without is read when no other followed it for so long, a step a look.
QUIET_SECONDS: Final = 1.0


def read_nothing_more(edition: Edition) -> Iterator[None]:
    """The completion of an edition that is whole when it is built."""
    yield from ()


def ignore_alarm(text: str) -> None:
    """The alarm of a refresher that has nobody to tell: the log says it already."""


def ignore_recovery() -> None:
    """The counterpart of `ignore_alarm`."""


class Refresher:
    """Holds the edition that visitors see, and replaces it.

    ``current_revision`` is asked twenty times a second and must be cheap; it raises while the
    database is away.  ``build`` makes an edition from one consistent read, given the one before.
    ``complete`` is stepped through while an edition stays the newest, to read what need not be
    waited for.
    ``mark_stale`` returns an edition that says since when it could not be confirmed.  ``on_alarm``
    hears once of a failing build or copy, ``on_recover`` once that all is well again.  All are
    called from the refresher's own threads.  Nothing starts before the first call of `edition`.
    Without ``threads`` every call of `edition` looks and keeps the copy itself, and an
    absence is noticed by calling `tick`: for tests.
    """

    def __init__(
        self,
        *,
        current_revision: Callable[[], int],
        build: Callable[[Edition | None], Edition],
        mark_stale: Callable[[Edition, datetime], Edition],
        copy: Path,
        complete: Callable[[Edition], Iterator[None]] = read_nothing_more,
        on_alarm: Callable[[str], None] = ignore_alarm,
        on_recover: Callable[[], None] = ignore_recovery,
        threads: bool = True,
    ) -> None:
        self._current_revision = current_revision
        self._build = build
        self._complete = complete
        self._mark_stale = mark_stale
        self._copy = copy
        self._on_alarm = on_alarm
        self._on_recover = on_recover
        self._with_threads = threads

        self._shown: Edition | None = None
        self._good: Edition | None = None
        self._built_here = False
        self._cannot_mark = False
        self._confirmed_at: datetime | None = None
        self._stale_since: datetime | None = None
        self._missed_ticks = 0
        self._silent_ticks = 0
        self._is_building = False
        self._needs_no_database = False
        self._looks_failed = 0
        self._builds_failed = 0
        self._build_seconds = 0.0
        self._not_before = 0.0
        self._steps: Iterator[None] | None = None
        self._next_step = 0.0
        self._unsaved = False
        self._next_save = self._saved_at = 0.0
        self._next_confirmation = 0.0
        self._alarms: set[str] = set()
        self._forget_threads()
        forget = weakref.WeakMethod(self._forget_threads)
        os.register_at_fork(after_in_child=lambda: (forget() or _nothing)())

    def _forget_threads(self) -> None:
        # After a fork the child has neither the threads nor anyone to release their locks.
        self._swapping = threading.Lock()
        self._telling = threading.Lock()
        self._starting = threading.Lock()
        self._settled = threading.Event()
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running = False

    # What the layer in front and the operator ask.

    def edition(self) -> Edition | None:
        """What to show now; None only where neither database nor copy has anything to give.

        The first call starts the threads and waits for their first result, five seconds at most.
        """
        if not self._running:
            self._start()
        return self._shown

    @property
    def revision(self) -> int | None:
        """The revision shown, None while there is none."""
        return self._shown.revision if self._shown else None

    @property
    def age(self) -> float | None:
        """Seconds since the edition was last known to match the database; None if never."""
        if self._confirmed_at is None:
            return None
        return max(0.0, (clock.now() - self._confirmed_at).total_seconds())

    @property
    def stale_since(self) -> datetime | None:
        """Since when the shown edition could not be confirmed; None while it is vouched for."""
        return self._stale_since

    @property
    def is_database_away(self) -> bool:
        """Whether the database did not answer the last time, or has not for two seconds.

        An edition that cannot be confirmed need not mean that: its build may have failed.
        """
        return self._looks_failed > 0 or self._silent_ticks >= TICKS_OF_GRACE

    @property
    def build_seconds(self) -> float:
        """How long the last successful build took."""
        return self._build_seconds

    def wake(self) -> None:
        """Look now: this process has just committed something that the public should see."""
        self._woken.set()

    def has_read(self) -> None:
        """For the build to call when it has read everything: the database is well until it ends."""
        self._silent_ticks = 0
        self._needs_no_database = self._is_building

    def stop(self) -> None:
        """End the threads, after the call they are in."""
        self._stopped.set()
        self._woken.set()
        for thread in self._threads:
            thread.join(timeout=5)

    # The threads.

    def _start(self) -> None:
        with self._starting:
            if not self._with_threads:
                self._not_before = 0.0
                self.look()
                self.keep_copy()
                return
            if not self._threads and not self._stopped.is_set():
                self._threads = [
                    threading.Thread(target=self._keep_fresh, name="refresher", daemon=True),
                    threading.Thread(target=self._keep_honest, name="refresher-age", daemon=True),
                    threading.Thread(target=self._keep_copies, name="refresher-copy", daemon=True),
                ]
                for thread in self._threads:
                    thread.start()
        self._settled.wait(FIRST_WAIT_SECONDS)
        self._running = True

    def _keep_fresh(self) -> None:
        while not self._stopped.is_set():
            try:
                pause = self.look()
            except Exception:
                log.exception("the public site cannot be kept fresh")
                pause = POLL_SECONDS_AWAY
            self._settled.set()
            self._woken.wait(pause)
            self._woken.clear()

    def _keep_honest(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            self.tick()

    def _keep_copies(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            self.keep_copy()

    # Their steps.

    def look(self) -> float:
        """One look at the revision, with what follows from it; the seconds until the next."""
        try:
            revision = self._current_revision()
        except Exception as error:
            return self._database_is_away(error)
        self._database_is_back()
        good = self._good
        if good is not None and self._matches(good, revision):
            self._show(good)
            self._take_step(good)
        elif time.monotonic() >= self._not_before:
            self._rebuild()
        return POLL_SECONDS

    def tick(self) -> None:
        """Another quarter of a second has gone by without a confirmation, as far as we know.

        Not while an edition is made of what was read: that takes as long as it takes, and says
        nothing of the database.
        """
        if self._needs_no_database:
            return
        self._missed_ticks += 1
        self._silent_ticks += 1
        if self._missed_ticks >= TICKS_OF_GRACE:
            self._doubt()

    def _matches(self, good: Edition, revision: int) -> bool:
        # A copy from disk may come from an older release or another database: never taken as is.
        if not self._built_here or good.revision != revision:
            return False
        return good.next_change_at is None or clock.now() < good.next_change_at

    def _rebuild(self) -> None:
        started, worked = time.monotonic(), time.thread_time()
        self._is_building = True
        try:
            built = self._build(self._good)
        except Exception as error:
            self._build_failed(error)
            return
        finally:
            self._is_building = self._needs_no_database = False
        self._build_seconds = time.monotonic() - started
        worked = time.thread_time() - worked
        pause = min(
            (self._build_seconds - worked) * PAUSE_PER_SECOND_WAITED,
            worked * PAUSE_PER_SECOND_WORKED,
            MOST_SECONDS_BETWEEN_BUILDS,
        )
        self._not_before = time.monotonic() + pause
        self._builds_failed = 0
        if not self._unsaved:
            # The first copy of a process may be the only one that there is.
            waits = MOST_SECONDS_UNSAVED if self._built_here else 0.0
            self._next_save = max(self._next_save, time.monotonic() + waits)
        self._unsaved = True
        self._steps = self._complete(built)
        self._next_step = time.monotonic() + QUIET_SECONDS
        self._show(built)
        self._calm("build")

    def _take_step(self, good: Edition) -> None:
        """Read a little of what the edition was not held up for; the copy has it once it is all."""
        if self._steps is None or time.monotonic() < self._next_step:
            return
        try:
            is_done = next(self._steps, self) is self
        except Exception as error:
            self._steps = self._complete(good)
            self._next_step = time.monotonic() + MOST_SECONDS_BETWEEN_RETRIES
            self._tell_unless_away("rest", "Pages of components cannot be kept", error)
            return
        if is_done:
            self._steps, self._unsaved = None, True
            self._next_save = self._saved_at + SECONDS_BETWEEN_SAVES
            self._calm("rest")

    def _build_failed(self, error: Exception) -> None:
        self._builds_failed += 1
        pause = min(0.25 * 2 ** min(self._builds_failed, 10), MOST_SECONDS_BETWEEN_RETRIES)
        self._not_before = time.monotonic() + pause
        self._tell_unless_away("build", "The public page cannot be rebuilt", error)
        if self._shown is None:
            self._doubt()

    def _tell_unless_away(self, subject: str, text: str, error: Exception) -> None:
        try:
            self._current_revision()
        except Exception as cause:
            self._database_is_away(cause)
            return
        self._alarm(subject, f"{text}: {_describe(error)}", error)

    def _database_is_away(self, error: Exception) -> float:
        self._looks_failed += 1
        if self._looks_failed == 1:
            log.warning("the public site's revision cannot be read: %s", _describe(error))
        if self._shown is None:
            self._doubt()
        return min(POLL_SECONDS * 2.0 ** min(self._looks_failed, 10), POLL_SECONDS_AWAY)

    def _database_is_back(self) -> None:
        self._silent_ticks = 0
        if self._looks_failed:
            log.warning("the public site's revision can be read again")
            self._looks_failed = 0

    # What is shown.

    def _show(self, edition: Edition) -> None:
        """Show an edition that was built here and matches the database now."""
        with self._swapping:
            self._missed_ticks = 0
            self._confirmed_at = clock.now()
            if self._shown is edition:
                return
            if self._stale_since is not None:
                log.warning("the public site is confirmed again")
            self._good = self._shown = edition
            self._built_here, self._stale_since, self._cannot_mark = True, None, False

    def _doubt(self) -> None:
        """Show the good edition, or the copy where there is none, as not confirmed since then."""
        with self._swapping:
            if self._stale_since is not None or self._cannot_mark:
                return
            if self._shown is not None and self._missed_ticks < TICKS_OF_GRACE:
                return
            if self._good is None:
                self._good = copies.load(self._copy)
                self._confirmed_at = copies.confirmed_at(self._copy)
            if self._good is None:
                return
            since = self._confirmed_at or self._good.built_at
            try:
                self._shown = self._mark_stale(self._good, since)
            except Exception:
                log.exception("the public site cannot be marked as unconfirmed")
                self._cannot_mark = True
                return
            self._stale_since = since
            log.warning("the public site could not be confirmed since %s", since.isoformat())
            with suppress(OSError):
                copies.confirm(self._copy, at=since)
        self._settled.set()

    # The copy on disk.

    def keep_copy(self) -> None:
        """Write the good edition to disk where that is due, or that it is still confirmed."""
        now, good = time.monotonic(), self._good
        try:
            if self._unsaved and good is not None:
                if now < self._next_save:
                    return
                self._saved_at = now
                self._next_save = now + SECONDS_BETWEEN_SAVES
                # Before, because the next edition may come while this one is written.
                self._unsaved = False
                copies.save(good, self._copy)
            elif self._confirmed_at is not None and now >= self._next_confirmation:
                copies.confirm(self._copy, at=self._confirmed_at)
            else:
                return
        except OSError as error:
            self._unsaved = True
            self._alarm("copy", f"The copy of the public page cannot be kept: {error}", error)
            return
        except Exception as error:
            # Not a disk that refuses: once more would fail as well.
            self._alarm("copy", f"The copy of the public page cannot be kept: {error}", error)
            return
        self._next_confirmation = now + SECONDS_BETWEEN_CONFIRMATIONS
        self._calm("copy")

    # Who is told.

    def _alarm(self, subject: str, text: str, error: Exception) -> None:
        with self._telling:
            if subject in self._alarms:
                return
            log.error("%s", text, exc_info=error)
            self._alarms.add(subject)
            self._announce(lambda: self._on_alarm(text))

    def _calm(self, subject: str) -> None:
        with self._telling:
            if subject not in self._alarms:
                return
            self._alarms.remove(subject)
            if not self._alarms:
                log.warning("the public page is kept fresh again")
                self._announce(self._on_recover)

    def _announce(self, announce: Callable[[], None]) -> None:
        try:
            announce()
        except Exception:
            log.exception("the alarm about the public page reached nobody")


def _nothing() -> None:
    pass


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
