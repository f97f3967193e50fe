"""Sockets with a deadline, on real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from statuspage.delivery.channels import sockets


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def connect(server: socket.socket, *, seconds: float) -> sockets.DeadlineSocket:
    host, port = server.getsockname()
    return sockets.connect(host, port, deadline=time.monotonic() + seconds)


def wait_for_bytes(line: sockets.DeadlineSocket) -> bool:
    deadline = time.monotonic() + 5
    while line.is_quiet() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not line.is_quiet()


def test_a_trickle_ends_at_the_deadline(server: socket.socket) -> None:
    line = connect(server, seconds=0.3)
    other, _ = server.accept()
    ended = threading.Event()

    def trickle() -> None:
        while not ended.wait(0.05):
            other.sendall(b".")

    thread = threading.Thread(target=trickle)
    thread.start()
    with line.makefile() as reader, pytest.raises(TimeoutError):
        reader.read(1000)
    ended.set()
    thread.join()
    assert line.is_late()
    line.close()
    other.close()


def test_an_answer_that_came_while_the_process_was_stopped_is_still_read(
    server: socket.socket,
) -> None:
    line = connect(server, seconds=5)
    other, _ = server.accept()
    other.sendall(b"250 ok\r\n")
    assert wait_for_bytes(line)
    line.deadline = time.monotonic() - 60
    with line.makefile() as reader:
        assert reader.readline() == b"250 ok\r\n"
        with pytest.raises(TimeoutError):
            reader.readline()
    line.close()
    other.close()


def test_whoever_never_stops_talking_is_not_listened_to_for_ever(server: socket.socket) -> None:
    line = connect(server, seconds=5)
    other, _ = server.accept()
    ended = threading.Event()

    def flood() -> None:
        with contextlib.suppress(OSError):
            while not ended.is_set():
                other.sendall(bytes(10_000))

    thread = threading.Thread(target=flood)
    thread.start()
    assert wait_for_bytes(line)
    line.deadline = time.monotonic() - 1
    with line.makefile() as reader, pytest.raises(TimeoutError):
        reader.read(10_000_000)
    ended.set()
    line.close()
    thread.join()
    other.close()


def test_a_write_that_nobody_reads_ends_at_the_deadline(server: socket.socket) -> None:
    line = connect(server, seconds=0.3)
    other, _ = server.accept()
    with pytest.raises(TimeoutError):
        line.sendall(bytes(50_000_000))
    line.close()
    other.close()


def test_an_answer_may_be_read_to_its_end_after_closing(server: socket.socket) -> None:
    line = connect(server, seconds=5)
    other, _ = server.accept()
    other.sendall(b"the whole answer")
    other.close()
    reader = line.makefile()
    line.close()
    assert reader.read() == b"the whole answer"
    reader.close()


def test_a_line_is_quiet_until_the_other_side_speaks_or_closes(server: socket.socket) -> None:
    line = connect(server, seconds=5)
    other, _ = server.accept()
    assert line.is_quiet()
    other.close()
    time.sleep(0.05)
    assert not line.is_quiet()
    line.close()
    assert not line.is_quiet()


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]  # its queue is full: it answers nobody
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
            for address in (full.getsockname(), server.getsockname())
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        line = sockets.connect("mail.example", 25, deadline=time.monotonic() + 1)
        other, _ = server.accept()
        other.sendall(b"hello")
        with line.makefile() as reader:
            assert reader.read(5) == b"hello"
        for each in (line, other, *waiting):
            each.close()


def test_no_time_left_is_a_timeout(server: socket.socket) -> None:
    with pytest.raises(TimeoutError):
        connect(server, seconds=-1)


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("mail.example", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_alone(host: str, near: bool) -> None:
    assert sockets.is_loopback(host) is near
