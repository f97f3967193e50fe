"""What delivery costs: queueing, handing over, and whether history makes it dearer."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from sqlalchemy import func, insert, select, true

from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, DeliveryState, Step
from statuspage.delivery import queue
from statuspage.delivery.claims import new_worker_id
from statuspage.delivery.dispatch import Dispatcher, open_lanes
from statuspage.models import Delivery, Message
from tests.bench.figures import Figure
from tests.chaos.company import Company, environ_of
from tests.chaos.kills import sendgrid
from tests.chaos.processes import LoadedWorker
from tests.databases import PostgresServer, SqliteTemplate
from tests.fakes.journal import Accepted, read_journal
from tests.fakes.process import StandIn
from tests.fakes.sendgrid import Signer

CUSTOMERS = 100_000
EIGHT_CALLS = {"SENDGRID_WEBHOOK_KEY": Signer().public_key}
"""With the webhook's key set eight calls run at a time, though no event ever comes."""


@dataclass(frozen=True)
class Places:
    """Where databases come from."""

    sqlite: SqliteTemplate
    postgres: PostgresServer

    def url(self, kind: str, folder: Path) -> str:
        """An empty database of that kind."""
        if kind == "sqlite":
            return self.sqlite.copy_to(folder / "data").url
        return self.postgres.empty().url


def queueing(places: Places) -> Iterator[Figure]:
    """100,000 customers queued in the publishing transaction."""
    for kind, most in (("sqlite", 0.5), ("postgresql", 1.5)):
        with TemporaryDirectory() as name:
            folder = Path(name)
            company = Company(environ_of(places.url(kind, folder), folder / "data"), CUSTOMERS)
            with company.app.app_context(), _watch_memory(os.getpid()) as grown:
                with writing() as session:
                    message = _message(session)
                    start = time.perf_counter()
                    queued = queue.queue_customers(
                        session, message, step_key="bench", rule=true(), concerned=()
                    )
                    took = time.perf_counter() - start
                assert queued == CUSTOMERS
            company.close()
        yield Figure(f"{queued:,} customers queued, {kind}", took, "s", at_most=most)
        yield Figure(f"  the process grew by, {kind}", grown(), "MB", at_most=50)


def handing_over(places: Places) -> Iterator[Figure]:
    """100,000 mails to a SendGrid that takes 200 ms a call, by a real worker process."""
    for kind in ("sqlite", "postgresql"):
        with TemporaryDirectory() as name:
            folder = Path(name)
            with sendgrid(folder, batch=1000, latency=0.2, settings=EIGHT_CALLS) as provider:
                environ = environ_of(places.url(kind, folder), folder / "data", **provider.settings)
                company = Company(environ, CUSTOMERS)
                with LoadedWorker(environ, log=folder / "worker.log") as worker:
                    _let_it_start(company)
                    start = time.time()
                    company.resolve()
                    before = psutil.Process(worker.pid).memory_info().rss / 1e6
                    with _watch_memory(worker.pid) as grown:
                        done = company.wait_until_done(seconds=120, look_every=1)
                    accepted = read_journal(provider.journal)
                company.close()
            if not done or len(accepted) != CUSTOMERS:
                yield Figure(f"100,000 to SendGrid, {kind}: not all arrived", 1, "", at_most=0)
                continue
            requests = len({mail.attempt_id for mail in accepted})
            took = max(mail.at for mail in accepted) - start
        yield Figure(f"100,000 handed to SendGrid at 200 ms a call, {kind}", took, "s", at_most=10)
        yield Figure("  requests", requests, "", at_most=100)
        yield Figure("  the worker grew to", before + grown(), "MB", at_most=200)


