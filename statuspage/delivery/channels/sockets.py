"""Sockets with a deadline.

A socket's own timeout starts again with every byte, so a server that trickles can hold a caller for
ever.  Here each wait lasts at most until one moment on the monotonic clock, however many reads and
writes it takes to get there.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import time
from ipaddress import ip_address
from typing import Any

# How much may still be read after the deadline, where it is there already; answers are shorter.
_LATE_BYTES = 64 * 1024


class DeadlineSocket:
    """A connected stream socket; after ``deadline`` (``time.monotonic``) it raises TimeoutError.

    It has what ``http.client`` and ``smtplib`` ask of a socket.
    """

    def __init__(self, sock: socket.socket, *, deadline: float) -> None:
        self._sock = sock
        self._readers = 0
        self._closing = False
        self._late_bytes = _LATE_BYTES
        self.deadline = deadline

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything; when it raises, the last byte was certainly not handed over."""
        view = memoryview(data)
        while view:
            self._arm()
            view = view[self._sock.send(view) :]

    def recv_into(self, buffer: Any) -> int:
        """Read what is there, at most the buffer's length; 0 when the other side has closed.

        An answer that came while this process was stopped is still read after the deadline: mail
        that was accepted long ago must not be sent again.
        """
        if self.is_late():
            return self._read_late(buffer)
        self._arm()
        return self._sock.recv_into(buffer)

    def makefile(self, mode: str = "rb", buffering: int = -1) -> io.BufferedReader:
        """A buffered reader of the same bytes under the same deadline."""
        del mode, buffering
        self._readers += 1
        return io.BufferedReader(_SocketReader(self))

    def start_tls(self, context: ssl.SSLContext, *, hostname: str) -> None:
        """Shake hands; raises ``ssl.SSLError`` where the certificate does not fit ``hostname``."""
        self._arm()
        self._sock = context.wrap_socket(self._sock, server_hostname=hostname)

    @property
    def is_encrypted(self) -> bool:
        """Whether what is said can be read by the other side alone."""
        return isinstance(self._sock, ssl.SSLSocket)

    def is_quiet(self) -> bool:
        """True while the other side has neither closed an idle connection nor spoken unasked."""
        try:
            return not select.select([self._sock], [], [], 0)[0]
        except (OSError, ValueError):
            return False

    def is_late(self) -> bool:
        """True once the deadline has passed."""
        return time.monotonic() >= self.deadline

    def close(self) -> None:
        """Close, as soon as the last reader is closed: an answer may still be read to its end."""
        self._closing = True
        if not self._readers:
            self._sock.close()

    def reader_closed(self) -> None:
        """Count that a reader made by ``makefile`` needs the socket no more."""
        self._readers -= 1
        if self._closing:
            self.close()

    def _read_late(self, buffer: Any) -> int:
        self._sock.settimeout(0)
        try:
            count = self._sock.recv_into(buffer) if self._late_bytes > 0 else None
        except (BlockingIOError, ssl.SSLWantReadError):
            count = None
        if count is None:
            raise TimeoutError("no answer in time")
        self._late_bytes -= count
        return count

    def _arm(self) -> None:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("no answer in time")
        self._sock.settimeout(remaining)


class _SocketReader(io.RawIOBase):
    def __init__(self, source: DeadlineSocket) -> None:
        super().__init__()
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._source.reader_closed()


def connect(
    host: str, port: int, *, deadline: float, tls: ssl.SSLContext | None = None
) -> DeadlineSocket:
    """A connection to the first address of ``host`` that answers.

    Raises ``OSError`` with the last address's trouble.  The time left is shared between the
    addresses still to be tried, so that a silent first one does not use it all.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    trouble: OSError = TimeoutError("no answer in time")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(remaining / (len(addresses) - tried))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = DeadlineSocket(sock, deadline=deadline)
            if tls:
                connection.start_tls(tls, hostname=host)
        except OSError as error:
            sock.close()
            trouble = error
        else:
            return connection
    raise trouble


def is_loopback(host: str) -> bool:
    """Whether what is said to ``host`` never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
