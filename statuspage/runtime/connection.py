"""One client's connection (HTTP/1.1, RFC 9112): what it may send, how long it may take.

A request reaches the application whole or not at all: head and body are read here, without a
thread, within a deadline and a limit of size.  Ready documents are answered here too, so they wait
for no thread.  One request is answered at a time; those that a client sends ahead wait their turn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from typing import IO, Final, Protocol, cast
from wsgiref.types import WSGIEnvironment

import httptools

from statuspage.admin import body_limits
from statuspage.admin.body_limits import STRANGERS
from statuspage.runtime.gateway import ERROR, HeaderList, make_environ

HEAD_SECONDS: Final = 5.0
BODY_SECONDS: Final = 10.0
# Whoever may send more gets a second more for so many bytes: a slow line's upload.
BYTES_PER_SECOND: Final = 50_000
# Load balancers keep unused connections for a minute; whoever closes first must not be us.
IDLE_SECONDS: Final = 90.0
WRITE_SECONDS: Final = 60.0
LINGER_SECONDS: Final = 2.0
MOST_LINGERING_BYTES: Final = 128 * 1024

MOST_HEAD_BYTES: Final = 32 * 1024
MOST_HEADERS: Final = 100
MOST_SENT_AHEAD: Final = 64
# A body beyond this is kept in a temporary file.
_IN_MEMORY: Final = 1024 * 1024

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Service(Protocol):
    """What a connection asks of the server that it belongs to."""

    def ready(self, environ: WSGIEnvironment) -> tuple[str, HeaderList, bytes] | None:
        """The answer that is in memory, if there is one."""

    def have_answered(self, request: Request, client: Connection) -> bool:
        """Have the application answer in a thread; false where too many wait for one."""

    def ask_limit(self, request: Request, done: Callable[[int], None]) -> bool:
        """Find out how large the request's body may be; false where too many wait."""

    def hold(self, size: int) -> bool:
        """Count bytes that are held for unfinished requests; false where they are too many."""

    def add(self, client: Connection) -> None:
        """A connection has been made."""

    def remove(self, client: Connection) -> None:
        """A connection has ended."""


