"""A stand-in for Slack's Web API: the methods that we call, and their refusals.

It checks what Slack checks (the token in its header, JSON or form, a channel, a text, a thread that
exists, the scope of the method, the name of a channel) and keeps what each channel shows: its
messages by ``ts``, each with its thread, and what is pinned.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qsl

TOKEN = "xoxb-a-token-that-nobody-may-read"
DROP = "drop"  # takes the message and closes without a word
HANG = "hang"  # takes the message and never answers
# What each method needs, and those that take forms alone (docs.slack.dev/reference/methods).
SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "pins.add": "pins:write",
    "pins.remove": "pins:write",
    "conversations.create": "channels:manage",
}
FORMS_ALONE = {"pins.add", "pins.remove"}


@dataclass
class Posted:
    """A message as its channel shows it."""

    channel: str
    text: str
    thread: str | None


class FakeSlack:
    """The server.  ``script`` holds what the next calls are answered with.

    An error's code, a status, or what to do with the connection.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Posted] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.script: deque[str | int] = deque()
        self.scopes = set(SCOPES.values())
        self.pinned: list[str] = []
        self.channels: dict[str, str] = {}
        self.ended = threading.Event()
        self._numbers = count(1)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                is_json = self.headers["Content-Type"].startswith("application/json")
                asked = json.loads(body) if is_json else dict(parse_qsl(body))
                method = self.path.removeprefix("/api/")
                fake.calls.append((method, asked))
                preferences = fake.script.popleft() if fake.script else None
                if preferences == DROP:
                    fake.act(method, asked)
                    return
                if preferences == HANG:
                    fake.act(method, asked)
                    fake.ended.wait(30)
                    return
                if isinstance(preferences, int):
                    self._answer(preferences, {"ok": False})
                elif preferences:
                    self._answer(200, {"ok": False, "error": preferences})
                elif self.headers["Authorization"] != f"Bearer {TOKEN}":
                    self._answer(200, {"ok": False, "error": "invalid_auth"})
                elif method == "auth.test":
                    self._answer(200, {"ok": True, "user": "statuspage"})
                elif method not in SCOPES:
                    self._answer(200, {"ok": False, "error": "unknown_method"})
                elif SCOPES[method] not in fake.scopes:
                    self._answer(200, {"ok": False, "error": "missing_scope"})
                elif is_json and method in FORMS_ALONE:
                    self._answer(200, {"ok": False, "error": "invalid_post_type"})
                else:
                    self._answer(200, fake.act(method, asked))

            def _answer(self, status: int, answer: dict[str, Any]) -> None:
                data = json.dumps(answer).encode()
                self.send_response(status)
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.api = f"http://127.0.0.1:{self._server.server_address[1]}/api"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def act(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what was asked, as far as Slack would."""
        if method == "conversations.create":
            return self._create(asked.get("name", ""))
        if not asked.get("channel"):
            return {"ok": False, "error": "channel_not_found"}
        if method.startswith("pins."):
            return self._pin(method, asked["channel"], asked.get("timestamp", ""))
        ts, thread = asked.get("ts", ""), asked.get("thread_ts")
        if not asked.get("text"):
            return {"ok": False, "error": "no_text"}
        if method == "chat.update":
            if ts not in self.messages:
                return {"ok": False, "error": "message_not_found"}
            self.messages[ts].text = asked["text"]
        else:
            if thread and thread not in self.messages:
                return {"ok": False, "error": "thread_not_found"}
            ts = f"1700000000.{next(self._numbers):06d}"
            self.messages[ts] = Posted(asked["channel"], asked["text"], thread)
        return {"ok": True, "channel": asked["channel"], "ts": ts}

    def _create(self, name: str) -> dict[str, Any]:
        """Open a channel (docs.slack.dev/reference/methods/conversations.create, naming)."""
        if not name:
            return {"ok": False, "error": "invalid_name_required"}
        if len(name) > 80:
            return {"ok": False, "error": "invalid_name_maxlength"}
        if not re.fullmatch(r"[a-z0-9_-]+", name):
            return {"ok": False, "error": "invalid_name_specials"}
        if name in self.channels:
            return {"ok": False, "error": "name_taken"}
        self.channels[name] = f"C{next(self._numbers):010d}"
        return {"ok": True, "channel": {"id": self.channels[name], "name": name}}

    def _pin(self, method: str, channel: str, ts: str) -> dict[str, Any]:
        message = self.messages.get(ts)
        if message is None or message.channel != channel:
            return {"ok": False, "error": "message_not_found"}
        is_pinned = ts in self.pinned
        if method == "pins.add":
            if is_pinned:
                return {"ok": False, "error": "already_pinned"}
            self.pinned.append(ts)
        else:
            if not is_pinned:
                return {"ok": False, "error": "no_pin"}
            self.pinned.remove(ts)
        return {"ok": True}

    def threads(self) -> list[tuple[str, list[str]]]:
        """What begins each thread, and what answers in it, each by its first line."""
        return [
            (_line(first.text), [_line(m.text) for m in self.messages.values() if m.thread == ts])
            for ts, first in self.messages.items()
            if first.thread is None
        ]


def _line(text: str) -> str:
    return text.partition("\n")[0]
