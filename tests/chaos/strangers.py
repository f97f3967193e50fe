"""Strangers who send half of a form, a byte at a time, or far too much, with no proxy in front.

The promise: the page and ``/healthz`` answer as ever beside them, and no request costs more than
fifty milliseconds of processor time or two megabytes of memory before it is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil

from tests.chaos.processes import WebProcess
from tests.ports import free_port

SLOWEST_P99 = 0.020
MOST_CPU_SECONDS = 0.050
MOST_BYTES = 2 * 1024 * 1024

FORM = "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
PATHS = ("/subscribe", "/admin/login", "/hooks/sendgrid", "/unsubscribe/1-x", "/nope", "/")


@dataclass(frozen=True)
class Crowd:
    """How many do what at the same time."""

    half: int = 1_000
    trickling: int = 1_000
    large: int = 200


@dataclass(frozen=True)
class Service:
    """How the page and ``/healthz`` answered meanwhile, in seconds."""

    p50: float
    p99: float
    slowest: float
    failed: int
    crowd: int

    @property
    def held(self) -> bool:
        """Whether the promise was kept."""
        return not self.failed and self.p99 <= SLOWEST_P99

    def __str__(self) -> str:
        return (
            f"beside {self.crowd:,} strangers: p50 {self.p50 * 1000:.1f} ms, "
            f"p99 {self.p99 * 1000:.1f} ms, slowest {self.slowest * 1000:.0f} ms, "
            f"{self.failed} failed"
        )


@dataclass(frozen=True)
class Cost:
    """What one request cost before it was refused."""

    name: str
    status: int
    cpu_seconds: float
    grown: int

    @property
    def held(self) -> bool:
        """Whether the promise was kept."""
        refused = 400 <= self.status < 500
        return refused and self.cpu_seconds <= MOST_CPU_SECONDS and self.grown <= MOST_BYTES

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.status}, {self.cpu_seconds * 1000:.0f} ms of processor time, "
            f"{self.grown / 1024**2:+.1f} MB"
        )


@contextmanager
def serving(database_url: str, folder: Path) -> Iterator[WebProcess]:
    """The web server with an empty page, and no proxy."""
    port = free_port()
    environ = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder / "data"),
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": "a key for chaos, never for anything else",
    }
    with WebProcess(environ, log=folder / "web.log") as web:
        yield web


def crowd_out(web: WebProcess, *, crowd: Crowd, seconds: float) -> Service:
    """Ask for the page and ``/healthz`` in turns, a hundred times a second, beside the crowd."""
    ready = multiprocessing.Event()
    strangers = multiprocessing.Process(target=_strangers, args=(web.port, crowd, ready))
    strangers.start()
    try:
        if not ready.wait(60):
            raise TimeoutError("the strangers did not come")
        times, failed = _ask(web.port, seconds=seconds)
    finally:
        strangers.kill()
        strangers.join()
    cuts = statistics.quantiles(times, n=100)
    total = crowd.half + crowd.trickling + crowd.large
    return Service(statistics.median(times), cuts[98], max(times), failed, total)


def _ask(port: int, *, seconds: float) -> tuple[list[float], int]:
    times, failed = [], 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path in ("/", "/healthz"):
            started = time.perf_counter()
            failed += _get(port, path) != 200
            times.append(time.perf_counter() - started)
            time.sleep(0.01)
    return times, failed


def _get(port: int, path: str) -> int:
    """The status of a request on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        client.close()


def cost_of_each(web: WebProcess) -> Iterator[Cost]:
    """What each way of sending too much costs: the dearest of three requests.

    The first counts like the others, as a stranger can send it.  What other threads of the server
    do meanwhile counts too.
    """
    server = psutil.Process(web.pid).children(recursive=True)[0]
    large, pairs = 60 * 1024**2, b"a&"
    ways = [
        *[(f"60 MB to {path}", path, large, pairs, False) for path in PATHS],
        *[(f"60 MB in chunks to {path}", path, large, pairs, True) for path in PATHS],
        ("the most that is taken, to /subscribe", "/subscribe", 64 * 1024, pairs, False),
        ("the most that is taken, to /admin/login", "/admin/login", 64 * 1024, pairs, False),
    ]
    for name, path, size, piece, chunked in ways:
        costs = []
        for _ in range(3):
            before, memory = server.cpu_times(), server.memory_info().rss
            status = _send(web.port, path, size, piece, chunked=chunked)
            time.sleep(0.3)
            after = server.cpu_times()
            used = after.user + after.system - before.user - before.system
            costs.append(Cost(name, status, used, server.memory_info().rss - memory))
        most = max(cost.cpu_seconds for cost in costs), max(cost.grown for cost in costs)
        yield Cost(name, costs[-1].status, *most)


def _send(port: int, path: str, size: int, piece: bytes, *, chunked: bool) -> int:
    """Send a form of that size, as far as it is taken; the status of the answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.putrequest("POST", path)
    client.putheader("Content-Type", "application/x-www-form-urlencoded")
    block = piece * (32 * 1024 // len(piece))
    if chunked:
        client.putheader("Transfer-Encoding", "chunked")
        block = b"%x\r\n%s\r\n" % (len(block), block)
    else:
        client.putheader("Content-Length", str(size))
    client.endheaders()
    try:
        with contextlib.suppress(OSError):
            for _ in range(size // (32 * 1024)):
                client.send(block)
            if chunked:
                client.send(b"0\r\n\r\n")
        return client.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        client.close()


def _strangers(port: int, crowd: Crowd, ready: Event) -> None:
    async def come() -> None:
        ones = [_stay(port, "half", n) for n in range(crowd.half)]
        ones += [_stay(port, "trickle", n) for n in range(crowd.trickling)]
        ones += [_stay(port, "large", n) for n in range(crowd.large)]
        tasks = [asyncio.create_task(one) for one in ones]
        await asyncio.sleep(2)
        ready.set()
        await asyncio.gather(*tasks)

    asyncio.run(come())


async def _stay(port: int, way: str, number: int) -> None:
    """Be one stranger for ever: who is sent away comes back."""
    path = PATHS[number % len(PATHS)]
    length = 60_000_000 if way == "large" else 1_000
    head = f"POST {path} HTTP/1.1\r\n{FORM}Content-Length: {length}\r\n\r\na"
    while True:
        await asyncio.sleep(0.5)
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await _send_badly(way, head, reader, writer)
            finally:
                writer.close()


async def _send_badly(
    way: str, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(head.encode())
    if way == "half":
        await reader.read()
    while not reader.at_eof() and not writer.is_closing():
        if way == "large":
            writer.write(b"a&" * 16 * 1024)
            await asyncio.wait_for(writer.drain(), 30)
        else:
            writer.write(b"a")
            await asyncio.sleep(0.5)
        if way == "large":
            # Reads nothing, as most programs do that are still sending.
            await asyncio.sleep(0.01)
