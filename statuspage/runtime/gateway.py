"""From the web server (ASGI) to the application (WSGI, PEP 3333), one whole request at a time.

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
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

from flask import Flask

from statuspage.admin import body_limits
from statuspage.public.middleware import Answer, EditionMiddleware

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
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
# A thread that computes gives way to the one that answers after this long, not after 5 ms.
_SWITCH_SECONDS: Final = 0.0005


class _Refusal(Exception):
    """The request is answered with this status line, and the connection ends."""


class Gateway:
    """An ASGI application that answers from memory, or through the application in a thread."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        # None where nothing is ready: an application without the middleware, as in tests.
        self._front = app.wsgi_app if isinstance(app.wsgi_app, EditionMiddleware) else None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._waiting = 0
        self._held_bytes = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or prepare for all of them (ASGI's lifespan)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            try:
                await self._answer(scope, receive, send)
            except _Refusal as refusal:
                await _send(send, _plain(str(refusal)), is_last=True)
                await _discard(receive)
            except ConnectionError:
                pass  # the client has gone; nobody is left to answer
            except Exception:
                log.exception("a request failed")
                await _send(send, _plain("500 Internal Server Error"))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if threading.current_thread() is threading.main_thread():
            sys.setswitchinterval(_SWITCH_SECONDS)
        if self._front is not None:
            # The first edition waits for the database: no request may.
            await asyncio.to_thread(self._front.prepare)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        environ = make_environ(scope)
        if not environ.get("HTTP_HOST") and scope["http_version"] == "1.1":
            raise _Refusal("400 Bad Request")  # RFC 9112, 3.2
        if self._front is not None and (ready := self._front.ready(environ)) is not None:
            await _send(send, ready)
            return
        body: IO[bytes] = BytesIO()
        with self._holding() as hold:
            is_sent = "HTTP_TRANSFER_ENCODING" in environ or _length(environ) > 0
            if is_sent:
                spooled = SpooledTemporaryFile(max_size=body_limits.STRANGERS)  # noqa: SIM115
                body = cast(IO[bytes], spooled)
            with body:
                is_whole = not is_sent or await self._read(environ, receive, body, hold)
                if not is_whole:
                    environ[body_limits.REFUSED] = True
                answer = await self._in_thread(lambda: run(self._app, environ, body))
        await _send(send, answer, is_last=not is_whole)
        if not is_whole:
            await _discard(receive)

    async def _read(
        self,
        environ: WSGIEnvironment,
        receive: Receive,
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
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ConnectionError("the client has gone")
                    data: bytes = message.get("body", b"")
                    is_more = message.get("more_body", False)
                    if read < body_limits.STRANGERS:
                        hold(len(data))
                    read += len(data)
                    body.write(data)
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


async def _send(send: Send, answer: Answer, *, is_last: bool = False) -> None:
    status, headers, body = answer
    lines = [
        (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers
    ]
    if is_last:
        lines.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": int(status[:3]), "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def _discard(receive: Receive) -> None:
    """Read a little further from a client that has its answer."""
    discarded = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while discarded < MOST_LINGERING_BYTES:
                message = await receive()
                if not message.get("more_body"):
                    return
                discarded += len(message["body"])


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


def make_environ(scope: Message) -> WSGIEnvironment:
    """The environ of a request, without its body."""
    path: bytes = scope["raw_path"]
    if b"%" in path:
        path = unquote_to_bytes(path)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in scope["headers"]:
        key = _environ_name(name)
        if key is None:
            continue
        text = value.decode("latin-1")
        if key in environ:
            # RFC 9110, 5.3; cookies are joined by semicolons (RFC 9113, 8.2.3).
            text = environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + text
        environ[key] = text
    return environ


# Bounded, because clients can invent names without end; real ones are a few dozen.
@lru_cache(maxsize=256)
def _environ_name(name: bytes) -> str | None:
    """A header's name in environ; None for one that could pass for another."""
    if b"_" in name:
        # "X_Forwarded_For" would read as "X-Forwarded-For".
        return None
    upper = name.decode("latin-1").upper().replace("-", "_")
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
