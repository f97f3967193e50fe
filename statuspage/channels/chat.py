"""Internal messages to chat rooms, through Apprise.

Apprise costs about 50 MB and two seconds to load, and its timeouts count each read.  So it works in
a process of its own (:mod:`statuspage.channels.chat_post`), which lives for as long as one batch
and is ended at the deadline, whatever it waits for.  A room without an address is a folder under
``DATA_DIR/chat``.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from statuspage.channels.file import Drawer
from statuspage.channels.letter import (
    Fault,
    Letter,
    Outcome,
    Recipient,
    Result,
    brief,
    fill_subject,
    fill_text,
    writable,
)

_POSTER = Path(__file__).with_name("chat_post.py")
_START = 60.0  # seconds that Apprise may take to load on a busy machine
_JOINER = "\u2060"  # invisible, and no chat program reads past it
# What calls everybody, and what hides a link behind other words.
_LOUD = re.compile(
    r"<(?=[!@#/a-z])|(?<!\w)@(?=(?:everyone|here|channel|all|group|team)\b)|\](?=\()",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ChatNote:
    """A message in the room that is a folder."""

    delivery_id: str
    title: str
    text: str
    written_at: datetime


class Chat:
    """Posts letters to rooms; a recipient's ``address`` is the name of its room.

    ``rooms`` are Apprise addresses by name; an empty one stands for files under ``data_dir``.
    ``timeout`` is in seconds of wall clock for one message.
    """

    max_batch = 20

    def __init__(self, rooms: Mapping[str, str], data_dir: Path, *, timeout: float = 20.0) -> None:
        self._rooms = dict(rooms)
        self._drawer = chat_drawer(data_dir)
        self._timeout = timeout

    def send(
        self, letter: Letter, recipients: Sequence[Recipient], *, still_ours: Callable[[], bool]
    ) -> Iterator[Sequence[Result]]:
        """As :class:`~statuspage.channels.letter.Channel` promises: a chunk for each room."""
        poster: _Poster | None = None
        try:
            for recipient in recipients:
                url = self._rooms.get(recipient.address)
                if url and (poster is None or poster.is_over):
                    poster = _Poster()
                if not still_ours():
                    return
                values = recipient.tokens()
                title = calm(fill_subject(letter.subject, values))
                text = calm(fill_text(writable(letter.text), values))
                if url is None:
                    reason = "this chat room is not among the settings any more"
                    yield [Result(recipient, Outcome.REFUSED, Fault.RECIPIENT, reason)]
                elif poster and url:
                    order = {"url": url, "title": title, "text": text, "sender": letter.sender_name}
                    outcome, fault, reason, wait = poster.post(order, timeout=self._timeout)
                    yield [Result(recipient, outcome, fault, brief(reason), retry_after=wait)]
                else:
                    yield [self._write(recipient, title, text)]
        finally:
            if poster:
                poster.close()

    def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, recipient: Recipient, title: str, text: str) -> Result:
        note = json.dumps({"title": title, "text": text}, ensure_ascii=False)
        try:
            self._drawer.put(recipient.delivery_id, note.encode(), at=datetime.now(UTC))
        except ValueError as error:
            return Result(recipient, Outcome.REFUSED, Fault.RECIPIENT, str(error))
        except OSError as error:
            reason = f"the message cannot be written: {error.strerror}"
            return Result(recipient, Outcome.NOT_SENT, Fault.PROVIDER, reason)
        return Result(recipient, Outcome.ACCEPTED)


def calm(text: str) -> str:
    """``text`` so that it calls nobody (``@here``, ``<!channel>``) and disguises no link."""
    return _LOUD.sub(lambda found: found[0] + _JOINER, text)


def list_chat(data_dir: Path, *, limit: int = 100) -> list[ChatNote]:
    """The messages written last to the room that is a folder, newest first."""
    return [_read(path) for path in chat_drawer(data_dir).newest(limit)]


def chat_drawer(data_dir: Path) -> Drawer:
    """Where chat goes without a room of its own."""
    return Drawer(data_dir / "chat", suffix=".json")


def _read(path: Path) -> ChatNote:
    note = json.loads(path.read_bytes())
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return ChatNote(path.stem, note["title"], note["text"], written_at)


_Answer = tuple[Outcome, Fault, str, float | None]


class _Poster:
    """The process that holds Apprise: an order a line in, an answer a line out."""

    def __init__(self) -> None:
        # Isolated: neither this package nor the environment can stand in for a library's module.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_POSTER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._lines = _Lines(self._process.stdout)
        self.is_over = False
        if self._lines.read(timeout=_START) is None:  # its first line says that it is ready
            self.close()

    def post(self, order: Mapping[str, str], *, timeout: float) -> _Answer:
        """What became of one message; ``order`` holds secrets and goes through the pipe alone."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        except (OSError, ValueError):  # it has ended; ValueError where that is known already
            self.close()
            return Outcome.NOT_SENT, Fault.PROVIDER, "the process for chat does not run", None
        answer = self._lines.read(timeout=timeout)
        if answer is None:
            self.close()
            return Outcome.UNKNOWN, Fault.PROVIDER, "no answer from the chat service in time", None
        return (
            Outcome(answer["outcome"]),
            Fault(answer["fault"]),
            answer["reason"],
            answer["retry_after"],
        )

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.is_over = True
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what the dead process did not read
                pipe.close()  # type: ignore[union-attr]
        self._process.wait()


class _Lines:
    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._buffer = b""

    def read(self, *, timeout: float) -> dict[str, Any] | None:
        """The next line's JSON; None at the end or when the time is up."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._stream], [], [], remaining)[0]:
                return None
            data = self._stream.read1(65536)  # type: ignore[attr-defined]
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer
