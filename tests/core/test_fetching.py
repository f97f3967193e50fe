"""A document is had whole, in time and within its size, or not at all."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from statuspage.core.fetching import FetchFailed, fetch

OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def answering(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    def serve(server: socket.socket) -> None:
        client, _ = server.accept()
        # Whoever asks may have gone.
        with client, suppress(OSError):
            client.recv(10_000)
            answer(client)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield f"http://user:secret@127.0.0.1:{server.getsockname()[1]}"


def whole(body: bytes, headers: bytes = b"") -> bytes:
    return OK + headers + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def drip(client: socket.socket) -> None:
    client.sendall(OK + b"Content-Length: 100\r\n\r\n")
    for _ in range(40):
        client.sendall(b"x")
        time.sleep(0.02)


def test_an_answer_comes_with_status_and_headers() -> None:
    with answering(lambda client: client.sendall(whole(b"{}", b"ETag: one\r\n"))) as url:
        found = fetch(url, seconds=5, most_bytes=2)
    assert (found.status, found.body, found.headers["etag"]) == (200, b"{}", "one")


def test_a_packed_answer_is_counted_as_it_is_unpacked() -> None:
    packed = whole(gzip.compress(b"x" * 100_000), b"Content-Encoding: gzip\r\n")
    with answering(lambda client: client.sendall(packed)) as url:
        assert len(fetch(url, seconds=5, most_bytes=100_000).body) == 100_000
    larger = pytest.raises(FetchFailed, match="larger than 99,999 bytes")
    with answering(lambda client: client.sendall(packed)) as url, larger:
        fetch(url, seconds=5, most_bytes=99_999)


def test_no_redirect_is_followed() -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with answering(lambda client: client.sendall(redirect)) as url:
        assert fetch(url, seconds=5, most_bytes=10).status == 302


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda client: time.sleep(0.3), "no answer within 0.1 seconds"),
        (drip, "no whole answer within 0.1 seconds"),
        (lambda client: client.sendall(OK + b"Content-Length: 9\r\n\r\n{"), "cannot be reached"),
        (lambda client: client.sendall(b"hello"), "cannot be reached"),
    ],
)
def test_what_is_late_or_cut_off_is_no_answer(
    answer: Callable[[socket.socket], object], reason: str
) -> None:
    with answering(answer) as url, pytest.raises(FetchFailed, match=reason) as failed:
        fetch(url, seconds=0.1 if "within" in reason else 5, most_bytes=1000)
    assert "secret" not in str(failed.value)
