"""Everything else that goes wrong: frozen workers, providers, disks, databases, forgers, clocks.

Each function makes one kind of trouble and returns what its customers got.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from statuspage.core.db import Base, current_session
from statuspage.core.enums import Channel, DeliveryState
from statuspage.models import AuditEntry, Counter, Delivery, Incident, IncidentUpdate, Message
from tests.chaos.company import Company, Tally, environ_of
from tests.chaos.kills import Provider, company_with, finish, sendgrid
from tests.chaos.processes import LoadedWorker, WebProcess, WorkerProcess, limit_files, wait_until
from tests.databases import PostgresServer
from tests.fakes.process import StandIn
from tests.fakes.sendgrid import Signer
from tests.ports import free_port

ALREADY_RUNNING = 3
POSTED = (Incident, IncidentUpdate, Message, AuditEntry)
HOOK = "/hooks/sendgrid"

WORST_PROVIDER = {"429": 0.10, "500": 0.05, "read_drop": 0.05, "accept_drop": 0.05}


def freeze_in_the_act(
    database_url: str, folder: Path, *, customers: int, seconds: float, workers: int = 1
) -> Tally:
    """Stop a worker in the middle of a call for ``seconds``, with others beside it; let it go on.

    On SQLite, where one worker may run, a second is started meanwhile and must refuse to.
    """
    with ExitStack() as ending:
        provider = ending.enter_context(sendgrid(folder, batch=50))
        company = ending.enter_context(
            company_with(database_url, folder, provider, customers=customers)
        )
        frozen = ending.enter_context(WorkerProcess(company.environ, log=folder / "worker.log"))
        company.resolve()
        _freeze_with_mail_in_hand(frozen, company)
        others = [
            ending.enter_context(WorkerProcess(company.environ, log=folder / "worker.log"))
            for _ in range(workers - 1)
        ]
        if not others:
            with WorkerProcess(company.environ, log=folder / "worker.log") as second:
                assert second.wait() == ALREADY_RUNNING
        time.sleep(seconds)
        frozen.thaw()
        company.wait_until_done(seconds=60)
        return company.tally(provider.journal)


def _freeze_with_mail_in_hand(worker: WorkerProcess, company: Company) -> None:
    def caught() -> bool:
        time.sleep(0.02)
        worker.freeze()
        if company.in_hand():
            return True
        worker.thaw()
        return False

    wait_until(caught, what="the worker has mail in hand")


def bad_provider(
    database_url: str, folder: Path, *, customers: int, seed: int, hangs: int = 1
) -> Tally:
    """SendGrid refuses, fails, drops, hangs, trickles and takes no key; its events still come."""
    dice = random.Random(seed)
    script = ["401", "401", "trickle"] + ["hang"] * hangs
    dice.shuffle(script)
    worst = {"mix": WORST_PROVIDER, "script": script}
    with (
        sendgrid(folder, batch=50, tells=True, **worst) as provider,
        company_with(database_url, folder, provider, customers=customers) as company,
    ):
        company.resolve()
        finish(company, folder, seconds=300)
        return company.tally(provider.journal)


def provider_away(
    database_url: str, folder: Path, *, customers: int, seconds: float
) -> tuple[Tally, float]:
    """Nothing listens at SendGrid's address for a while; the result has the seconds until all went.

    They count from the moment that it is back.
    """
    port = str(free_port())
    settings = {"SENDGRID_API_KEY": "SG.chaos", "SENDGRID_API_HOST": f"http://127.0.0.1:{port}"}
    provider = Provider(settings, folder / "sendgrid-journal.jsonl")
    with ExitStack() as ending:
        company = ending.enter_context(
            company_with(database_url, folder, provider, customers=customers)
        )
        worker = ending.enter_context(WorkerProcess(company.environ, log=folder / "worker.log"))
        company.resolve()
        time.sleep(seconds)
        ending.callback(StandIn("sendgrid", "--port", port, folder=folder).stop)
        healed = time.monotonic()
        company.wait_until_done(seconds=120)
        took = time.monotonic() - healed
        worker.end()
        return company.tally(provider.journal), took


def full_disk(database_url: str, folder: Path, *, customers: int, seconds: float) -> Tally:
    """Not one byte more can be written while the worker sends, and while somebody posts.

    Asserts that the post was refused in words and left nothing behind.
    """
    with (
        sendgrid(folder, batch=50, tells=True) as provider,
        company_with(database_url, folder, provider, customers=customers) as company,
        WorkerProcess(company.environ, log=folder / "worker.log") as worker,
    ):
        company.resolve()
        wait_until(lambda: provider.accepted() > 0, what="mails go out")
        limit_files(worker.pid, 0)
        limit_files(os.getpid(), 0)
        try:
            refused = _cannot_post(company)
            time.sleep(seconds)
        finally:
            limit_files(os.getpid(), None)
            limit_files(worker.pid, None)
        assert refused
        company.wait_until_done(seconds=120)
        worker.end()
        return company.tally(provider.journal)


def _cannot_post(company: Company) -> bool:
    before = _rows(company, POSTED)
    try:
        company.post("The disk is full")
    except DBAPIError:
        return _rows(company, POSTED) == before
    return False


def database_away(server: PostgresServer, folder: Path, *, customers: int, seconds: float) -> Tally:
    """PostgreSQL is killed while the worker sends, and comes back after a while."""
    with (
        sendgrid(folder, batch=50, tells=True) as provider,
        company_with(server.empty().url, folder, provider, customers=customers) as company,
        WorkerProcess(company.environ, log=folder / "worker.log") as worker,
    ):
        company.resolve()
        wait_until(lambda: provider.accepted() > 0, what="mails go out")
        with server.away():
            time.sleep(seconds)
        company.wait_until_done(seconds=120)
        worker.end()
        return company.tally(provider.journal)


@dataclass(frozen=True)
class Forged:
    """What came of posts that SendGrid never made: the last two must be 0."""

    updates: int
    server_errors: int
    changed: int

    @property
    def held(self) -> bool:
        """Whether every post was refused, or changed nothing."""
        return not (self.server_errors or self.changed)

    def __str__(self) -> str:
        return f"{self.updates:,} posts: {self.server_errors} × 5xx, {self.changed} rows changed"


def forge_events(database_url: str, folder: Path, *, updates: int, seed: int) -> Forged:
    """Malformed, replayed and forged posts at the address that SendGrid's events come to."""
    dice = random.Random(seed)
    signer = Signer()
    port = free_port()
    environ = environ_of(
        database_url,
        folder / "data",
        PORT=str(port),
        SENDGRID_API_KEY="SG.chaos",
        SENDGRID_WEBHOOK_KEY=signer.public_key,
    )
    company = Company(environ, customers=20)
    company.resolve()
    with WebProcess(environ, log=folder / "web.log"):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        genuine = _event(company, "delivered")
        body = json.dumps([genuine]).encode()
        headers = signer.headers(body)
        assert _post(connection, body, headers) == 204
        before = _rows(company)
        statuses = [
            _post(connection, *forged)
            for forged in _forgeries(dice, signer, genuine, (body, headers), updates)
        ]
        connection.close()
        changed = sum(abs(n - m) for n, m in zip(_rows(company), before, strict=True))
    company.close()
    return Forged(len(statuses), sum(status >= 500 for status in statuses), changed)


