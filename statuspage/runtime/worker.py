"""The worker: it calls the verbs that are due, and has no rules of its own.

One process, one loop that looks for due deliveries five times a second, and APScheduler as the
metronome of the slower duties: fixed jobs, memory job store, no misfire limit.  Everything that is
due lives in our tables with its time, so a missed tick is made up for by the next.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy import Connection, delete, select, text
from sqlalchemy.exc import InterfaceError, OperationalError

from statuspage.access import alarms, audit_chain, throttle
from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import db, insert_new, sqlite_path, writing
from statuspage.delivery import (
    claims,
    control,
    nightly_trial,
    privacy,
    provider_events,
    retry,
    subscribe,
)
from statuspage.delivery.dispatch import Dispatcher, open_lanes
from statuspage.incidents import maintenance, notice_messages, recurring, reminders, scheduled
from statuspage.incidents.review import documents as reviews
from statuspage.incidents.review import review_reminders
from statuspage.intake import (
    metric_data,
    metric_series,
    problem_reports,
    prometheus,
    provider_pages,
    state_rules,
    suggestion_notices,
    suggestions,
)
from statuspage.models import Worker as WorkerRow
from statuspage.public import feed_reading, on_demand_views
from statuspage.public.export import exporter

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
BEAT_SECONDS = 5
RESCUE_SECONDS = 2
PROMISE_SECONDS = 5
ANNOUNCE_SECONDS = 60
DRAW_SECONDS = 15
METRIC_SECONDS = 60
PROVIDER_SECONDS = 60
REVIEW_SECONDS = 30
TEST_SECONDS = 5
FORGET_SECONDS = 3600
CLOCK_JUMP_SECONDS = 2.0


class AlreadyRunning(Exception):
    """Another worker serves this SQLite database; only one may."""


class Every(IntervalTrigger):  # type: ignore[misc]
    """An interval whose missed times are not made up for, one by one.

    APScheduler counts each time that was missed before it coalesces them: after a clock that was
    set a month ahead, millions for a duty of every second, with all else waiting for its lock.
    """

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The next time after ``now``."""
        due: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        is_missed = previous_fire_time is not None and due is not None and due <= now
        return now + self.interval if is_missed else due