def first_and_most(places: Places) -> Iterator[Figure]:
    """10,000 recipients: how soon after publishing the first and 95 % are handed over."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with sendgrid(folder, batch=1000, latency=0.2, settings=EIGHT_CALLS) as provider:
            environ = environ_of(places.url("sqlite", folder), folder / "data", **provider.settings)
            company = Company(environ, 10_000)
            with LoadedWorker(environ, log=folder / "worker.log"):
                _let_it_start(company)
                start = time.time()
                company.resolve()
                company.wait_until_done(seconds=60, look_every=1)
            times = sorted(mail.at - start for mail in read_journal(provider.journal))
            company.close()
    yield Figure("10,000 recipients: first handed over after", times[0], "s", at_most=2)
    yield Figure("  95 % after", times[int(len(times) * 0.95)], "s", at_most=5)


def over_smtp(places: Places) -> Iterator[Figure]:
    """Mails a second over one SMTP connection, each acceptance committed."""
    customers = 5_000
    for kind, least in (("sqlite", 400), ("postgresql", None)):
        with TemporaryDirectory() as name:
            folder = Path(name)
            sink = StandIn("smtp", folder=folder)
            environ = environ_of(
                places.url(kind, folder), folder / "data", SMTP_URL=sink.facts["url"]
            )
            company = Company(environ, customers)
            with LoadedWorker(environ, log=folder / "worker.log"):
                _let_it_start(company)
                company.resolve()
                company.wait_until_done(seconds=120, look_every=1)
            rate = _rate(read_journal(sink.journal))
            company.close()
            sink.stop()
        yield Figure(f"mails a second over SMTP, {kind}", rate, "/s", at_least=least)


def with_history(places: Places) -> Iterator[Figure]:
    """What a delivery costs with 1,000,000 rows of history, beside 10,000."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        url = places.url("sqlite", folder)
        with sendgrid(folder, batch=1000, latency=0.0) as provider:
            environ = environ_of(url, folder / "data", **provider.settings)
            company = Company(environ, 10_000)
            costs = []
            for history in (10_000, 1_000_000):
                _grow_history(company, history)
                costs.append(statistics.median(_deliver_once(company) for _ in range(3)))
            company.close()
    yield Figure(
        "cost of a delivery at 1,000,000 rows of history, times that at 10,000",
        costs[1] / costs[0],
        "×",
        at_most=1.2,
    )


def _deliver_once(company: Company) -> float:
    """Seconds to queue 10,000 mails and hand them over, in this process."""
    settings = company.app.extensions["settings"]
    dispatcher = Dispatcher(company.app, new_worker_id(), open_lanes(settings))
    with company.app.app_context():
        start = time.perf_counter()
        with writing() as session:
            message = _message(session)
            queue.queue_customers(
                session, message, step_key=f"bench {message.id}", rule=true(), concerned=()
            )
        dispatcher.send_all()
        took = time.perf_counter() - start
    dispatcher.stop()
    return took


def _grow_history(company: Company, rows: int) -> None:
    """Fill up with deliveries that were accepted long ago."""
    with company.app.app_context():
        have = current_session().scalar(select(func.count()).select_from(Delivery)) or 0
        moment = clock.now()
        for start in range(have, rows, 50_000):
            with writing() as session:
                message = _message(session)
                session.execute(
                    insert(Delivery),
                    [
                        {
                            "message_id": message.id,
                            "step_key": f"history {message.id}",
                            "channel": Channel.EMAIL,
                            "address": f"h{number}@example.com",
                            "email": f"h{number}@example.com",
                            "state": DeliveryState.ACCEPTED,
                            "attempts": 1,
                            "due_at": moment,
                        }
                        for number in range(start, min(start + 50_000, rows))
                    ],
                )


def _message(session: object) -> Message:
    message = Message(
        step=Step.RESOLVED, audience=Audience.CUSTOMER, subject="It is over", text="Hello [[name]]"
    )
    session.add(message)  # type: ignore[attr-defined]
    session.flush()  # type: ignore[attr-defined]
    return message


def _rate(accepted: list[Accepted]) -> float:
    times = sorted(mail.at for mail in accepted)
    return (len(times) - 1) / (times[-1] - times[0])


def _let_it_start(company: Company) -> None:
    """Wait until the worker has sent the declaration to the chat, so that it is warm."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with company.app.app_context():
            waits = current_session().scalar(
                select(Delivery.id).where(
                    Delivery.channel == Channel.CHAT, Delivery.state == DeliveryState.PENDING
                )
            )
        if waits is None:
            return
        time.sleep(0.05)
    raise TimeoutError("the worker did not start")


@contextmanager
def _watch_memory(pid: int) -> Iterator[Callable[[], float]]:
    """Tells by how many MB the process had grown at its peak, looking twenty times a second."""
    process = psutil.Process(pid)
    before = peak = process.memory_info().rss / 1e6
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.05):
            peak = max(peak, process.memory_info().rss / 1e6)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: peak - before
    finally:
        over.set()
        thread.join()