def _event(company: Company, kind: str) -> dict[str, object]:
    with company.app.app_context():
        delivery = (
            current_session().scalars(select(Delivery).filter_by(channel=Channel.EMAIL)).first()
        )
        assert delivery is not None
        return {
            "event": kind,
            "email": delivery.email,
            "timestamp": int(time.time()),
            "sg_event_id": uuid.uuid4().hex,
            "delivery_id": str(delivery.id),
            "attempt_id": "none",
        }


def _forgeries(
    dice: random.Random,
    signer: Signer,
    genuine: dict[str, object],
    replay: tuple[bytes, dict[str, str]],
    updates: int,
) -> Iterator[tuple[bytes, dict[str, str]]]:
    stranger = Signer()
    for _ in range(updates):
        bounce = {**genuine, "event": "bounce", "sg_event_id": uuid.uuid4().hex}
        body = json.dumps([bounce]).encode()
        kind = dice.randrange(6)
        if kind == 0:
            yield replay
        elif kind == 1:
            yield body, stranger.headers(body)
        elif kind == 2:
            yield body, {}
        elif kind == 3:  # a byte was changed on the way
            place = dice.randrange(len(body))
            changed = bytes([body[place] ^ (1 << dice.randrange(8))])
            yield body[:place] + changed + body[place + 1 :], signer.headers(body)
        elif kind == 4:  # signed, and nonsense
            junk = dice.choice([
                b"", b"null", b"{}", b"[[]]", b"[{}]", b'{"event": "bounce"}', body[:-7],
                dice.randbytes(dice.randrange(300)), b"[" * 5000,
                json.dumps([{**bounce, "timestamp": "soon"}]).encode(),
                json.dumps([{**bounce, "email": ["x"]}]).encode(),
                json.dumps([{**bounce, "sg_event_id": "x" * 5000}]).encode(),
            ])  # fmt: skip
            yield junk, signer.headers(junk)
        else:
            odd = dice.choice(["", "=", "😀".encode().decode("latin-1"), "MEUCIQ==", "A" * 5000])
            yield body, {**signer.headers(body), "X-Twilio-Email-Event-Webhook-Signature": odd}


def _post(connection: HTTPConnection, body: bytes, headers: dict[str, str]) -> int:
    connection.request("POST", HOOK, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _rows(company: Company, tables: Sequence[type[Base]] = ()) -> list[int]:
    """How many rows there are in these tables, or in each, and how many deliveries wait.

    Events that cannot be read are counted (`Counter`); that changes nothing else.
    """
    every = [table for table in Base.metadata.sorted_tables if table is not Counter.__table__]
    chosen = [table.__table__ for table in tables] or every
    with company.app.app_context():
        counts = [select(func.count()).select_from(table) for table in chosen]
        if not tables:
            waiting = Delivery.state == DeliveryState.PENDING
            counts.append(select(func.count()).select_from(Delivery).where(waiting))
        return [current_session().scalar(count) or 0 for count in counts]


def jump_clock(
    database_url: str, folder: Path, *, customers: int, seconds: float, within: float = 5
) -> Tally:
    """The clock jumps by ``seconds`` in the middle of the sending; what came of it.

    Raises ``TimeoutError`` where nothing moves ``within`` so many seconds after the jump.
    """
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    offset = folder / "offset"
    offset.write_text("+0\n")
    with (
        sendgrid(folder, batch=10, latency=0.1) as provider,
        company_with(database_url, folder, provider, customers=customers) as company,
    ):
        faked = {
            **company.environ,
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        company.resolve()
        with LoadedWorker(faked, log=folder / "worker.log") as worker:
            wait_until(lambda: provider.accepted() > 0, what="mails go out")
            # Whole at once: a file that is half written would be another jump.
            offset.with_suffix(".new").write_text(f"{seconds:+.0f}\n")
            offset.with_suffix(".new").replace(offset)
            at_the_jump = provider.accepted()
            wait_until(
                lambda: provider.accepted() > at_the_jump + 20,
                what="mails go out again",
                seconds=within,
            )
            company.wait_until_done(seconds=120)
            worker.end()
        return company.tally(provider.journal)
