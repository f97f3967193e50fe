"""How fast the ready bytes are answered, beside nginx, and what disturbs them.

Needs the ``wrk`` program.

A and B take turns (A B A B …) and the medians are compared, because a machine's speed drifts more
from minute to minute than the two differ.
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Flask

from statuspage.core.config import load_settings
from statuspage.core.db import db
from statuspage.core.enums import IncidentStatus
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.public import on_demand_views
from statuspage.public.document import Document
from statuspage.public.edition_builder import build_edition
from statuspage.runtime.application import create_app
from tests.actors import acting
from tests.alerting import alert, make_source, notice
from tests.bench.figures import Figure
from tests.bench.nginx import end, free_port, pinned, wait_until_open

ROOT = Path(__file__).resolve().parents[2]
ACTOR = acting("Ada")
GZIP = {"Accept-Encoding": "gzip"}
# A run lasts at most three seconds.
RUN_SECONDS = 2

# wrk calls `request` for every request in both cases, so that the script costs both the same.
_SCRIPT = """\
local head, tail = %(head)s, %(tail)s
local same = head .. tail
local n = 0
math.randomseed(%(seed)d)
local mark = tostring(math.random(1000000000))
function request()
  if %(invent)s then
    n = n + 1
    return head .. "?" .. mark .. "=" .. n .. tail
  end
  return same
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\nRESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What wrk measured: requests a second, latencies in milliseconds, requests gone wrong."""

    rate: float
    p50: float
    p99: float
    errors: int


def load(
    base: str,
    path: str,
    *,
    headers: Mapping[str, str] = GZIP,
    connections: int = 64,
    seconds: int = RUN_SECONDS,
    invent_queries: bool = False,
    core: int | None = None,
) -> Run:
    """Load an address over keep-alive connections; with an invented query each time if asked."""
    host = urlsplit(base).netloc
    lines = [f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    script = _SCRIPT % {
        "head": _lua(f"GET {path}"),
        "tail": _lua(" HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"),
        "invent": "true" if invent_queries else "false",
        "seed": random.randrange(2**31),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", file.name, base + path]
        finished = subprocess.run(
            pinned(command, core), capture_output=True, text=True, check=True, timeout=seconds + 20
        )
    return _read_result(finished.stdout)


def _lua(text: str) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


def _read_result(output: str) -> Run:
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    requests, microseconds, p50, p99, errors = (int(word) for word in line.split()[1:])
    return Run(requests / (microseconds / 1e6), p50 / 1e3, p99 / 1e3, errors)


def median(runs: list[Run]) -> Run:
    """The median of each figure; errors are added up."""
    return Run(
        rate=statistics.median(run.rate for run in runs),
        p50=statistics.median(run.p50 for run in runs),
        p99=statistics.median(run.p99 for run in runs),
        errors=sum(run.errors for run in runs),
    )


def take_turns(a: Callable[[], Run], b: Callable[[], Run], *, turns: int = 4) -> tuple[Run, Run]:
    """The medians of both, measured A B A B …"""
    pairs = [(a(), b()) for _ in range(turns)]
    return median([first for first, _ in pairs]), median([second for _, second in pairs])


def get(base: str, path: str, headers: Mapping[str, str] = GZIP) -> tuple[int, dict[str, str]]:
    """One request on a connection of its own: status, and headers by lower-case name."""
    connection = HTTPConnection(urlsplit(base).netloc, timeout=30)
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def unchanged(base: str, path: str) -> dict[str, str]:
    """Headers with which this server answers 304; ``RuntimeError`` where it does not."""
    _, found = get(base, path)
    headers = {**GZIP, "If-None-Match": found["etag"]}
    status, _ = get(base, path, headers)
    if status != 304:
        raise RuntimeError(f"{base}{path} answered {status} to its own ETag")
    return headers


def seconds_beside_stalled_clients(base: str, path: str, *, stalled: int = 200) -> float:
    """The slowest of twenty fresh requests while clients hold half-sent heads open."""
    address = (urlsplit(base).hostname, urlsplit(base).port)
    sockets = []
    try:
        for _ in range(stalled):
            client = socket.create_connection(address, timeout=5)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: stalled\r\nX-Half: ".encode())
            sockets.append(client)
        slowest = 0.0
        for _ in range(20):
            started = time.perf_counter()
            status, _ = get(base, path)
            slowest = max(slowest, time.perf_counter() - started)
            if status != 200:
                raise RuntimeError(f"{base}{path} answered {status}")
        return slowest
    finally:
        for client in sockets:
            client.close()


def seconds_until_shown(
    publish: Callable[[], None], bases: list[str], path: str, *, count: int = 100
) -> list[float]:
    """For that many posts, the time from the commit until every process shows the new page.

    ``publish`` returns once its post is committed.  ``RuntimeError`` where one takes ten seconds.
    """
    times = []
    for _ in range(count):
        former = {base: get(base, path)[1]["etag"] for base in bases}
        publish()
        committed = time.perf_counter()
        for base in bases:
            while get(base, path)[1]["etag"] == former[base]:
                if time.perf_counter() - committed > 10:
                    raise RuntimeError(f"{base}{path} does not show the post")
                time.sleep(0.002)
        times.append(time.perf_counter() - committed)
        # Posts do not come in step with the looks at the revision.
        time.sleep(random.uniform(0, 0.2))
    return times


@contextmanager
def stuck_requests(
    base: str, path: str, *, count: int = 16, core: int | None = None
) -> Iterator[None]:
    """Keep that many requests under way at a slow address meanwhile."""
    command = ["wrk", "-t1", f"-c{count}", "-d60s", base + path]
    process = subprocess.Popen(pinned(command, core), stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        yield
    finally:
        end(process)


@contextmanager
def publishing(
    publish: Callable[[], None], *, per_second: float = 5, core: int | None = None
) -> Iterator[None]:
    """Call ``publish`` that often meanwhile, on the load's core where there is one."""
    stop = threading.Event()

    def publish_on() -> None:
        if core is not None:
            # Linux keeps this for each thread: the posts come from another process than the pages.
            os.sched_setaffinity(0, {core})
        while not stop.wait(1 / per_second):
            publish()

    thread = threading.Thread(target=publish_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)


