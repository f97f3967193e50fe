"""The stand-ins themselves: what they count must be true, or nothing measured with them is."""

from __future__ import annotations

import http.client
import json
import smtplib
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest

from statuspage.delivery.channels.sendgrid import SendGrid
from statuspage.delivery.channels.sendgrid_webhook import parse_events, verify_webhook
from statuspage.delivery.channels.smtp import Smtp
from tests.delivery.channels.samples import recipients, send_all
from tests.fakes.journal import count_addresses, read_journal
from tests.fakes.process import StandIn
from tests.fakes.sendgrid import FakeSendGrid, Manners, Webhook

TWO = {"customer1@example.org": 1, "customer2@example.org": 1}


def test_sendgrid_as_a_process_keeps_count_in_its_journal(tmp_path: Path) -> None:
    stand_in = StandIn("sendgrid", folder=tmp_path)
    channel = SendGrid("key", host=stand_in.facts["url"])
    send_all(channel, recipients(2))
    channel.close()
    stand_in.stop()
    entries = read_journal(stand_in.journal)
    assert count_addresses(entries) == TWO
    assert [(each.delivery_id, each.attempt_id, each.message_id) for each in entries] == [
        ("1", "attempt-1", "<1@status.example.com>"),
        ("2", "attempt-2", "<2@status.example.com>"),
    ]


def test_sendgrid_as_a_process_learns_manners_while_it_runs(tmp_path: Path) -> None:
    stand_in = StandIn("sendgrid", folder=tmp_path)
    manners = json.dumps({"mix": {"500": 1.0}}).encode()
    with urlopen(Request(stand_in.facts["url"] + "/manners", manners, method="PUT")) as answer:
        assert answer.status == 204
    channel = SendGrid("key", host=stand_in.facts["url"])
    assert [result.outcome for result in send_all(channel, recipients(1))] == ["unknown"]
    channel.close()
    stand_in.stop()


def test_the_smtp_sink_as_a_process_keeps_count_in_its_journal(tmp_path: Path) -> None:
    stand_in = StandIn("smtp", folder=tmp_path)
    channel = Smtp(stand_in.facts["url"])
    send_all(channel, recipients(2))
    channel.close()
    stand_in.stop()
    entries = read_journal(stand_in.journal)
    assert count_addresses(entries) == TWO
    assert [each.message_id for each in entries] == [
        "<1@status.example.com>",
        "<2@status.example.com>",
    ]


def test_a_journal_cut_short_counts_whole_lines_alone(tmp_path: Path) -> None:
    whole = {"address": "a@b.c", "delivery_id": "1", "attempt_id": "", "message_id": "", "at": 1.5}
    path = tmp_path / "journal"
    path.write_text(json.dumps(whole) + "\n" + '{"address": "x@')
    assert count_addresses(read_journal(path)) == {"a@b.c": 1}
    assert read_journal(tmp_path / "missing") == []


class Listener:
    """Takes webhooks, refusing the first few."""

    def __init__(self, refusals: int) -> None:
        self.updates: list[tuple[bytes, dict[str, str]]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                nonlocal refusals
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refusals -= 1
                self.send_response(503 if refusals >= 0 else 204)
                self.end_headers()
                if refusals < 0:
                    listener.updates.append((body, dict(self.headers)))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/sendgrid"
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener(refusals=1)
    yield server
    server.close()


def test_events_are_signed_and_posted_until_they_are_taken(listener: Listener) -> None:
    hook = Webhook(listener.url)
    manners = Manners(bounces=frozenset({"customer2@example.org"}))
    with FakeSendGrid(manners, webhook=hook) as fake:
        channel = SendGrid("key", host=fake.url)
        send_all(channel, recipients(2))
        channel.close()
        wait_until_idle(hook)
    events: list[Any] = []
    for body, headers in listener.updates:
        signature = headers["X-Twilio-Email-Event-Webhook-Signature"]
        timestamp = headers["X-Twilio-Email-Event-Webhook-Timestamp"]
        assert verify_webhook(hook.signer.public_key, body, signature, timestamp)
        events += parse_events(body)[0]
    assert sorted((event.delivery_id, event.kind.value) for event in events) == [
        ("1", "delivered"),
        ("1", "processed"),
        ("2", "bounce"),
        ("2", "processed"),
    ]


def wait_until_idle(hook: Webhook) -> None:
    deadline = time.monotonic() + 10
    while not hook.is_idle():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_wrong_key_is_refused() -> None:
    with FakeSendGrid(Manners(key="right")) as fake:
        channel = SendGrid("wrong", host=fake.url)
        assert [result.fault for result in send_all(channel, recipients(1))] == ["credentials"]
        channel.close()


@pytest.mark.parametrize(
    ("field", "value"),
    [("personalizations", []), ("from", {}), ("subject", ""), ("content", [])],
)
def test_a_request_that_lacks_something_is_refused_by_field(field: str, value: object) -> None:
    request = {
        "personalizations": [{"to": [{"email": "a@b.c"}]}],
        "from": {"email": "x@y.z"},
        "subject": "s",
        "content": [{"type": "text/plain", "value": "t"}],
        field: value,
    }
    with FakeSendGrid() as fake:
        connection = http.client.HTTPConnection("127.0.0.1", fake.port)
        connection.request("POST", "/v3/mail/send", json.dumps(request))
        answer = connection.getresponse()
        errors = json.loads(answer.read())["errors"]
        connection.close()
    assert answer.status == 400
    assert [error["field"].partition(".")[0] for error in errors] == [field]


def test_the_fast_sink_speaks_with_the_standard_client(tmp_path: Path) -> None:
    stand_in = StandIn("smtp", "--manners", '{"mix": {"rcpt_5xx": 1.0}}', folder=tmp_path)
    with (
        smtplib.SMTP("127.0.0.1", stand_in.facts["port"]) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused),
    ):
        client.sendmail("a@b.c", ["d@e.f"], "Subject: x\r\n\r\ny")
    stand_in.stop()
    assert read_journal(stand_in.journal) == []
