"""For the operator: is the process alive, is the whole well, and the numbers behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Blueprint, Flask, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.configuration import ticket_numbers
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.delivery import control, nightly_trial, provider_events, report
from statuspage.delivery.outcomes import counted
from statuspage.models import Breaker, Delivery, WebhookEvent
from statuspage.public.refresher import Refresher

OLDEST_WAITING = timedelta(minutes=5)
# Anybody may ask for the numbers, so asking often must cost nothing.
METRICS_SECONDS = 5.0

health = Blueprint("health", __name__)


def register(app: Flask) -> None:
    """Hang the addresses on the app."""
    app.register_blueprint(health)
    app.extensions["metrics"] = KeptNumbers()


@health.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process lives; asks nothing of anything else."""
    return _uncached(Response("ok\n", mimetype="text/plain"))


@health.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Whether database, worker and outbox are well: 200 or 503, and each in words of our own.

    Whoever reaches the page can ask, so what a provider answered or a person wrote stays in the
    admin: here alarms are named by their keys.
    """
    checks = _checks()
    well = all(state == "ok" for state in checks.values())
    answer = jsonify({"status": "ok" if well else "not ready", "checks": checks, **_nightly()})
    answer.status_code = 200 if well else 503
    return _uncached(answer)


@health.get("/metrics")
def metrics() -> ResponseReturnValue:
    """The numbers in Prometheus's text format, some seconds old at most."""
    snapshot: KeptNumbers = current_app.extensions["metrics"]
    return _uncached(Response(snapshot.get(), content_type=CONTENT_TYPE_LATEST))


def refresher() -> Refresher | None:
    """What keeps this process's edition of the public site fresh; None before it serves."""
    found: Refresher | None = current_app.extensions.get("refresher")
    return found


def _checks() -> dict[str, str]:
    try:
        session = current_session()
        return {
            "database": "ok",
            "worker": _worker_check(session),
            "outbox": _outbox_check(session),
            "alarms": _alarms_check(session),
        }
    except (OperationalError, InterfaceError):
        return {"database": "cannot be reached"}


def _alarms_check(session: Session) -> str:
    """What is wrong now; the night's test says what was, and changes no readiness.

    Nor do numbers that are used up: what needs them goes on without.
    """
    keys = [alarm.key for alarm in alarms.open_alarms(session)]
    quiet = {nightly_trial.ALARM, ticket_numbers.ALARM}
    return "; ".join(key for key in keys if key not in quiet) or "ok"


def _nightly() -> dict[str, dict[str, object]]:
    """When the nightly delivery test last passed and how long it took; nothing where none is set.

    Its failure stands here too, and changes no readiness.
    """
    try:
        found = nightly_trial.nightly_state(current_session())
    except (OperationalError, InterfaceError):
        return {}
    if not found.is_set:
        return {}
    passed = found.passed
    return {
        "delivery_test": {
            "last": found.outcome,
            "last_passed": passed.started_at.isoformat(timespec="seconds") if passed else None,
            "seconds": passed.seconds if passed else None,
        }
    }


def _worker_check(session: Session) -> str:
    silence = report.worker_silence(session)
    if silence is None:
        return "no worker is running"
    if silence > report.WORKER_SILENCE:
        return f"no sign of life for {clock.show_duration(silence)}"
    return "ok"


def _outbox_check(session: Session) -> str:
    if control.holds(session):
        return "held until somebody releases it"
    oldest = report.oldest_waiting(session)
    if oldest is not None and clock.now() - oldest > OLDEST_WAITING:
        return f"a delivery has waited for {clock.show_duration(clock.now() - oldest)}"
    return "ok"