class WorkerProcess:
    """One worker process, from its start to its stop."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._settings: Settings = app.extensions["settings"]
        self._id = claims.new_worker_id()
        self._started_at = clock.now()
        self._dispatcher = Dispatcher(app, self._id, open_lanes(self._settings))
        self._stopping = threading.Event()
        self._lifeline: Connection | None = None
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._clock_offset = time.time() - time.monotonic()
        self._clock_watch = threading.Lock()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; raises :class:`AlreadyRunning` on SQLite."""
        signal.signal(signal.SIGTERM, self._stop_on_signal)
        signal.signal(signal.SIGINT, self._stop_on_signal)
        with _sole_worker(self._settings):
            self._try(self._beat)
            self._try(self._calm)
            self._start_scheduler()
            exporting = self._start_exporting()
            log.info("worker started")
            try:
                self._loop()
            finally:
                self._scheduler.shutdown(wait=True)
                self._dispatcher.stop()
                exporting.join(timeout=5)
                self._try(self._sign_off)
        log.info("worker stopped")

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._try(self._follow_clock)
            started = self._try(self._look)
            if not started:
                self._stopping.wait(LOOK_SECONDS)

    def _look(self) -> int:
        # Without its lock a worker looks dead to others, who would take its claims away.
        has_lock = self._settings.is_sqlite or self._lifeline is not None
        return self._dispatcher.start_batches() if has_lock else 0

    def _start_scheduler(self) -> None:
        for duty, seconds in self._duties():
            # Due at once too: what a dead worker left is taken back at the start, not after it.
            self._scheduler.add_job(
                self._try,
                Every(seconds=seconds, timezone=UTC),
                [duty],
                next_run_time=clock.now(),
            )
        self._scheduler.start()

    def _start_exporting(self) -> threading.Thread:
        """Keep the static site in a thread of its own: it may be slow, and mail must not wait."""
        thread = threading.Thread(target=self._try, args=[self._export], name="export", daemon=True)
        thread.start()
        return thread

    def _export(self) -> None:
        if place := self._settings.export_to:
            exporter.Keeper(self._app, place, on_demand_views.make_refresher(self._app)).run(
                self._stopping
            )

    def _calm(self) -> None:
        """An alarm about what is not among the settings any more concerns nobody.

        Nor does one about a fault of the process before: it is raised again where it recurs.
        """
        self._dispatcher.clear_faults()
        with self._app.app_context(), writing() as session:
            if not self._settings.export_to:
                alarms.clear_alarm(session, exporter.ALARM)
            if not self._settings.has_delivery_test:
                alarms.clear_alarm(session, nightly_trial.ALARM)
            control.forget_rooms(session, self._settings.chat_rooms)

    def _duties(self) -> list[tuple[Callable[[], object], int]]:
        return [
            (self._beat, BEAT_SECONDS),
            (self._rescue, RESCUE_SECONDS),
            (self._settle, 1),
            (self._advance_maintenances, 1),
            (self._post_scheduled, 1),
            (self._keep_promises, PROMISE_SECONDS),
            (self._notify_of_alerts, PROMISE_SECONDS),
            (self._apply_rules, PROMISE_SECONDS),
            (self._announce_occurrences, ANNOUNCE_SECONDS),
            (self._read_metrics, METRIC_SECONDS),
            (self._read_providers, PROVIDER_SECONDS),
            (self._draw_metrics, DRAW_SECONDS),
            (self._keep_reviews, REVIEW_SECONDS),
            (self._test_delivery, TEST_SECONDS),
            (self._forget_old_addresses, FORGET_SECONDS),
            (self._tidy, FORGET_SECONDS),
        ]

    def _try(self, act: Callable[[], object]) -> object:
        """Do a duty; a database that is away, or a fault of ours, must not end the worker."""
        try:
            return act()
        except (OperationalError, InterfaceError) as error:
            log.warning("the database did not answer: %s", error.orig)
        except Exception:
            log.exception("a duty failed")
        # Not at full speed against something broken.
        self._stopping.wait(1.0)
        return None

    def _beat(self) -> None:
        """Say that this worker lives, and keep hold of its lock."""
        with self._app.app_context():
            self._keep_lifeline()
            moment = clock.now()
            with writing() as session:
                session.execute(
                    insert_new(session, WorkerRow)
                    .values(
                        id=self._id,
                        host=socket.gethostname(),
                        pid=os.getpid(),
                        started_at=self._started_at,
                        beat_at=moment,
                    )
                    .on_conflict_do_update(index_elements=["id"], set_={"beat_at": moment})
                )
                session.execute(
                    delete(WorkerRow).where(WorkerRow.beat_at < moment - timedelta(hours=1))
                )

    def _rescue(self) -> None:
        with self._app.app_context():
            self._keep_lifeline()
        taken_back = self._dispatcher.rescue()
        if taken_back:
            log.warning("took back %d deliveries of a worker that ended", taken_back)

    def _settle(self) -> None:
        # First, or a clock that was set ahead would end what waits.
        self._follow_clock()
        with self._app.app_context():
            # Before uncertain deliveries are sent again.
            while provider_events.fold() and not self._stopping.is_set():
                pass
            retry.settle_due()

    def _follow_clock(self) -> None:
        """Where the clock has jumped since the last look, have all that is planned follow it."""
        with self._clock_watch:
            jumped = time.time() - time.monotonic() - self._clock_offset
            if abs(jumped) <= CLOCK_JUMP_SECONDS:
                return
            log.warning("the clock jumped by %.0f seconds", jumped)
            with self._app.app_context():
                claims.follow_clock(timedelta(seconds=jumped))
            self._clock_offset += jumped
            for job in self._scheduler.get_jobs():
                # The time that it was waiting for means nothing any more.
                job.modify(next_run_time=clock.now())

    def _advance_maintenances(self) -> None:
        with self._app.app_context():
            maintenance.advance_due()

    def _post_scheduled(self) -> None:
        with self._app.app_context():
            scheduled.publish_due()

    def _keep_promises(self) -> None:
        with self._app.app_context():
            reminders.notify_due()
            notice_messages.notify_due()

    def _notify_of_alerts(self) -> None:
        with self._app.app_context():
            suggestion_notices.notify_due()

    def _apply_rules(self) -> None:
        with self._app.app_context():
            state_rules.apply_due()

    def _announce_occurrences(self) -> None:
        with self._app.app_context():
            recurring.announce_due()

    def _read_metrics(self) -> None:
        with self._app.app_context():
            prometheus.read_due()

    def _read_providers(self) -> None:
        with self._app.app_context():
            provider_pages.read_due()

    def _draw_metrics(self) -> None:
        with self._app.app_context():
            metric_series.refresh_due()

    def _keep_reviews(self) -> None:
        """Begin the reviews that are asked for, and remind their owners."""
        with self._app.app_context():
            reviews.begin_due()
            review_reminders.remind_due()
            review_reminders.remind_of_actions()

    def _test_delivery(self) -> None:
        """Begin the night's test of delivery, and look how the one that runs stands."""
        if not self._settings.has_delivery_test:
            return
        with self._app.app_context():
            nightly_trial.begin_due()
            nightly_trial.settle(feed_reading.read_newest)

    def _forget_old_addresses(self) -> None:
        days = self._settings.address_retention_days
        if days is None:
            return
        with self._app.app_context():
            while not self._stopping.is_set():
                if not privacy.forget_old_addresses(older_than=timedelta(days=days)):
                    return
                # What waits to be sent goes first.
                self._stopping.wait(LOOK_SECONDS)

    def _tidy(self) -> None:
        """Drop what has served: sign-ups that nobody confirmed, counts of tries, folded events."""
        with self._app.app_context():
            subscribe.forget_unconfirmed()
            throttle.forget_tries_of_yesterday()
            suggestions.forget_old_alerts()
            metric_data.forget_old_numbers()
            problem_reports.forget_old_reports()
            audit_chain.remove_old()
            while provider_events.forget_folded() and not self._stopping.is_set():
                pass

    def _keep_lifeline(self) -> None:
        """Hold the advisory lock by which other workers know that this one lives (PostgreSQL)."""
        if self._settings.is_sqlite:
            return
        if self._lifeline is not None:
            try:
                self._lifeline.execute(select(1))
            except (OperationalError, InterfaceError):
                self._lifeline.close()
                self._lifeline = None
            else:
                return
        lifeline = db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # So that the lock of a host that vanished is dropped within a minute, not within hours.
        for setting in ("idle = 20", "interval = 10", "count = 4"):
            lifeline.execute(text(f"SET tcp_keepalives_{setting}"))
        lifeline.execute(text("SELECT pg_advisory_lock(:id)"), {"id": self._id})
        self._lifeline = lifeline

    def _sign_off(self) -> None:
        with self._app.app_context(), writing() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.id == self._id))
        if self._lifeline is not None:
            self._lifeline.close()

    def _stop_on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()


def has_worker(settings: Settings) -> bool:
    """Whether a worker serves this SQLite database just now."""
    try:
        with _sole_worker(settings, patience=0):
            return False
    except AlreadyRunning:
        return True


@contextmanager
def _sole_worker(settings: Settings, *, patience: float = 3.0) -> Iterator[None]:
    """On SQLite, hold the lock that only one worker can have; the system drops it with us."""
    database = sqlite_path(settings)
    if database is None:
        yield
        return
    with Path(f"{database}.worker").open("w", encoding="ascii") as file:
        _lock(file.fileno(), patience=patience)
        yield


def _lock(descriptor: int, *, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                raise AlreadyRunning from None
            time.sleep(0.1)
        else:
            return