@contextmanager
def alerting(base: str, key: str, *, core: int | None = None) -> Iterator[None]:
    """Send 10,000 alerts of 200 groups a minute meanwhile, ten in a request."""
    numbers = count(1)

    def send() -> None:
        first = 10 * next(numbers)
        group = f"group {first // 10 % 200}"
        alerts = (alert(group, number=first + number) for number in range(10))
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection = HTTPConnection(urlsplit(base).netloc, timeout=30)
        body = json.dumps(notice(*alerts, group=group))
        connection.request("POST", "/hooks/alertmanager", body, headers)
        status = connection.getresponse().status
        connection.close()
        if status != 202:
            raise RuntimeError(f"alerts were answered {status}")

    with publishing(send, per_second=1_000 / 60, core=core):
        yield


@contextmanager
def served_app(
    *, environment: Mapping[str, str], port: int, core: int | None = None
) -> Iterator[str]:
    """The server as the service runs it, on `slow_app`; gives the base address."""
    process = subprocess.Popen(
        pinned([sys.executable, "-c", _SERVE_SLOW_APP], core),
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    try:
        wait_until_open(port, process)
        # The port opens before the application is loaded; its first answer waits for that, and
        # for the first edition.
        get(f"http://127.0.0.1:{port}", "/")
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


_SERVE_SLOW_APP = """
from statuspage.runtime.server import serve
from tests.bench.front import slow_app
serve(slow_app())
"""


def against_nginx(served: Served, theirs: str, *, core: int | None, turns: int) -> Iterator[Figure]:
    """The table of the page's speed: ours and nginx's with the same bytes, wrk kept to ``core``."""
    ours = served.url

    def run(base: str, *, headers: Mapping[str, str] = GZIP, invent_queries: bool = False) -> Run:
        return load(base, "/", headers=headers, invent_queries=invent_queries, core=core)

    page, there = take_turns(lambda: run(ours), lambda: run(theirs), turns=turns)
    yield Figure("page, gzip, 64 connections", page.rate, "/s")
    yield Figure("  the same from nginx", there.rate, "/s")
    yield Figure("  ours by nginx's", page.rate / there.rate, "×", at_least=0.5)
    yield Figure("  p99", page.p99, "ms", at_most=3 * there.p99 + 5)
    headers, their_headers = unchanged(ours, "/"), unchanged(theirs, "/")
    known, known_there = take_turns(
        lambda: run(ours, headers=headers),
        lambda: run(theirs, headers=their_headers),
        turns=turns,
    )
    yield Figure("304", known.rate, "/s")
    yield Figure("  ours by nginx's", known.rate / known_there.rate, "×", at_least=0.4)
    invented, same = take_turns(
        lambda: run(ours, invent_queries=True), lambda: run(ours), turns=turns
    )
    yield Figure("an invented query on every request", invented.rate / same.rate, "×", at_least=0.9)
    stuck, calm = take_turns(
        lambda: _within(stuck_requests(ours, "/slow", core=core), lambda: run(ours)),
        lambda: run(ours),
        turns=turns,
    )
    yield Figure("beside 16 requests stuck in Flask", stuck.rate / calm.rate, "×", at_least=0.9)
    yield Figure("  p99", stuck.p99, "ms", at_most=20)
    posting, calm = take_turns(
        lambda: _within(publishing(served.publish, core=core), lambda: run(ours)),
        lambda: run(ours),
        turns=turns,
    )
    yield Figure("while 5 posts a second come", posting.rate / calm.rate, "×", at_least=0.9)
    yield Figure("  p99", posting.p99, "ms", at_most=20)
    storm, calm = take_turns(
        lambda: _within(alerting(ours, served.key, core=core), lambda: run(ours)),
        lambda: run(ours),
        turns=turns,
    )
    # Taking them costs a third of a core, which a page at its limit misses; nobody waits for it.
    yield Figure("while 10,000 alerts a minute come", storm.rate / calm.rate, "×")
    yield Figure("  p99", storm.p99, "ms", at_most=20)
    errors = sum(one.errors for one in (page, known, invented, stuck, posting, storm))
    yield Figure("requests that went wrong", errors, "", at_most=0)


def patience(served: Served) -> Iterator[Figure]:
    """How soon a post is shown, and a fresh request answered beside stalled clients."""
    times = sorted(seconds_until_shown(served.publish, [served.url], "/"))
    yield Figure("post committed → new page, median of 100", times[50], "s")
    yield Figure("  p99", times[98], "s", at_most=1)
    stalled = seconds_beside_stalled_clients(served.url, "/") * 1000
    yield Figure("a fresh request beside 200 stalled clients", stalled, "ms", at_most=50)


def _within(context: AbstractContextManager[None], action: Callable[[], Run]) -> Run:
    with context:
        return action()


@dataclass(frozen=True)
class Served:
    """The real service's web process with some incidents, a hand to post, and a key for alerts."""

    url: str
    publish: Callable[[], None]
    page: Document
    key: str


@contextmanager
def served(database_url: str, data_dir: Path, *, core: int | None) -> Iterator[Served]:
    """Serve the database as the service does."""
    port = free_port()
    environ = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "a key for benches, never for anything else",
    }
    app = create_app(load_settings(environ))
    with app.app_context():
        edition = build_edition(db.engine, app.extensions["links"])
        code = lifecycle.declare(
            Declaration("Payments fail", 1, users_notice="Payments fail."),
            Submission(ACTOR, uuid4().hex),
        ).code
        _, key = make_source()

    def publish() -> None:
        with app.app_context():
            lifecycle.post_update(
                code, NewUpdate(IncidentStatus.MONITORING), Submission(ACTOR, uuid4().hex)
            )

    try:
        with served_app(environment=environ, port=port, core=core) as url:
            yield Served(url, publish, edition.documents["/"], key)
    finally:
        with app.app_context():
            db.engine.dispose()


def slow_app() -> Flask:
    """The real app with one more address, which takes 100 ms to answer."""
    app = create_app()

    @app.get("/slow")
    def slow() -> str:
        time.sleep(0.1)
        return "slow"

    on_demand_views.install(app)
    return app
