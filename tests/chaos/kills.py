"""Kill -9 the worker while it sends, again and again, and count what was accepted."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.chaos.company import Company, Tally, environ_of
from tests.chaos.processes import (
    PATIENCE_SECONDS,
    WebProcess,
    WorkerProcess,
    wait_until,
)
from tests.fakes.process import StandIn
from tests.ports import free_port


@dataclass(frozen=True, slots=True)
class Provider:
    """A stand-in provider that runs, and the settings that point at it."""

    settings: dict[str, str]
    journal: Path

    @property
    def tells(self) -> bool:
        """Whether it posts events about its mails, for which the web server must run."""
        return "SENDGRID_WEBHOOK_KEY" in self.settings

    def accepted(self) -> int:
        """How many mails it has taken so far."""
        return self.journal.read_bytes().count(b"\n") if self.journal.exists() else 0


@contextmanager
def company_with(
    database_url: str, folder: Path, provider: Provider, *, customers: int
) -> Iterator[Company]:
    """A company whose SEV1 is still open; where its provider tells, its web server runs."""
    environ = environ_of(database_url, folder / "data", **provider.settings)
    company = Company(environ, customers)
    with ExitStack() as ending:
        ending.callback(company.close)
        if provider.tells:
            ending.enter_context(WebProcess(environ, log=folder / "web.log"))
        try:
            yield company
        except Exception as error:
            for log in folder.glob("*.log"):
                error.add_note(f"{log.name}: {log.read_text()[-2000:]}")
            raise


@contextmanager
def smtp(folder: Path) -> Iterator[Provider]:
    """An SMTP server."""
    sink = StandIn("smtp", folder=folder)
    try:
        yield Provider({"SMTP_URL": sink.facts["url"]}, sink.journal)
    finally:
        sink.stop()


@contextmanager
def sendgrid(
    folder: Path,
    *,
    batch: int = 50,
    latency: float = 0.05,
    tells: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
    **manners: object,
) -> Iterator[Provider]:
    """A SendGrid that takes ``latency`` seconds a call and misbehaves as ``manners`` say.

    Where it ``tells``, it posts events about each mail to the port in the provider's settings.
    """
    port = str(free_port())
    options = ["--manners", json.dumps({"latency": latency, **manners})]
    if tells:
        options += ["--webhook", f"http://127.0.0.1:{port}/hooks/sendgrid"]
    fake = StandIn("sendgrid", *options, folder=folder)
    chosen = {
        "SENDGRID_API_KEY": "SG.chaos",
        "SENDGRID_API_HOST": fake.facts["url"],
        "DELIVERY_BATCH": str(batch),
        "PORT": port,
    }
    if tells:
        chosen |= {"SENDGRID_WEBHOOK_KEY": fake.facts["webhook_key"], "UNCERTAIN_WAIT": "5"}
    try:
        yield Provider({**chosen, **settings}, fake.journal)
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
    log = folder / "worker.log"
    with company_with(database_url, folder, provider, customers=customers) as company:
        company.resolve()
        done = while_sending = 0
        for left in range(kills, 0, -1):
            # Spread over what is left, so that there is something to kill to the end.
            target = done + dice.randint(1, max(1, (customers - done) // (left + 1)))
            with WorkerProcess(company.environ, log=log) as worker:
                wait_until(lambda goal=target: provider.accepted() >= goal, what="mails go out")
                while_sending += _kill_in_the_act(worker, company, dice)
            done = provider.accepted()
        finish(company, folder, seconds=finish_seconds)
        return company.tally(provider.journal, kills=kills, while_sending=while_sending)


def finish(company: Company, folder: Path, *, seconds: float = 120.0) -> float:
    """Have a worker do what is left; how many seconds that took."""
    start = time.monotonic()
    with WorkerProcess(company.environ, log=folder / "worker.log") as worker:
        company.wait_until_done(seconds=seconds)
        took = time.monotonic() - start
        worker.end()
    return took


def _kill_in_the_act(worker: WorkerProcess, company: Company, dice: random.Random) -> bool:
    """Kill the worker at a moment when it has mails in hand; whether there came such a moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and company.waiting():
        time.sleep(dice.uniform(0, 0.03))
        worker.freeze()
        if company.in_hand():
            worker.kill()
            return True
        worker.thaw()
    return False
