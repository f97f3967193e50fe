"""Stand-ins for a mail server.

``FastSmtpSink`` is bare asyncio: quick enough to measure against, and it misbehaves as scripted.
``SmtpSink`` is aiosmtpd: slow, but it knows TLS, authentication and SMTPUTF8 as a real server does.
As a process: ``python -m tests.fakes.smtp --ready-file FILE --journal FILE``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import socket
import ssl
import threading
from collections import Counter, deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.journal import Journal
from tests.fakes.process import wait_for_end, write_ready

_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.MULTILINE | re.IGNORECASE)


class Does(StrEnum):
    """What the sink does with one transaction."""

    ACCEPT = "accept"
    MAIL_4XX = "mail_4xx"  # these two come from a script alone: nobody knows the address yet
    MAIL_5XX = "mail_5xx"
    RCPT_4XX = "rcpt_4xx"
    RCPT_5XX = "rcpt_5xx"
    RCPT_421 = "rcpt_421"
    DATA_4XX = "data_4xx"  # after the final dot
    DATA_5XX = "data_5xx"
    DROP = "drop"  # at DATA, before any text
    READ_DROP = "read_drop"  # after the final dot, without accepting
    ACCEPT_DROP = "accept_drop"  # accepts and closes without a word
    HANG = "hang"  # after the final dot, without accepting
    ACCEPT_HANG = "accept_hang"
    TRICKLE = "trickle"  # an answer after the final dot that never ends
    GARBAGE = "garbage"  # an answer after the final dot that is not SMTP


_TO_SENDERS = {
    Does.MAIL_4XX: "451 4.3.2 not now",
    Does.MAIL_5XX: "553 5.7.1 not your address",
}


@dataclass
class Manners:
    """How the sink behaves; may be changed while it runs."""

    script: deque[Does] = field(default_factory=deque)
    mix: Mapping[Does, float] = field(default_factory=dict)
    by_address: Mapping[str, Does] = field(default_factory=dict)
    greeting: bytes = b"220 sink ESMTP\r\n"
    features: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8")
    refusals: Mapping[str, str] = field(default_factory=dict)  # reply to RCPT by address, or "*"
    last_words: str = ""  # reply to every text instead of accepting it
    hello: str = ""  # reply to EHLO before it closes
    per_connection: int = 0  # transactions after which it says 421 and closes; 0: no limit
    latency: float = 0.0  # seconds before the answer to the final dot


@dataclass(frozen=True, slots=True)
class Taken:
    """One accepted mail: its envelope and the message without dot-stuffing."""

    sender: str
    address: str
    message: bytes


class FastSmtpSink:
    """The asyncio sink, in a thread of its own.  ``url`` is what ``SMTP_URL`` would be."""

    def __init__(
        self,
        manners: Manners | None = None,
        *,
        port: int = 0,
        journal: Path | None = None,
        keep: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.manners = manners or Manners()
        self.journal = Journal(journal)
        self.keep = journal is None if keep is None else keep
        self.mails: list[Taken] = []
        self.connections = 0
        self.greeted: list[str] = []
        self.transactions = 0
        self.random = random.Random(seed)
        self.open: set[asyncio.Transport] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(
            self._loop.create_server(lambda: _SinkProtocol(self), "127.0.0.1", port, backlog=64)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering and cut every connection."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        self.journal.close()

    def drop_idle(self) -> None:
        """Close every open connection, as a server does with those that idle too long."""
        self._run(self._abort())

    async def _abort(self) -> None:
        for transport in list(self.open):
            transport.abort()
        await asyncio.sleep(0.01)

    async def _stop(self) -> None:
        self._server.close()
        await self._abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def greet_sender(self) -> str:
        if not self.manners.script or self.manners.script[0] not in _TO_SENDERS:
            return ""
        self.transactions += 1
        return _TO_SENDERS[self.manners.script.popleft()]

    def next_move(self, address: str) -> Does:
        self.transactions += 1
        if address in self.manners.by_address:
            return self.manners.by_address[address]
        if self.manners.script:
            return self.manners.script.popleft()
        chance = self.random.random()
        for does, share in self.manners.mix.items():
            chance -= share
            if chance < 0:
                return does
        return Does.ACCEPT

    def accept(self, sender: str, address: str, message: bytes) -> None:
        found = _MESSAGE_ID.search(message)
        self.journal.record([(address, "", "", found[1].decode() if found else "")])
        if self.keep:
            self.mails.append(Taken(sender, address, message.replace(b"\r\n..", b"\r\n.")))


class _SinkProtocol(asyncio.Protocol):
    def __init__(self, sink: FastSmtpSink) -> None:
        self._sink = sink
        self._buffer = b""
        self._in_data = False
        self._sender = self._address = ""
        self._move = Does.ACCEPT
        self._done = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connections += 1
        self._sink.open.add(transport)
        transport.write(self._sink.manners.greeting)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sink.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._transport.is_closing():
            mark = b"\r\n.\r\n" if self._in_data else b"\r\n"
            taken, found, rest = self._buffer.partition(mark)
            if not found:
                return
            self._buffer = rest
            if self._in_data:
                self._in_data = False
                self._finish(taken + b"\r\n")
            else:
                self._obey(taken)

    def _obey(self, line: bytes) -> None:
        verb, _, argument = line.decode("utf-8", "replace").partition(" ")
        match verb.upper():
            case "EHLO" if self._sink.manners.hello:
                self._sink.greeted.append(argument)
                self._say(self._sink.manners.hello)
                self._transport.close()
            case "EHLO":
                self._sink.greeted.append(argument)
                lines = ["sink", *self._sink.manners.features]
                self._say(
                    *(f"250-{each}" for each in lines[:-1]),
                    f"250 {lines[-1]}",
                )
            case "MAIL":
                self._sender = _path(argument)
                self._address = ""
                refusal = self._sink.greet_sender()
                if refusal:
                    self._sender = ""
                self._say(refusal or "250 ok")
            case "RCPT" if not self._sender:
                self._say("503 no sender")
            case "RCPT":
                self._address = _path(argument)
                self._receive()
            case "DATA":
                self._begin()
            case "QUIT":
                self._say("221 bye")
                self._transport.close()
            case "RSET" | "NOOP" | "HELO":
                self._sender = self._address = ""
                self._say("250 ok")
            case _:
                self._say("502 what?")

    def _receive(self) -> None:
        limit = self._sink.manners.per_connection
        if limit and self._done >= limit:
            self._say("421 enough for one connection")
            self._transport.close()
            return
        refusals = self._sink.manners.refusals
        if refusal := refusals.get(self._address) or refusals.get("*"):
            self._sink.transactions += 1
            self._refuse(refusal)
            return
        self._move = self._sink.next_move(self._address)
        match self._move:
            case Does.RCPT_4XX:
                self._refuse("450 4.2.0 greylisted, come back later")
            case Does.RCPT_5XX:
                self._refuse("550 5.1.1 no such user")
            case Does.RCPT_421:
                self._say("421 4.3.2 going down")
                self._transport.close()
            case _:
                self._say("250 ok")

    def _refuse(self, answer: str) -> None:
        self._address = ""
        self._say(answer)

    def _begin(self) -> None:
        if not self._address:
            self._say("503 no recipient")
        elif self._move is Does.DROP:
            self._transport.abort()
        else:
            self._in_data = True
            self._say("354 go on")

    def _finish(self, message: bytes) -> None:
        self._done += 1
        if self._sink.manners.last_words:
            self._say(self._sink.manners.last_words)
            return
        accepts = {Does.ACCEPT, Does.ACCEPT_DROP, Does.ACCEPT_HANG}
        if self._move in accepts:
            self._sink.accept(self._sender, self._address, message)
        match self._move:
            case Does.ACCEPT:
                self._later("250 2.0.0 Ok: queued as 4F2A")
            case Does.DATA_4XX:
                self._say("451 4.3.0 try later")
            case Does.DATA_5XX:
                self._say("554 5.7.1 looks like spam")
            case Does.READ_DROP | Does.ACCEPT_DROP:
                self._transport.abort()
            case Does.TRICKLE:
                asyncio.get_running_loop().create_task(self._trickle())
            case Does.GARBAGE:
                self._say("HTTP/1.1 200 OK")

    def _later(self, answer: str) -> None:
        if latency := self._sink.manners.latency:
            asyncio.get_running_loop().call_later(latency, self._say, answer)
        else:
            self._say(answer)

    async def _trickle(self) -> None:
        while not self._transport.is_closing():
            self._transport.write(b"250-and then\r\n")
            await asyncio.sleep(0.05)

    def _say(self, *lines: str) -> None:
        self._transport.write("".join(f"{line}\r\n" for line in lines).encode())


def _path(argument: str) -> str:
    return argument.partition("<")[2].partition(">")[0]


class SmtpSink:
    """aiosmtpd on a free port.  ``mails`` holds what it accepted."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
        smtputf8: bool = True,
        replies: Mapping[str, str] | None = None,
    ) -> None:
        self.mails: list[Taken] = []
        self.encrypted: list[bool] = []
        self.logins: Counter[str] = Counter()
        self.replies = dict(replies or {})
        self._login = login
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=_free_port(),
            enable_SMTPUTF8=smtputf8,
            ssl_context=tls if implicit_tls else None,
            tls_context=None if implicit_tls else tls,
            authenticator=self._authenticate if login else None,
            auth_require_tls=False,
        )
        self._controller.start()
        scheme = "smtps" if implicit_tls else "smtp"
        self.port = self._controller.port
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, options
        if self._login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server
        self.encrypted.append(session.ssl is not None)
        assert isinstance(envelope.content, bytes)
        self.mails += (
            Taken(envelope.mail_from or "", address, envelope.content)
            for address in envelope.rcpt_tos
        )
        return "250 2.0.0 Ok: queued as 77"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        del server, session, envelope, mechanism
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        self.logins[given[0]] += 1
        return AuthResult(success=given == self._login, handled=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def read_manners(values: Mapping[str, Any]) -> Manners:
    """Manners from JSON: the fields by name, behaviours by their value."""
    known = dict(values)
    known["script"] = deque(Does(move) for move in values.get("script", ()))
    known["mix"] = {Does(move): chance for move, chance in values.get("mix", {}).items()}
    known["by_address"] = {
        address: Does(move) for address, move in values.get("by_address", {}).items()
    }
    return Manners(**known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", type=Path)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--manners", type=json.loads, default={}, help="JSON, see Manners")
    options = parser.parse_args()
    sink = FastSmtpSink(
        read_manners(options.manners),
        port=options.port,
        journal=options.journal,
        seed=options.seed,
    )
    if options.ready_file:
        write_ready(options.ready_file, {"url": sink.url, "port": sink.port})
    wait_for_end()
    sink.close()


if __name__ == "__main__":
    main()
