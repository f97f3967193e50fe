"""From the web server (RSGI) to the application (WSGI, PEP 3333), one whole request at a time.

The event loop answers with ready documents, and reads every body within a deadline and a limit of
size.  Only a request that has been read whole takes a thread, so clients that send slowly, or half
of a request, hold up nobody else.  An answer is made whole before it is sent: one that breaks is an
error, and never a file that looks complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import typing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Final, TypeVar, cast
from wsgiref.types import WSGIApplication, WSGIEnvironment

from flask import Flask

from statuspage.admin import body_limits
from statuspage.public.document import HeaderList
from statuspage.public.middleware import Answer, EditionMiddleware

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

log = logging.getLogger(__name__)

Hold = Callable[[int], None]
Result = TypeVar("Result")

THREADS: Final = 32
# Requests that wait for a thread, and bytes of bodies that memory holds: beyond that it is 503.
MOST_WAITING: Final = 512
MOST_HELD_BYTES: Final = 64 * 1024 * 1024
BODY_SECONDS: Final = 10.0
# Whoever may send more gets a second more for so many bytes: a slow line's upload.
BYTES_PER_SECOND: Final = 50_000
# A client that is refused is read from a little further, or a reset would take its answer away
# (RFC 9112, 9.6).
LINGER_SECONDS: Final = 2.0
MOST_LINGERING_BYTES: Final = 128 * 1024
# The headers that an answer from memory depends on.
_CONDITIONS: Final = (
    ("HTTP_ACCEPT_ENCODING", "accept-encoding"),
    ("HTTP_IF_NONE_MATCH", "if-none-match"),
    ("HTTP_IF_MODIFIED_SINCE", "if-modified-since"),
)
# A thread that computes gives way to the one that answers after this long, not after 5 ms.
_SWITCH_SECONDS: Final = 0.0005


class Headers(typing.Protocol):
    """Names in lower case; those whose values are not ASCII are there without a value."""

    def get(self, name: str, /) -> str | None:
        """The first value of that name."""

    def items(self) -> list[tuple[str, str]]:
        """All of them, as often as they were sent."""


class Scope(typing.Protocol):
    """What a request says before its body; the path is decoded, and addresses have a port."""

    http_version: str
    server: str
    client: str
    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> Headers:
        """A copy for each look."""


class Protocol(typing.Protocol):
    """Where the body comes from, up to an empty piece, and where the answer goes."""

    def __aiter__(self) -> typing.Self:
        """Begin with the body: needed once, before the first piece."""

    async def __anext__(self) -> bytes:
        """The next piece."""

    def response_bytes(self, status: int, headers: HeaderList, body: bytes, /) -> None:
        """Send the answer; only the first call does."""


class _Refusal(Exception):
    """The request is answered with this status line, and the connection ends."""


class Gateway:
    """An RSGI application that answers from memory, or through the application in a thread."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        # None where nothing is ready: an application without the middleware, as in tests.
        self._front = app.wsgi_app if isinstance(app.wsgi_app, EditionMiddleware) else None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._waiting = 0
        self._held_bytes = 0

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Prepare for requests, in the process that serves them."""
        if threading.current_thread() is threading.main_thread():
            sys.setswitchinterval(_SWITCH_SECONDS)
        if self._front is not None:
            # The first edition waits for the database: no request may.
            self._front.prepare()

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Start nothing that has not begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, protocol: Protocol) -> None:
        """Answer one request."""
        try:
            headers = scope.headers
            # RFC 9112, 3.2
            is_named = headers.get("host") or scope.http_version != "1.1"
            if is_named and (ready := self._ready(scope, headers)) is not None:
                _send(protocol, ready)
                return
            aiter(protocol)
            if not is_named:
                raise _Refusal("400 Bad Request")
            await self._answer(make_environ(scope, headers), protocol)
        except _Refusal as refusal:
            _send(protocol, _plain(str(refusal)), is_last=True)
            await _discard(protocol)
        except ConnectionError:
            pass  # the client has gone; nobody is left to answer
        except Exception:
            log.exception("a request failed")
            _send(protocol, _plain("500 Internal Server Error"))

    def _ready(self, scope: Scope, headers: Headers) -> Answer | None:
        """What memory answers, by those few parts of the request that it depends on."""
        if self._front is None:
            return None
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": scope.method,
            "PATH_INFO": _as_latin_1(scope.path),
            "QUERY_STRING": _as_latin_1(scope.query_string),
        }
        for key, name in _CONDITIONS:
            if (value := headers.get(name)) is not None:
                environ[key] = value
        return self._front.ready(environ)

    async def _answer(self, environ: WSGIEnvironment, protocol: Protocol) -> None:
        body: IO[bytes] = BytesIO()
        with self._holding() as hold:
            is_sent = "HTTP_TRANSFER_ENCODING" in environ or _length(environ) > 0
            if is_sent:
                spooled = SpooledTemporaryFile(max_size=body_limits.STRANGERS)  # noqa: SIM115
                body = cast(IO[bytes], spooled)
            with body:
                is_whole = not is_sent or await self._read(environ, protocol, body, hold)
                if not is_whole:
                    environ[body_limits.REFUSED] = True
                answer = await self._in_thread(lambda: run(self._app, environ, body))
        _send(protocol, answer, is_last=not is_whole)
        if not is_whole:
            await _discard(protocol)

    async def _read(
        self,
        environ: WSGIEnvironment,
        protocol: Protocol,
        body: IO[bytes],
        hold: Callable[[int], None],
    ) -> bool:
        """Read the body; false where the application is to say that it is too large."""
        most, expected = body_limits.STRANGERS, _length(environ)
        read, is_more = 0, True
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(BODY_SECONDS) as deadline:
                while True:
                    while max(expected, read) > most:
                        if most > body_limits.STRANGERS:
                            return False
                        most = await self._limit(environ)
                        deadline.reschedule(loop.time() + BODY_SECONDS + most / BYTES_PER_SECOND)
                    if not is_more:
                        break
                    data = await protocol.__anext__()
                    is_more = bool(data)
                    if read < body_limits.STRANGERS:
                        hold(len(data))
                    read += len(data)
                    body.write(data)
                await _require_whole(environ, protocol, read)
        except TimeoutError:
            raise _Refusal("408 Request Timeout") from None
        body.seek(0)
        return True

    async def _limit(self, environ: WSGIEnvironment) -> int:
        """How much the sender may send: more than a stranger, or it is refused.

        Strangers get no page of the application: making one costs more than they should.
        """
        most = body_limits.STRANGERS
        if body_limits.may_be_known(environ):
            most = await self._in_thread(lambda: body_limits.ask(self._app, environ))
        if most <= body_limits.STRANGERS:
            raise _Refusal("413 Content Too Large")
        return most

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= MOST_WAITING:
            raise _Refusal("503 Service Unavailable")
        self._waiting += 1
        try:
            # The work goes on where the client has gone: a post is made or not, never half.
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    @contextlib.contextmanager
    def _holding(self) -> Iterator[Hold]:
        """Count the bytes that one request holds in memory, until it has been answered."""
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            held += size
            self._held_bytes += size
            if self._held_bytes > MOST_HELD_BYTES:
                raise _Refusal("503 Service Unavailable")

        try:
            yield hold
        finally:
            self._held_bytes -= held


def _send(protocol: Protocol, answer: Answer, *, is_last: bool = False) -> None:
    status, headers, body = answer
    if is_last:
        headers = [*headers, ("Connection", "close")]
    protocol.response_bytes(int(status[:3]), headers, body)


async def _require_whole(environ: WSGIEnvironment, protocol: Protocol, read: int) -> None:
    """Refuse a body that ended because the client left: its end looks like that of a whole one."""
    if "HTTP_TRANSFER_ENCODING" not in environ:
        if read != _length(environ):
            raise ConnectionError("the client has gone")
        return
    # After the last chunk there is nothing; what broke off has one more end, as have trailers.
    with contextlib.suppress(StopAsyncIteration):
        await protocol.__anext__()
        raise _Refusal("400 Bad Request")


async def _discard(protocol: Protocol) -> None:
    """Read a little further from a client that has its answer."""
    discarded = 0
    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(LINGER_SECONDS):
            while discarded < MOST_LINGERING_BYTES and (data := await protocol.__anext__()):
                discarded += len(data)


def _plain(status: str) -> Answer:
    text = status.partition(" ")[2].encode() + b".\n"
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(text))),
        *([("Retry-After", "5")] if status.startswith("503") else ()),
    ]
    return status, headers, text


def _length(environ: WSGIEnvironment) -> int:
    return int(environ.get("CONTENT_LENGTH") or 0)


def make_environ(scope: Scope, headers: Headers) -> WSGIEnvironment:
    """The environ of a request, without its body."""
    server, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _as_latin_1(scope.path),
        "QUERY_STRING": _as_latin_1(scope.query_string),
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in headers.items():
        key = _environ_name(name)
        if key is None:
            continue
        if key in environ:
            # RFC 9110, 5.3; cookies are joined by semicolons (RFC 9113, 8.2.3).
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + value
        environ[key] = value
    return environ


def _as_latin_1(text: str) -> str:
    """The bytes of a path as PEP 3333 wants them."""
    return text if text.isascii() else text.encode("utf-8").decode("latin-1")


# Bounded, because clients can invent names without end; real ones are a few dozen.
@lru_cache(maxsize=256)
def _environ_name(name: str) -> str | None:
    """A header's name in environ; None for one that could pass for another."""
    if "_" in name:
        # "X_Forwarded_For" would read as "X-Forwarded-For".
        return None
    upper = name.upper().replace("-", "_")
    return upper if upper in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{upper}"


def run(app: WSGIApplication, environ: WSGIEnvironment, body: IO[bytes]) -> Answer:
    """Call the application with a body; what it answers, whole."""
    environ["wsgi.input"] = body
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return _no_write

    chunks = app(environ, start_response)
    try:
        if environ["REQUEST_METHOD"] == "HEAD":
            next(iter(chunks), b"")  # the application may say how it answers with its first bytes
            return *started[0], b""
        whole = b"".join(chunks)
        return *started[0], whole
    finally:
        if (close := getattr(chunks, "close", None)) is not None:
            close()


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("the application must return its body")
