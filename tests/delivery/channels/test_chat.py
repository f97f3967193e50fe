"""Internal messages to chat rooms: Apprise in a process of its own, against a real socket."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import pytest

from statuspage.delivery.channels.chat import Chat, calm, list_chat, unreadable
from statuspage.delivery.channels.provider import Recipient
from tests.delivery.channels.samples import OUTGOING, outcomes, recipient, send_all, yes_times

SECRET = "token-that-nobody-may-read"


class Room:
    """A chat service: answers with the status that the first part of the path asks for."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.ended = Event()
        room = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                preferences = self.path.split("/")[1]
                if preferences == "hang":
                    room.ended.wait(30)
                    return
                if preferences == "drop":
                    return
                room.updates.append(json.loads(body))
                self.send_response(int(preferences))
                self.send_header("Content-Length", "0")
                if preferences == "429":
                    self.send_header("Retry-After", "7")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, preferences: str) -> str:
        return f"json://127.0.0.1:{self._server.server_address[1]}/{preferences}/{SECRET}"

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    server = Room()
    yield server
    server.close()


def to(*rooms: str) -> list[Recipient]:
    return [recipient(number, address=name) for number, name in enumerate(rooms, start=1)]


def test_every_answer_is_told_for_what_it_is(room: Room, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        rooms = {
            **{
                preferences: room.url(preferences)
                for preferences in ("200", "400", "404", "429", "503", "drop")
            },
            "down": f"json://127.0.0.1:{closed.getsockname()[1]}/{SECRET}",
            "nonsense": f"nonsense://{SECRET}",
            "file": "",
        }
        results = send_all(Chat(rooms, tmp_path), to(*rooms, "removed"))
    assert outcomes(results) == {
        "200": ("accepted", "none"),
        "400": ("refused", "none"),
        "404": ("not_sent", "room"),
        "429": ("not_sent", "rate"),
        "503": ("unknown", "provider"),
        "drop": ("unknown", "provider"),
        "down": ("not_sent", "provider"),
        "nonsense": ("not_sent", "room"),
        "file": ("accepted", "none"),
        "removed": ("refused", "recipient"),
    }
    assert [result.retry_after for result in results if result.retry_after] == [7.0]
    assert not [result for result in results if SECRET in result.reason]


def test_a_message_says_who_we_are_and_calls_nobody(room: Room, tmp_path: Path) -> None:
    room.updates.clear()
    outgoing = replace(
        OUTGOING, subject="SEV1 <!channel>", text="@here [[name]]: [sign in](http://x)"
    )
    someone = recipient(1, address="ops", name="@everyone")
    send_all(Chat({"ops": room.url("200")}, tmp_path), [someone], outgoing=outgoing)
    assert [(update["title"], update["message"]) for update in room.updates] == [
        ("SEV1 <\u2060!channel>", "@\u2060here @\u2060everyone: [sign in]\u2060(http://x)")
    ]


@pytest.mark.parametrize(
    ("loud", "quiet"),
    [
        ("<!channel> <!here|here>", "<\u2060!channel> <\u2060!here|here>"),
        ("<@U123> <#C123>", "<\u2060@U123> <\u2060#C123>"),
        ("<https://a.example|b.example>", "<\u2060https://a.example|b.example>"),
        ("@Everyone, @HERE", "@\u2060Everyone, @\u2060HERE"),
        (
            "@room x@everyone @**all** @_*ops*",
            "@\u2060room x@\u2060everyone @\u2060**all** @\u2060_*ops*",
        ),
        ("zoe@all-hands.example zoe@team.example", "zoe@all-hands.example zoe@team.example"),
        ("@anna zoe@here.example 1 < 2 [x] (y)", "@anna zoe@here.example 1 < 2 [x] (y)"),
    ],
)
def test_what_calls_everybody_is_made_quiet(loud: str, quiet: str) -> None:
    assert calm(loud) == quiet
    assert calm(quiet) == quiet


def test_an_address_that_apprise_cannot_read_is_found_before_it_is_needed() -> None:
    assert unreadable(["json://localhost", "nonsense://x"]) == 1
    assert unreadable(["json://localhost"]) is None


def test_a_service_that_hangs_is_left_at_the_deadline(room: Room, tmp_path: Path) -> None:
    channel = Chat({"slow": room.url("hang"), "ok": room.url("200")}, tmp_path, timeout=0.5)
    assert outcomes(send_all(channel, to("slow"))) == {"slow": ("unknown", "provider")}


def test_a_poster_that_does_not_start_means_not_sent(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    assert outcomes(send_all(Chat({"ok": room.url("200")}, tmp_path), to("ok"))) == {
        "ok": ("not_sent", "provider")
    }


def test_nothing_is_posted_when_it_is_not_ours_any_more(tmp_path: Path) -> None:
    channel = Chat({"a": "", "b": "", "c": ""}, tmp_path)
    results = send_all(channel, to("a", "b", "c"), still_ours=yes_times(2))
    assert [result.recipient.address for result in results] == ["a", "b"]
    assert len(list_chat(tmp_path)) == 2


def test_without_rooms_a_message_can_be_read_in_its_file(tmp_path: Path) -> None:
    channel = Chat({"file": ""}, tmp_path)
    for _ in range(2):  # sending again replaces it
        send_all(channel, to("file"))
    (note,) = list_chat(tmp_path)
    assert (note.delivery_id, note.title) == ("1", "Resolved: checkout")
    assert note.text.startswith("Hello Customer 1,\n")
    channel.close()


def test_apprise_is_loaded_by_no_process_but_its_own(room: Room, tmp_path: Path) -> None:
    send_all(Chat({"ok": room.url("200")}, tmp_path), to("ok"))
    assert "apprise" not in sys.modules


def test_the_process_for_apprise_ends_with_its_batch(room: Room, tmp_path: Path) -> None:
    chunks = Chat({"ok": room.url("200")}, tmp_path).send(
        OUTGOING, to("ok", "ok"), still_ours=lambda: True
    )
    next(iter(chunks))
    assert len(posters()) == 1
    chunks.close()  # type: ignore[attr-defined]
    assert posters() == []


def posters() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "apprise_process.py" in " ".join(child.cmdline())]


def test_a_text_that_has_to_be_cut_says_where_the_whole_is(room: Room, tmp_path: Path) -> None:
    room.updates.clear()
    whole = "https://status.example.com/admin/incidents/x"
    outgoing = replace(OUTGOING, text=f"{'a' * 40_000}\nReview: tomorrow, by Ada", more_url=whole)
    send_all(Chat({"ops": room.url("200")}, tmp_path), to("ops"), outgoing=outgoing)
    (update,) = room.updates
    assert 30_000 < len(update["message"]) < 40_000
    assert update["message"].endswith(f"aaa…\n\nThe whole text: {whole}")
