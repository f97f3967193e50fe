"""The web server: a process forked from one that has loaded the app already.

A start then imports everything once instead of twice, and a process that is killed is back in
milliseconds instead of seconds.  One thread reads all requests and answers with ready documents;
others run the application, each for one request that has been read whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Final
from wsgiref.types import WSGIEnvironment

import uvloop
from flask import Flask

from statuspage.admin import body_limits
from statuspage.core.config import Settings
from statuspage.core.db import db
from statuspage.public.middleware import Answer, EditionMiddleware
from statuspage.runtime import gateway
from statuspage.runtime.connection import Connection, Request, when_done

log = logging.getLogger(__name__)

THREADS: Final = 32
# Requests that wait for a thread, and bytes of bodies that are held: beyond that it is 503.
MOST_WAITING: Final = 512
MOST_HELD_BYTES: Final = 64 * 1024 * 1024
MOST_CONNECTIONS: Final = 16_384
# Files and connections to the database need numbers too.
_SPARE_FILES: Final = 256
_LONGEST_QUEUE: Final = 4096
SWEEP_SECONDS: Final = 0.5
AT_ONCE: Final = 32
RESPAWN_SECONDS: Final = 0.2
PATIENCE_S: Final = 8
# A thread that computes gives way to the one that answers after this long, not after 5 ms.
_SWITCH_SECONDS: Final = 0.0005


def serve(app: Flask) -> None:
    """Serve the app on HOST and PORT until SIGTERM or SIGINT.

    Requests that run get eight seconds to end in.  Nothing that the app has started may be
    running: a fork takes no threads along.
    """
    settings: Settings = app.extensions["settings"]
    with app.app_context():
        db.engine.dispose()
    with _listen(settings.host, settings.port) as listener:
        # What is there now is never collected, so the processes go on sharing its memory.
        gc.collect()
        gc.freeze()
        _keep_serving(app, listener)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(_LONGEST_QUEUE)
    listener.setblocking(False)
    return listener


def _keep_serving(app: Flask, listener: socket.socket) -> None:
    """Fork a process that serves, and another when it dies, until a signal asks to stop."""
    stopping = threading.Event()
    child = 0

    def stop(_number: int, _frame: object) -> None:
        stopping.set()
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopping.is_set():
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _serve_in_child(app, listener, parent)
        if stopping.is_set():
            stop(0, None)
        _, status = os.waitpid(child, 0)
        if not stopping.is_set():
            log.error("the serving process ended (%s); another one starts", _how(status))
            time.sleep(RESPAWN_SECONDS)


def _serve_in_child(app: Flask, listener: socket.socket, parent: int) -> None:
    code = 1
    try:
        sys.setswitchinterval(_SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(Server(app, listener, parent=parent).run())
        code = 0
    except BaseException:
        log.exception("the server failed")
    finally:
        logging.shutdown()
        # Threads of requests that did not end in time must not hold the process up.
        os._exit(code)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"code {code}" if code >= 0 else f"signal {-code}"


class Server:
    """Accepts connections and answers their requests, in memory or through the application."""

    def __init__(self, app: Flask, listener: socket.socket, *, parent: int | None = None) -> None:
        self._app = app
        self._listener = listener
        self._parent = parent
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._waiting = 0
        self._held = 0
        self._clients: set[Connection] = set()
        self._most = MOST_CONNECTIONS
        self._stopping = asyncio.Event()
        front = app.wsgi_app
        self.ready: Callable[[WSGIEnvironment], Answer | None] = (
            front.ready if isinstance(front, EditionMiddleware) else lambda _environ: None
        )

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, or until `stop`."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(RuntimeError, ValueError):  # not in the main thread: in tests
                self._loop.add_signal_handler(number, self._stopping.set)
        self._most = _most_connections()
        if isinstance(self._app.wsgi_app, EditionMiddleware):
            # The first look waits for the database: no request may.
            await self._loop.run_in_executor(None, self._app.wsgi_app.prepare)
        server = await self._loop.create_server(
            lambda: Connection(self), sock=self._listener, backlog=_LONGEST_QUEUE
        )
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SWEEP_SECONDS)
            await self._sweep()
        server.close()
        await self._let_end()

    def stop(self) -> None:
        """Have `run` end; from any thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    # What connections ask.

    def answer(self, request: Request, client: Connection) -> None:
        """Answer one request through the application; in a thread of its own."""
        has_begun = False

        def begin(status: str, headers: gateway.HeaderList, body: bytes, is_whole: bool) -> None:
            nonlocal has_begun
            if is_whole:
                self._loop.call_soon_threadsafe(client.answer_whole, request, status, headers, body)
                return
            has_begun = True
            beginning = client.begin(request, status, list(headers), body)
            asyncio.run_coroutine_threadsafe(beginning, self._loop).result()

        def more(data: bytes) -> None:
            asyncio.run_coroutine_threadsafe(client.more(data), self._loop).result()

        if request.is_refused:
            request.environ[body_limits.REFUSED] = True
        body = request.body or BytesIO()
        try:
            gateway.run(self._app, request.environ, body, begin, more)
            if has_begun:
                self._loop.call_soon_threadsafe(client.end_answer, request)
        except ConnectionError:
            pass  # the client has gone; nobody is left to answer
        except Exception:
            log.exception("a request failed")
            self._loop.call_soon_threadsafe(self._fail, client, request, has_begun)
        finally:
            body.close()
            self._loop.call_soon_threadsafe(self._has_ended)

    def _fail(self, client: Connection, request: Request, has_begun: bool) -> None:
        client.fail(request, has_begun=has_begun)

    def _has_ended(self) -> None:
        self._waiting -= 1

    def have_answered(self, request: Request, client: Connection) -> bool:
        """Have the application answer; false where too many wait for a thread."""
        if self._waiting >= MOST_WAITING:
            return False
        self._waiting += 1
        self._threads.submit(self.answer, request, client)
        return True

    def ask_limit(self, request: Request, done: Callable[[int], None]) -> bool:
        """Find out how large a body may be; ``done`` is called with it, unless too many wait."""
        if self._waiting >= MOST_WAITING:
            return False
        self._waiting += 1

        def settle(most: int) -> None:
            self._has_ended()
            done(most)

        asked = self._threads.submit(body_limits.ask, self._app, dict(request.environ))
        when_done(asked, self._loop, settle)
        return True

    def hold(self, size: int) -> bool:
        """Count bytes that are held; false where they are too many."""
        self._held += size
        return self._held <= MOST_HELD_BYTES

    def add(self, client: Connection) -> None:
        """Count a connection in; where they are too many, those end that have waited longest."""
        if len(self._clients) >= self._most:
            idle = sorted(
                (other for other in self._clients if not other.is_answering),
                key=lambda other: other.deadline,
            )
            for other in idle[: max(1, self._most // 16)]:
                other.drop()
                self._clients.discard(other)
        self._clients.add(client)

    def remove(self, client: Connection) -> None:
        """Count a connection out."""
        self._clients.discard(client)

    # What time does.

    async def _sweep(self) -> None:
        """End what has taken too long, a few at a time: others are answered in between."""
        now = time.monotonic()
        overdue = [client for client in self._clients if client.is_overdue(now)]
        for count, client in enumerate(overdue):
            if client.is_overdue(now):
                client.expire()
            if count % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0.005)
        if self._parent is not None and os.getppid() != self._parent:
            self._stopping.set()

    async def _let_end(self) -> None:
        """Give what is being answered its time."""
        for client in list(self._clients):
            client.leave()
        deadline = time.monotonic() + PATIENCE_S
        while self._clients and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            await self._sweep()
        for client in list(self._clients):
            client.drop()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _most_connections() -> int:
    """How many connections may be open, once the process may open as many files as it is let."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(64, min(MOST_CONNECTIONS, soft - _SPARE_FILES))
