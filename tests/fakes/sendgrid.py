"""A stand-in for SendGrid: its mail/send endpoint, its errors, its troubles and its event webhook.

It answers as SendGrid's reference says, or misbehaves as scripted, and counts what it accepted.
As a process: ``python -m tests.fakes.sendgrid --ready-file FILE --journal FILE``.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import queue
import random
import socket
import struct
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fakes.journal import Accepted, Journal
from tests.fakes.process import wait_for_end, write_ready


class Does(StrEnum):
    """What the stand-in does with one request."""

    ACCEPT = "accept"
    BAD_REQUEST = "400"  # names no field
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    TOO_LARGE = "413"
    RATE_LIMIT = "429"
    ERROR = "500"
    UNAVAILABLE = "503"
    DROP = "drop"  # reads nothing and resets the connection
    READ_DROP = "read_drop"  # reads it all and closes without accepting
    ACCEPT_DROP = "accept_drop"  # accepts and closes without a word
    HANG = "hang"  # reads it all and never answers
    ACCEPT_HANG = "accept_hang"
    TRICKLE = "trickle"  # one byte of an answer now and then, for ever; nothing is accepted
    ACCEPT_TRICKLE = "accept_trickle"  # accepts, says so, and trickles the answer's body
    GARBAGE = "garbage"  # answers something that is not HTTP


_ERRORS = {
    Does.BAD_REQUEST: (400, "Bad Request"),
    Does.UNAUTHORIZED: (401, "The provided authorization grant is invalid, expired, or revoked"),
    Does.FORBIDDEN: (403, "The from address does not match a verified Sender Identity."),
    Does.TOO_LARGE: (413, "request entity too large"),
    Does.RATE_LIMIT: (429, "too many requests"),
    Does.ERROR: (500, "internal server error"),
    Does.UNAVAILABLE: (503, "service unavailable"),
}


@dataclass
class Manners:
    """How the stand-in behaves; may be changed while it runs.

    ``script`` is used up one request at a time; after it the ``mix`` of chances decides, and what
    is left of it is acceptance.  ``bad`` addresses refuse their whole request.  ``latency`` is in
    seconds.
    """

    script: deque[Does] = field(default_factory=deque)
    mix: Mapping[Does, float] = field(default_factory=dict)
    latency: float = 0.0
    bad: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    reset_after: int = 1  # seconds until X-RateLimit-Reset in a 429
    key: str | None = None  # the only API key that is taken; None takes every one
    bounces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted mail as its recipient would see it, and what came along."""

    address: str
    name: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    custom_args: Mapping[str, str]
    request: Mapping[str, Any]


class FakeSendGrid:
    """The server.  Use it as a context manager; ``url`` is its address.

    With ``keep`` (the default without a journal file) accepted mails are kept in ``mails`` with
    their substitutions carried out one after the other, as SendGrid does.
    """

    def __init__(
        self,
        manners: Manners | None = None,
        *,
        port: int = 0,
        journal: Path | None = None,
        keep: bool | None = None,
        seed: int = 0,
        webhook: Webhook | None = None,
    ) -> None:
        self.manners = manners or Manners()
        self.journal = Journal(journal)
        self.mails: list[Mail] = []
        self.requests = 0
        self.connections = 0
        self.statuses: Counter[int] = Counter()
        self.keep = journal is None if keep is None else keep
        self.webhook = webhook
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering and cut every connection."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        if self.webhook:
            self.webhook.close()
        self.journal.close()

    def drop_idle(self) -> None:
        """Close every open connection, as a server does with those that idle too long."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def next_move(self) -> Does:
        with self._lock:
            self.requests += 1
            if self.manners.script:
                return self.manners.script.popleft()
            chance = self._random.random()
            for does, share in self.manners.mix.items():
                chance -= share
                if chance < 0:
                    return does
        return Does.ACCEPT

    def accept(self, request: Mapping[str, Any]) -> None:
        """Take responsibility for every personalization, before anything is answered."""
        accepted = self.journal.record(
            (
                entry["to"][0]["email"],
                entry.get("custom_args", {}).get("delivery_id", ""),
                entry.get("custom_args", {}).get("attempt_id", ""),
                entry.get("headers", {}).get("Message-ID", ""),
            )
            for entry in request["personalizations"]
        )
        if self.keep:
            self.mails += (_read_mail(request, entry) for entry in request["personalizations"])
        if self.webhook:
            self.webhook.report(accepted, bounces=self.manners.bounces)

    def judge(self, request: Any) -> list[dict[str, Any]]:
        """SendGrid's errors for this request; none where it would be taken."""
        entries = request.get("personalizations") or []
        if not 1 <= len(entries) <= 1000:
            return [_error("The personalization block is limited to 1000.", "personalizations")]
        if not request.get("from", {}).get("email"):
            return [_error("The from object must be provided.", "from.email")]
        if not request.get("subject"):
            return [_error("The subject is required.", "subject")]
        for number, content in enumerate(request.get("content") or [{}]):
            if not content.get("value"):
                return [_error("The content value must be a string.", f"content.{number}.value")]
        return list(self._judge_recipients(entries))

    def _judge_recipients(self, entries: Sequence[Any]) -> Iterable[dict[str, Any]]:
        seen: set[str] = set()
        for number, entry in enumerate(entries):
            address = entry["to"][0]["email"]
            if address in self.manners.bad or address.count("@") != 1:
                place = f"personalizations.{number}.to.0.email"
                yield _error("Does not contain a valid address.", place)
            if address.lower() in seen:
                message = f"Each email address should be unique. We found {address} twice."
                yield _error(message, f"personalizations.{number}")
            seen.add(address.lower())
            substitutions = entry.get("substitutions", {})
            if sum(len((k + v).encode()) for k, v in substitutions.items()) > 10_000:
                place = f"personalizations.{number}.substitutions"
                yield _error("The substitutions are limited to 10000 bytes.", place)