class KeptNumbers:
    """The numbers as they were read last: counting rows costs more, the more there are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._text = b""

    def get(self) -> bytes:
        """The numbers, read again where they are older than `METRICS_SECONDS`; by one at a time."""
        with self._lock:
            if time.monotonic() >= self._until:
                registry = CollectorRegistry(auto_describe=False)
                registry.register(_Numbers(current_session()))
                self._text = generate_latest(registry)
                self._until = time.monotonic() + METRICS_SECONDS
            return self._text


class _Numbers(Collector):
    """Reads the numbers when they are asked for."""

    def __init__(self, session: Session) -> None:
        self._current = session

    def collect(self) -> Iterator[Metric]:
        yield self._deliveries()
        yield self._oldest_waiting()
        yield from self._counters()
        yield self._breakers()
        yield self._webhook_lag()
        yield from self._nightly_test()
        yield from self._edition()

    def _deliveries(self) -> Metric:
        family = GaugeMetricFamily(
            "statuspage_deliveries", "Deliveries by channel and state.", labels=["channel", "state"]
        )
        rows = self._current.execute(
            select(Delivery.channel, Delivery.state, func.count()).group_by(
                Delivery.channel, Delivery.state
            )
        )
        for channel, state, count in rows:
            family.add_metric([channel, state], count)
        return family

    def _oldest_waiting(self) -> Metric:
        oldest = report.oldest_waiting(self._current)
        return GaugeMetricFamily(
            "statuspage_oldest_waiting_delivery_seconds",
            "How long the longest waiting delivery has been due.",
            value=_age(oldest),
        )

    def _counters(self) -> Iterator[Metric]:
        attempts = CounterMetricFamily(
            "statuspage_delivery_attempts", "Attempts to deliver.", labels=["channel"]
        )
        errors = CounterMetricFamily(
            "statuspage_provider_errors",
            "Batches that a provider did not take.",
            labels=["channel", "fault"],
        )
        numbers = counted(self._current)
        unreadable = numbers.pop(provider_events.UNREADABLE, 0)
        for name, value in sorted(numbers.items()):
            kind, *labels = name.split(":")
            (attempts if kind == "attempts" else errors).add_metric(labels, value)
        yield attempts
        yield errors
        yield CounterMetricFamily(
            "statuspage_unreadable_events",
            "Events of the mail provider that could not be read and were left out.",
            value=unreadable,
        )

    def _breakers(self) -> Metric:
        family = GaugeMetricFamily(
            "statuspage_breaker_open",
            "Whether a failing channel is being rested.",
            labels=["channel"],
        )
        for breaker in self._current.scalars(select(Breaker)):
            is_open = breaker.open_until is not None and breaker.open_until > clock.now()
            family.add_metric([breaker.channel], float(is_open))
        return family

    def _nightly_test(self) -> Iterator[Metric]:
        found = nightly_trial.nightly_state(self._current)
        if not found.is_set:
            return
        yield GaugeMetricFamily(
            "statuspage_delivery_test_failed",
            "Whether the last nightly delivery test failed.",
            value=float(found.has_failed),
        )
        if found.passed is None:
            return
        yield GaugeMetricFamily(
            "statuspage_delivery_test_passed_timestamp_seconds",
            "When the nightly delivery test last passed, as a Unix time.",
            value=found.passed.started_at.timestamp(),
        )
        yield GaugeMetricFamily(
            "statuspage_delivery_test_duration_seconds",
            "How long the nightly delivery test took that passed last.",
            value=found.passed.seconds or 0.0,
        )

    def _webhook_lag(self) -> Metric:
        oldest = self._current.scalar(
            select(func.min(WebhookEvent.received_at)).where(WebhookEvent.folded_at.is_(None))
        )
        return GaugeMetricFamily(
            "statuspage_webhook_lag_seconds",
            "How long the oldest event of the mail provider has waited to be folded in.",
            value=_age(oldest),
        )

    def _edition(self) -> Iterator[Metric]:
        keeper = refresher()
        if keeper is None or keeper.age is None:
            return
        yield GaugeMetricFamily(
            "statuspage_edition_age_seconds",
            "Age of the public site's edition that this process serves.",
            value=keeper.age,
        )


def _age(since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (clock.now() - since).total_seconds())


def _uncached(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
