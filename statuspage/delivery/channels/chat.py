"""Internal messages to chat rooms: through Apprise, or through Slack's own API as a bot.

Apprise costs about 50 MB and two seconds to load, and its timeouts count each read.  So it works in
a process of its own (:mod:`statuspage.delivery.channels.apprise_process`), which lives for as long
as one batch and is ended at the deadline, whatever it waits for.  So does what posts as a bot
(:mod:`statuspage.delivery.channels.slack_process`); it shows each incident in a thread.  A room
without an address is a folder under ``DATA_DIR/chat``.
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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.request import Request, urlopen

from statuspage.delivery.channels.mail_files import Drawer
from statuspage.delivery.channels.provider import (
    Fault,
    Outcome,
    OutgoingMessage,
    Recipient,
    Result,
    brief,
    fill_subject,
    fill_text,
    writable,
)

_APPRISE = Path(__file__).with_name("apprise_process.py")
_SLACK = Path(__file__).with_name("slack_process.py")
# Slack edits messages up to 4,000 characters and cuts others at 40,000.
_LONGEST_HEAD = 3_500
_LONGEST_REPLY = 35_000
_PROBE = 10.0  # seconds
_START = 60.0  # seconds that Apprise may take to load on a busy machine
IN_A_FILE = "chat isn’t set up: kept in a file, and nobody was told"
CHANNEL_LINK = "Incident channel: https://slack.com/app_redirect?channel="
"""What stands before the ID of an incident's own channel; ``slack_process.py`` writes the same."""
_JOINER = "\u2060"  # invisible, and no chat program reads past it
# What calls everybody: Slack's <!here>, Teams' <at>, Matrix's @room, Zulip's @**all** or @_**all**,
# Discord's @everyone, which counts in the middle of a word too; not what a mail address holds.
# And what hides a link behind other words.
_EVERYBODY = r"(?:everyone|here|channel|all|group|team|room|online)\b"
_LOUD = re.compile(
    rf"<(?=[!@#/a-z])|(?<!\w)@(?={_EVERYBODY}|_?\*)|@(?={_EVERYBODY}(?![.-]\w))|\](?=\()",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ChatNote:
    """A message in the room that is a folder."""

    delivery_id: str
    title: str
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class SlackBot:
    """Slack's API as a bot sees it: the token, where the API is, and channel IDs by room."""

    token: str
    api: str
    rooms: Mapping[str, str]


class Chat:
    """Posts messages to rooms; a recipient's ``address`` is the name of its room.

    ``rooms`` are Apprise addresses by name; an empty one stands for files under ``data_dir``.
    What is among ``slack.rooms`` is posted by the bot.  ``timeout`` is in seconds of wall clock for
    one message.
    """

    max_batch = 20

    def __init__(
        self,
        rooms: Mapping[str, str],
        data_dir: Path,
        *,
        slack: SlackBot | None = None,
        timeout: float = 20.0,
    ) -> None:
        self._rooms = dict(rooms)
        self._slack = slack or SlackBot("", "", {})
        self._drawer = chat_drawer(data_dir)
        self._timeout = timeout

    def send(
        self,
        outgoing: OutgoingMessage,
        recipients: Sequence[Recipient],
        *,
        still_ours: Callable[[], bool],
    ) -> Iterator[Sequence[Result]]:
        """As :class:`.provider.Provider` promises: a chunk for each room."""
        posters: dict[Path, _Poster] = {}
        try:
            for recipient in recipients:
                url = self._rooms.get(recipient.address)
                script = _SLACK if recipient.address in self._slack.rooms else _APPRISE
                if url and (script not in posters or posters[script].is_over):
                    posters[script] = _Poster(script)
                if not still_ours():
                    return
                values = recipient.tokens()
                title = calm(fill_subject(outgoing.subject, values))
                text = calm(fill_text(writable(outgoing.text), values))
                if url is None:
                    reason = "this chat room is not among the settings any more"
                    yield [Result(recipient, Outcome.REFUSED, Fault.RECIPIENT, reason)]
                elif not url:
                    yield [self._write(recipient, title, text)]
                elif script is _SLACK:
                    order = self._slack_order(recipient, title, text, mark=_cut_mark(outgoing))
                    answer = posters[script].post(order, timeout=self._timeout)
                    yield [_result(recipient, answer)]
                else:
                    order = {"url": url, "title": title, "text": text, "mark": _cut_mark(outgoing)}
                    order["sender"] = outgoing.sender_name
                    yield [_result(recipient, posters[script].post(order, timeout=self._timeout))]
        finally:
            for poster in posters.values():
                poster.close()

    def close(self) -> None:
        """Nothing is kept open."""

    def _slack_order(
        self, recipient: Recipient, title: str, body: str, *, mark: str
    ) -> dict[str, Any]:
        """What is posted: a thread begins with its headline alone, in the title's place."""
        text = f"{title}\n\n{body}"
        order = {
            "token": self._slack.token,
            "api": self._slack.api,
            "room": self._slack.rooms[recipient.address],
            "text": _for_slack(text, _LONGEST_REPLY, mark),
        }
        thread = recipient.thread
        if thread is None:
            none = {"first": "", "head": None, "pin": None, "pinned": False, "new_channel": ""}
            return {**order, **none, "opening": order["text"]}
        place = f"\n{CHANNEL_LINK}{thread.channel}" if thread.channel else ""
        head = f"{calm(thread.headline)}{place}\n\n"
        shown = (
            None
            if thread.is_current
            else _for_slack(head + calm(thread.opening), _LONGEST_HEAD, mark)
        )
        opening = _for_slack(head + body, _LONGEST_HEAD, mark)
        return {
            **order,
            "first": thread.first,
            "head": shown,
            "opening": opening,
            "pin": thread.is_open,
            "pinned": thread.is_pinned,
            "new_channel": "" if thread.channel else thread.channel_name,
        }

    def _write(self, recipient: Recipient, title: str, text: str) -> Result:
        note = json.dumps({"title": title, "text": text}, ensure_ascii=False)
        try:
            self._drawer.put(recipient.delivery_id, note.encode(), at=datetime.now(UTC))
        except ValueError as error:
            return Result(recipient, Outcome.REFUSED, Fault.RECIPIENT, str(error))
        except OSError as error:
            reason = f"the message cannot be written: {error.strerror}"
            return Result(recipient, Outcome.NOT_SENT, Fault.PROVIDER, reason)
        return Result(recipient, Outcome.ACCEPTED, reason=IN_A_FILE)


def unreadable(rooms: Sequence[str]) -> int | None:
    """Which of these Apprise addresses is the first that Apprise cannot read, counted from 0.

    None where it reads them all, or where this machine is too busy to say: it takes seconds.
    """
    poster = _Poster(_APPRISE)
    try:
        for number, url in enumerate(rooms):
            answer = poster.post({"url": url, "sender": ""}, timeout=_START)
            if answer.get("readable") is False:
                return number
    finally:
        poster.close()
    return None


def slack_trouble(token: str, api: str) -> str:
    """Why Slack does not know the bot; empty where it does.  Nothing is posted.

    As https://docs.slack.dev/reference/methods/auth.test answers.
    """
    request = Request(f"{api}/auth.test", b"", {"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=_PROBE) as answer:
            said = json.loads(answer.read(_LONGEST_REPLY))
    except (OSError, ValueError) as error:
        return f"Slack does not answer: {brief(str(error))}"
    if isinstance(said, dict) and said.get("ok") is True:
        return ""
    return (
        f"Slack answered: {brief(str(said.get('error', said) if isinstance(said, dict) else said))}"
    )


def calm(text: str) -> str:
    """``text`` so that it calls nobody (``@here``, ``<!channel>``) and disguises no link."""
    return _LOUD.sub(lambda found: found[0] + _JOINER, text)


def _cut_mark(outgoing: OutgoingMessage) -> str:
    """The end of a text that had to be cut."""
    return f"…\n\nThe whole text: {outgoing.more_url}" if outgoing.more_url else "…"


def _for_slack(text: str, limit: int, mark: str) -> str:
    """``text`` with the three characters that Slack's markup is made of written as what they are.

    See https://docs.slack.dev/messaging/formatting-message-text, escaping text.
    """
    cut = text if len(text) <= limit else text[: limit - len(mark)] + mark
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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


def _result(recipient: Recipient, answer: Mapping[str, Any]) -> Result:
    """What a poster's answer says of one recipient."""
    thread = recipient.thread
    if thread and answer.get("first"):
        thread = replace(
            thread,
            first=answer["first"],
            is_current=answer["is_current"],
            is_pinned=answer["pinned"],
            channel=answer["channel"] or thread.channel,
        )
    return Result(
        recipient,
        Outcome(answer["outcome"]),
        Fault(answer["fault"]),
        brief(answer["reason"]),
        provider_id=answer.get("posted") or None,
        retry_after=answer["retry_after"],
        thread=thread,
    )


class _Poster:
    """A process that posts: an order a line in, an answer a line out."""

    def __init__(self, script: Path) -> None:
        # Isolated: neither this package nor the environment can stand in for a library's module.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._lines = _Lines(self._process.stdout)
        self.is_over = False
        if self._lines.read(timeout=_START) is None:  # its first line says that it is ready
            self.close()

    def post(self, order: Mapping[str, Any], *, timeout: float) -> Mapping[str, Any]:
        """What became of one message; ``order`` holds secrets and goes through the pipe alone."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        except (OSError, ValueError):  # it has ended; ValueError where that is known already
            self.close()
            return _silence(Outcome.NOT_SENT, "the process for chat does not run")
        answer = self._lines.read(timeout=timeout)
        if answer is None:
            self.close()
            return _silence(Outcome.UNKNOWN, "no answer from the chat service in time")
        return answer

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.is_over = True
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what the dead process did not read
                pipe.close()  # type: ignore[union-attr]
        self._process.wait()


def _silence(outcome: Outcome, reason: str) -> Mapping[str, Any]:
    return {"outcome": outcome, "fault": Fault.PROVIDER, "reason": reason, "retry_after": None}


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
