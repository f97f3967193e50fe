"""From an HTTP request that was read whole to the WSGI application and back (PEP 3333).

The application runs in a thread.  A body that it makes while it goes along waits there for the
client, so that no more than a few chunks of it are held.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

if TYPE_CHECKING:
    from _typeshed import OptExcInfo

HeaderList = list[tuple[str, str]]
# Called with status, headers and the first bytes; and with further bytes.  Both may block, and
# raise ConnectionError once the client has gone.
Begin = Callable[[str, HeaderList, bytes, bool], None]
More = Callable[[bytes], None]

_ERROR_TEXT: Final = b"Something went wrong on our side.\n"
ERROR: Final[tuple[str, HeaderList, bytes]] = (
    "500 Internal Server Error",
    [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(_ERROR_TEXT)))],
    _ERROR_TEXT,
)


def make_environ(
    method: bytes,
    target: bytes,
    headers: Iterable[tuple[bytes, bytes]],
    *,
    peer: str,
    server: tuple[str, str],
) -> WSGIEnvironment:
    """The environ of a request, without its body."""
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/") and b"://" in path:
        # RFC 9112, 3.2.2: a server takes the absolute form too.
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    if b"%" in path:
        path = unquote_to_bytes(path)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method.decode("latin-1"),
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in headers:
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
    """A header's name in environ; None for one that could pass for another, or that is ours."""
    if b"_" in name:
        # "X_Forwarded_For" would read as "X-Forwarded-For".
        return None
    upper = name.decode("latin-1").upper().replace("-", "_")
    return upper if upper in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{upper}"


def run(
    app: WSGIApplication, environ: WSGIEnvironment, body: IO[bytes], begin: Begin, more: More
) -> None:
    """Call the application and hand over what it answers, whole where it is one list of bytes."""
    environ["wsgi.input"] = body
    started: list[tuple[str, HeaderList]] = []

    def start_response(
        status: str,
        headers: HeaderList,
        exc_info: OptExcInfo | None = None,
        /,
    ) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return _no_write

    answer = app(environ, start_response)
    try:
        chunks = iter(answer)
        first = b""
        if not started:
            # The application may say how it answers with its first bytes.
            first = next(chunks, b"")
        status, headers = started[0]
        if environ["REQUEST_METHOD"] == "HEAD" or status[:3] in {"204", "304"}:
            begin(status, headers, b"", True)
            return
        has_length = any(name.lower() == "content-length" for name, _ in headers)
        if has_length or isinstance(answer, list):
            whole = b"".join([first, *chunks])
            length = [] if has_length else [("Content-Length", str(len(whole)))]
            begin(status, [*headers, *length], whole, True)
            return
        begin(status, headers, first, False)
        for chunk in chunks:
            if chunk:
                more(chunk)
    finally:
        if (close := getattr(answer, "close", None)) is not None:
            close()


def _no_write(_data: bytes) -> None:
    raise NotImplementedError("the application must return its body")
