"""Kill -9 the worker while it sends, again and again, and count what was accepted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.company import Company, Tally, WorkerProcess, environ_of
from tests.standins.process import StandIn

KILL_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Provider:
    """A stand-in provider that runs, and the settings that point at it."""

    settings: dict[str, str]
    journal: Path


@contextmanager
def smtp(folder: Path) -> Iterator[Provider]:
    """An SMTP server that takes a little while for each mail."""
    sink = StandIn("smtp", "--manners", '{"latency": 0.002}', folder=folder)
    try:
        yield Provider({"SMTP_URL": sink.facts["url"]}, sink.journal)
    finally:
        sink.stop()


@contextmanager
def sendgrid(
    folder: Path, *, batch: int = 50, latency: float = 0.05, webhook_to: str = ""
) -> Iterator[Provider]:
    """A SendGrid that takes ``latency`` seconds a call, and tells of each mail where asked to."""
    options = ["--manners", f'{{"latency": {latency}}}']
    if webhook_to:
        options += ["--webhook", webhook_to]
    fake = StandIn("sendgrid", *options, folder=folder)
    settings = {
        "SENDGRID_API_KEY": "SG.chaos",
        "SENDGRID_API_HOST": fake.facts["url"],
        "DELIVERY_BATCH": str(batch),
    }
    if webhook_to:
        settings |= {"SENDGRID_WEBHOOK_KEY": fake.facts["webhook_key"], "UNCERTAIN_WAIT": "5"}
    try:
        yield Provider(settings, fake.journal)
    finally:
        fake.stop()


def kill_while_sending(
    database_url: str,
    folder: Path,
    provider: Provider,
    *,
    customers: int,
    kills: int,
    seed: int,
    finish_seconds: float = 120.0,
) -> Tally:
    """Resolve a SEV1, kill the worker ``kills`` times at random points, then let it finish.

    Each kill falls while mails are in hand with their call begun: the worker is stopped where it
    stands, looked at, and killed or let go on.
    """
    dice = random.Random(seed)
    company = Company(environ_of(database_url, folder / "data", **provider.settings), customers)
    log = folder / "worker.log"
    try:
        company.resolve()
        done = while_sending = 0
        for left in range(kills, 0, -1):
            # Spread over what is left, so that there is something to kill to the end.
            step = max(1, (customers - done) // (left + 1))
            target = done + dice.randint(1, step)
            with WorkerProcess(company.environ, log=log) as worker:
                _wait_for_progress(provider.journal, target)
                while_sending += _kill_in_the_act(worker, company, dice)
            done = _lines(provider.journal)
        with WorkerProcess(company.environ, log=log) as worker:
            company.wait_until_done(seconds=finish_seconds)
            worker.end()
        return company.tally(provider.journal, kills=kills, while_sending=while_sending)
    finally:
        company.close()


def _kill_in_the_act(worker: WorkerProcess, company: Company, dice: random.Random) -> bool:
    """Kill the worker at a moment when it has mails in hand; whether there came such a moment."""
    deadline = time.monotonic() + KILL_PATIENCE_SECONDS
    while time.monotonic() < deadline and company.waiting():
        time.sleep(dice.uniform(0, 0.03))
        worker.freeze()
        if company.in_hand():
            worker.kill()
            return True
        worker.thaw()
    return False


def _wait_for_progress(journal: Path, accepted: int) -> None:
    _wait_until(lambda: _lines(journal) >= accepted)


def _lines(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def _wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + KILL_PATIENCE_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker made no progress")
        time.sleep(0.002)
