"""A document is had whole, in time and within its size, or not at all."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from statuspage.core import fetching
from statuspage.core.fetching import FetchFailed, fetch, fetch_public, is_public

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


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("64:ff9b::808:808", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("224.0.0.1", False), ("0.0.0.0", False), ("::1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:10.0.0.1", False),
        ("2002:a00:1::", False), ("64:ff9b::a00:1", False),
    ],
)  # fmt: skip
def test_only_the_public_internet_is_public(address: str, expected: bool) -> None:
    assert is_public(address) is expected


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/", "private network"),
        ("http://localhost:8000/", "private network"),
        ("http://[::1]/", "private network"),
        ("http://2130706433/", "private network"),
        ("https://user@example.com/", "no address"),
        ("file:///etc/passwd", "no address"),
        ("https://nowhere.invalid/", "unknown"),
        ("https://example.com:99999/", "cannot be reached"),
    ],
)
def test_what_is_not_in_the_public_internet_is_not_asked(url: str, reason: str) -> None:
    with pytest.raises(FetchFailed, match=reason):
        fetch_public(url, seconds=2, most_bytes=10)


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "is_public", lambda _: True)
    with answering(lambda client: client.sendall(whole(b"{}", b"ETag: one\r\n"))) as url:
        port = int(url.rpartition(":")[2])
        asked = []

        def look_up(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        found = fetch_public(f"http://status.example:{port}/x?y=z", seconds=5, most_bytes=2)
    assert (found.status, found.body, found.headers["etag"]) == (200, b"{}", "one")
    assert asked[0] == "status.example"
    assert set(asked[1:]) <= {"127.0.0.1"}