class Signer:
    """Signs webhooks as SendGrid does, with a key pair of its own."""

    def __init__(self, key_file: Path | None = None) -> None:
        self._key = _load_key(key_file)

    @property
    def public_key(self) -> str:
        """The verification key as SendGrid shows it: base64 without a PEM frame."""
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def sign(self, body: bytes, timestamp: str) -> str:
        """The signature header for this body."""
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return base64.b64encode(signature).decode()

    def headers(self, body: bytes) -> dict[str, str]:
        """All headers of a signed post."""
        timestamp = str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": self.sign(body, timestamp),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }


class Webhook:
    """Posts signed events about accepted mails, in batches, again until they are taken."""

    def __init__(self, url: str, *, key_file: Path | None = None) -> None:
        self.url = url
        self.posted = 0
        self.duplicate = 0.0  # chance that an event is posted twice
        self.shuffle = False  # whether the events of a batch come out of order
        self.delay = 0.0  # seconds before a batch is posted
        self.signer = Signer(key_file)
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._ended = threading.Event()
        self._random = random.Random(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def report(self, accepted: Iterable[Accepted], *, bounces: frozenset[str]) -> None:
        """Queue what happens to these mails: processed, then delivered or bounced."""
        if not self.url:
            return
        for mail in accepted:
            self._events.put(event_about(mail, "processed"))
            if mail.address in bounces:
                self._events.put(
                    event_about(mail, "bounce", reason="550 no such user", type="bounce")
                    | {"bounce_classification": "Invalid Address"}
                )
            else:
                self._events.put(event_about(mail, "delivered", response="250 OK"))

    def is_idle(self) -> bool:
        """Whether everything queued so far has been taken."""
        return self._events.unfinished_tasks == 0

    def close(self) -> None:
        """Stop posting."""
        self._ended.set()
        self._events.put(None)
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ended.is_set():
            batch = self._next_batch()
            if not batch:
                return
            events = [event for event in batch for _ in range(self._copies())]
            if self.shuffle:
                self._random.shuffle(events)
            body = orjson.dumps(events)
            self._ended.wait(self.delay)
            while not self._ended.is_set() and not self._post(body):
                self._ended.wait(0.2)
            self.posted += len(events)
            for _ in batch:
                self._events.task_done()

    def _copies(self) -> int:
        return 2 if self._random.random() < self.duplicate else 1

    def _next_batch(self) -> list[dict[str, Any]]:
        batch: list[dict[str, Any]] = []
        event = self._events.get()
        while event is not None:
            batch.append(event)
            if len(batch) >= 1000:
                break
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                break
        return batch

    def _post(self, body: bytes) -> bool:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            connection.request("POST", parts.path, body, self.signer.headers(body))
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def event_about(mail: Accepted, kind: str, **more: str) -> dict[str, Any]:
    """One event of SendGrid's webhook about an accepted mail."""
    return {
        "email": mail.address,
        "timestamp": int(time.time()),
        "smtp-id": mail.message_id,
        "event": kind,
        "sg_event_id": base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="),
        "sg_message_id": uuid.uuid4().hex,
        "delivery_id": mail.delivery_id,
        "attempt_id": mail.attempt_id,
        **more,
    }


def _load_key(path: Path | None) -> ec.EllipticCurvePrivateKey:
    if path and path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key
    key = ec.generate_private_key(ec.SECP256R1())
    if path:
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return key


def _read_mail(request: Mapping[str, Any], entry: Mapping[str, Any]) -> Mail:
    values = {part["type"]: part["value"] for part in request["content"]}
    texts = [request["subject"], values.get("text/plain", ""), values.get("text/html", "")]
    for tag, value in entry.get("substitutions", {}).items():
        texts = [text.replace(tag, value) for text in texts]
    return Mail(
        address=entry["to"][0]["email"],
        name=entry["to"][0].get("name", ""),
        subject=texts[0],
        text=texts[1],
        html=texts[2],
        headers=entry.get("headers", {}),
        custom_args=entry.get("custom_args", {}),
        request={key: value for key, value in request.items() if key != "personalizations"},
    )


def _error(message: str, place: str | None) -> dict[str, Any]:
    return {"message": message, "field": place, "help": None}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    fake: FakeSendGrid

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.fake.opened(self.connection)

    def finish(self) -> None:
        self.server.fake.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        fake = self.server.fake
        self._answer(200, orjson.dumps({"requests": fake.requests, "statuses": fake.statuses}))

    def do_PUT(self) -> None:
        """``PUT /manners``: change how it behaves, and ``webhook``, while it runs."""
        values = orjson.loads(self._read_body())
        if "webhook" in values and self.server.fake.webhook:
            self.server.fake.webhook.url = values.pop("webhook")
        self.server.fake.manners = read_manners(values)
        self._answer(204)

    def do_POST(self) -> None:
        fake = self.server.fake
        move = fake.next_move()
        if move is Does.DROP:
            return self._reset()
        body = self._read_body()
        fake.ended.wait(fake.manners.latency)
        if move in _ERRORS:
            return self._complain(*_ERRORS[move])
        if move is Does.READ_DROP:
            return self._reset()
        if move is Does.GARBAGE:
            return self._write_and_close(b"SSH-2.0-OpenSSH_9.6\r\n")
        if move is Does.HANG:
            return self._hang()
        if move is Does.TRICKLE:
            return self._trickle(b"HTTP/1.1 202 Accepted\r\n" + b"X-Padding: x\r\n" * 10_000)
        return self._take(body, move)

    def _take(self, body: bytes, move: Does) -> None:
        fake = self.server.fake
        if fake.manners.key and self.headers["Authorization"] != f"Bearer {fake.manners.key}":
            return self._complain(*_ERRORS[Does.UNAUTHORIZED])
        request = orjson.loads(body)
        errors = fake.judge(request)
        if errors:
            return self._answer(400, orjson.dumps({"errors": errors}))
        if request.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return self._answer(200)
        fake.accept(request)
        if move is Does.ACCEPT_DROP:
            return self._reset()
        if move is Does.ACCEPT_HANG:
            return self._hang()
        if move is Does.ACCEPT_TRICKLE:
            head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 10000\r\n\r\n"
            self.wfile.write(head)
            return self._trickle(b"x" * 10_000)
        return self._answer(202, headers={"X-Message-Id": uuid.uuid4().hex})

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _complain(self, status: int, message: str) -> None:
        headers = {}
        if status == 429:
            reset = int(time.time()) + self.server.fake.manners.reset_after
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        self._answer(status, orjson.dumps({"errors": [_error(message, None)]}), headers=headers)

    def _answer(
        self, status: int, body: bytes = b"", *, headers: Mapping[str, str] | None = None
    ) -> None:
        self.server.fake.statuses[status] += 1
        self.send_response(status)
        for name, value in ((headers or {}) | dict(self.server.fake.manners.headers)).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def _write_and_close(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def _hang(self) -> None:
        self.server.fake.ended.wait(600)
        self.close_connection = True

    def _trickle(self, data: bytes) -> None:
        for byte in data:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.fake.ended.wait(0.05):
                break
        self.close_connection = True


def read_manners(values: Mapping[str, Any]) -> Manners:
    """Manners from JSON: the fields by name, behaviours by their value."""
    known = dict(values)
    known["script"] = deque(Does(move) for move in values.get("script", ()))
    known["mix"] = {Does(move): chance for move, chance in values.get("mix", {}).items()}
    known["bad"] = frozenset(values.get("bad", ()))
    known["bounces"] = frozenset(values.get("bounces", ()))
    return Manners(**known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", type=Path)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--manners", type=json.loads, default={}, help="JSON, see Manners")
    parser.add_argument("--webhook", help="where events are posted")
    parser.add_argument("--webhook-key", type=Path, help="file of the signing key; made if absent")
    options = parser.parse_args()
    webhook = Webhook(options.webhook or "", key_file=options.webhook_key)
    fake = FakeSendGrid(
        read_manners(options.manners),
        port=options.port,
        journal=options.journal,
        seed=options.seed,
        webhook=webhook,
    )
    if options.ready_file:
        facts = {"url": fake.url, "port": fake.port, "webhook_key": webhook.signer.public_key}
        write_ready(options.ready_file, facts)
    wait_for_end()
    fake.close()


if __name__ == "__main__":
    main()