@dataclass(slots=True)
class Request:
    """A request as far as it has been read."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    target: bytes = b""
    head_bytes: int = 0
    environ: WSGIEnvironment = field(default_factory=dict)
    keep_alive: bool = False
    is_old: bool = False
    body: IO[bytes] | None = None
    size: int = 0
    held: int = 0
    most: int = STRANGERS
    is_asking: bool = False
    is_complete: bool = False
    is_refused: bool = False


class Connection(asyncio.Protocol):
    """Reads requests, has them answered in order, and ends with what takes too long."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._parser = httptools.HttpRequestParser(self)
        self._reading: Request | None = None
        self._waiting: deque[Request] = deque()
        self._answering: Request | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._lingering = 0
        self._is_ending = False
        self._is_chunked = False
        self.is_lost = False
        self.deadline = 0.0

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        here = transport.get_extra_info("sockname")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        self._here = (here[0], str(here[1])) if isinstance(here, tuple) else ("localhost", "80")
        self._wait(IDLE_SECONDS)
        self._service.add(self)

    def data_received(self, data: bytes) -> None:
        """Read on; after the last answer only to throw away."""
        if self._is_ending:
            self._lingering += len(data)
            if self._lingering > MOST_LINGERING_BYTES:
                # Its own buffers are full by now; that is what makes it look for the answer.
                self._transport.pause_reading()
            return
        request = self._reading
        if request is not None and not request.environ:
            request.head_bytes += len(data)
            if request.head_bytes > MOST_HEAD_BYTES:
                self._refuse("431 Request Header Fields Too Large")
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # nothing else is spoken here, so the request is answered as it is
        except httptools.HttpParserError:
            if not self._is_ending:
                self._refuse("400 Bad Request")

    def eof_received(self) -> bool:
        """Whoever has sent all still gets the answers; half a request gets none."""
        return self._answering is not None

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self._writable.clear()
        self._wait(WRITE_SECONDS)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()
        if self._answering is None and not self._is_ending:
            self._wait(IDLE_SECONDS)

    def connection_lost(self, _error: Exception | None) -> None:
        """Let go of all that is held."""
        self.is_lost = True
        self._writable.set()
        for request in (self._reading, *self._waiting, self._answering):
            if request is not None:
                self._let_go(request)
        self._reading = None
        self._waiting.clear()
        self._service.remove(self)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reading = Request()
        self._wait(HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        """A piece of its target."""
        if self._reading is not None:
            self._reading.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._reading is not None and not self._reading.environ:
            self._reading.headers.append((name, value))
            if len(self._reading.headers) > MOST_HEADERS and not self._is_ending:
                self._refuse("431 Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        """The head has been read: settle how much may follow."""
        request = self._reading
        if request is None or self._is_ending:
            return
        parser = self._parser
        request.environ = make_environ(
            parser.get_method(), request.target, request.headers,
            peer=self._peer, server=self._here,
        )  # fmt: skip
        request.is_old = parser.get_http_version() != "1.1"
        request.keep_alive = parser.should_keep_alive() and not parser.should_upgrade()
        request.headers = []
        if "HTTP_HOST" not in request.environ and not request.is_old:
            self._refuse("400 Bad Request")
            return
        length = int(request.environ.get("CONTENT_LENGTH") or 0)
        is_chunked = "HTTP_TRANSFER_ENCODING" in request.environ
        if not length and not is_chunked:
            return
        self._wait(BODY_SECONDS)
        request.body = cast(IO[bytes], SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115
        if length > STRANGERS:
            self._ask_limit(request)
        elif request.environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        request = self._reading
        if request is None or request.body is None or request.is_refused or self._is_ending:
            return
        request.size += len(data)
        if request.size > request.most and not request.is_asking:
            if request.most > STRANGERS:
                self._refuse_body(request)
                return
            self._ask_limit(request)
        if request.held < STRANGERS:
            request.held += len(data)
            if not self._service.hold(len(data)):
                self._refuse("503 Service Unavailable")
                return
        request.body.write(data)

    def on_message_complete(self) -> None:
        """The request is whole."""
        request = self._reading
        if request is None or self._is_ending:
            return
        request.is_complete = True
        if not request.is_asking and not request.is_refused:
            self._take(request)

    # Limits and deadlines.

    def is_overdue(self, now: float) -> bool:
        """Whether the client has taken too long; not while it waits for us."""
        return now >= self.deadline and (self._answering is None or not self._writable.is_set())

    def expire(self) -> None:
        """End the connection of a client that has taken too long."""
        is_half_sent = self._reading is not None and not self._reading.is_refused
        if is_half_sent and not self._is_ending and self._writable.is_set():
            self._refuse("408 Request Timeout")
        else:
            self._transport.abort()

    @property
    def is_answering(self) -> bool:
        """Whether the application has a request of this client."""
        return self._answering is not None

    @property
    def _is_free(self) -> bool:
        return self._answering is None and not self._is_ending

    def drop(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def leave(self) -> None:
        """End the connection after what is being answered: the server stops."""
        if self._answering is not None:
            self._answering.keep_alive = False
        else:
            self._end()

    def _wait(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds

    def _ask_limit(self, request: Request) -> None:
        """Have the application say how much may come, if it could be more than of a stranger."""
        if not body_limits.may_be_known(request.environ):
            self._refuse("413 Content Too Large")
            return
        request.is_asking = True
        self._transport.pause_reading()

        def settle(most: int) -> None:
            request.is_asking = False
            if self.is_lost or self._is_ending:
                return
            self._transport.resume_reading()
            length = int(request.environ.get("CONTENT_LENGTH") or 0)
            if max(request.size, length) > most:
                if most > STRANGERS:
                    self._refuse_body(request)
                else:
                    # Strangers get no page: making one costs more than they should.
                    self._refuse("413 Content Too Large")
                return
            request.most = most
            self._wait(BODY_SECONDS + most / BYTES_PER_SECOND)
            if request.environ.get("HTTP_EXPECT", "").lower() == "100-continue":
                self._transport.write(_CONTINUE)
            if request.is_complete:
                self._take(request)

        if not self._service.ask_limit(request, settle):
            self._refuse("503 Service Unavailable")

    def _refuse_body(self, request: Request) -> None:
        """Have the application say 413, and read no more of it."""
        request.is_refused = True
        request.keep_alive = False
        if request.body is not None:
            request.body.close()
        request.body = None
        self._take(request)

    def _refuse(self, status: str) -> None:
        """Answer without the application, and end the connection."""
        text = status.partition(" ")[2].encode() + b".\n"
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(text))),
            *([("Retry-After", "5")] if status.startswith("503") else ()),
        ]
        if self._reading is not None:
            self._let_go(self._reading)
            self._reading = None
        if self._answering is not None:
            # What came before it is answered first, and nothing after it.
            self._answering.keep_alive = False
            for request in self._waiting:
                self._let_go(request)
            self._waiting.clear()
            return
        self._transport.writelines([_head(status, headers, keep_alive=False), text])
        self._end(is_sending=True)

    # Answers.

    def _take(self, request: Request) -> None:
        """Answer a request, or have it wait behind those before it."""
        if not request.is_refused:
            self._reading = None
        if self._answering is not None or self._waiting:
            self._waiting.append(request)
            if len(self._waiting) > MOST_SENT_AHEAD:
                self._transport.abort()
            return
        self._answer(request)

    def _answer(self, request: Request) -> None:
        found = self._service.ready(request.environ)
        if found is not None:
            self._write(request, *found)
            self._finish(request)
            return
        self._answering = request
        self._transport.pause_reading()
        if request.body is not None:
            request.body.seek(0)
        if not self._service.have_answered(request, self):
            self._answering = None
            self._let_go(request)
            self._refuse("503 Service Unavailable")

    def answer_whole(self, request: Request, status: str, headers: HeaderList, body: bytes) -> None:
        """Write an answer that is whole; in the loop's own thread."""
        if not self.is_lost:
            self._write(request, status, headers, body)
            self._next(request)

    async def begin(self, request: Request, status: str, headers: HeaderList, body: bytes) -> None:
        """Write the beginning of an answer whose length nobody knows, once the client can take it.

        Raises ``ConnectionError`` where the client has gone.
        """
        self._is_chunked = not request.is_old and request.environ["REQUEST_METHOD"] != "HEAD"
        if self._is_chunked:
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        else:
            request.keep_alive = False
        self._transport.write(_head(status, headers, keep_alive=request.keep_alive))
        await self.more(body)

    async def more(self, data: bytes) -> None:
        """Write a further piece, once the client can take it; else ``ConnectionError``."""
        if data and not self.is_lost:
            if self._is_chunked:
                self._transport.writelines([b"%x\r\n" % len(data), data, b"\r\n"])
            else:
                self._transport.write(data)
            await self._writable.wait()
        if self.is_lost:
            raise ConnectionError("the client has gone")

    def end_answer(self, request: Request) -> None:
        """Write the end of an answer that was begun."""
        if not self.is_lost:
            if self._is_chunked:
                self._transport.write(b"0\r\n\r\n")
            self._next(request)

    def fail(self, request: Request, *, has_begun: bool) -> None:
        """The application raised: 500, or a cut answer where it has begun."""
        if has_begun:
            self._transport.abort()
        else:
            self.answer_whole(request, *ERROR)

    def _write(self, request: Request, status: str, headers: HeaderList, body: bytes) -> None:
        if request.is_old and request.keep_alive:
            headers = [*headers, ("Connection", "keep-alive")]
        head = _head(status, headers, keep_alive=request.keep_alive)
        if not body or request.environ["REQUEST_METHOD"] == "HEAD":
            self._transport.write(head)
        else:
            self._transport.writelines([head, body])

    def _next(self, request: Request) -> None:
        self._answering = None
        self._finish(request)
        while self._waiting and self._is_free:
            self._answer(self._waiting.popleft())
        if self._is_free:
            self._transport.resume_reading()

    def _finish(self, request: Request) -> None:
        self._let_go(request)
        if not request.keep_alive:
            self._end(is_sending=request.is_refused)
        elif self._writable.is_set():
            self._wait(IDLE_SECONDS if self._reading is None else HEAD_SECONDS)

    def _end(self, *, is_sending: bool = False) -> None:
        """End the connection, once the client has what was written (RFC 9112, 9.6)."""
        if self._is_ending:
            return
        self._is_ending = True
        self._wait(LINGER_SECONDS if self._writable.is_set() else WRITE_SECONDS)
        if is_sending and self._transport.can_write_eof():
            # A reset now would take the answer away from it.
            self._transport.resume_reading()
            self._transport.write_eof()
        else:
            self._transport.close()

    def _let_go(self, request: Request) -> None:
        self._service.hold(-request.held)
        request.held = 0
        if request.body is not None and request is not self._answering:
            request.body.close()
            request.body = None


def _head(status: str, headers: HeaderList, *, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {status}\r\n", *[f"{name}: {value}\r\n" for name, value in headers]]
    lines.append(f"Date: {_date(int(time.time()))}\r\n")
    if not keep_alive:
        lines.append("Connection: close\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1", "replace")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def when_done(future: Future[int], loop: asyncio.AbstractEventLoop,
              done: Callable[[int], None]) -> None:  # fmt: skip
    """Call ``done`` in the loop with a thread's result; what it raised counts as the least."""

    def settle() -> None:
        done(STRANGERS if future.exception() else future.result())

    future.add_done_callback(lambda _: loop.call_soon_threadsafe(settle))
