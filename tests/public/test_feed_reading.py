"""Reading the public feed back: over HTTP, with a deadline, and what is wrong in words."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import Visibility
from statuspage.core.links import Links
from statuspage.public.feed_reading import newest_update, read_back
from tests.factories import NOON, make_incident, make_page, minutes

FEED = b"""<?xml version='1.0'?><feed xmlns="http://www.w3.org/2005/Atom">
<updated>2026-03-04T12:00:00+00:00</updated></feed>"""


class Site:
    """A site in front: answers the feed's address with a status and a body, or not at all."""

    def __init__(self) -> None:
        self.status, self.body, self.hangs = 200, FEED, False
        self.ended = threading.Event()
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                if site.hangs:
                    site.ended.wait(30)
                    return
                self.send_response(site.status)
                self.send_header("Content-Length", str(len(site.body)))
                self.end_headers()
                self.wfile.write(site.body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.links = Links(f"http://127.0.0.1:{self._server.server_address[1]}/status")
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def test_a_feed_that_has_the_newest_update_is_read(site: Site) -> None:
    assert read_back(site.links, newest=NOON) == ""
    assert read_back(site.links, newest=None) == ""
    assert site.asked == ["/status/updates.atom"] * 2


def test_a_feed_that_lacks_an_update_is_stale(site: Site) -> None:
    newest = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
    assert read_back(site.links, newest=newest) == "it lacks the update of 2026-03-04 12:30 UTC"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (502, b"", "it was answered with status 502"),
        (200, b"<html>Sign in", "what PUBLIC_URL serves is no feed"),
        (200, b"<feed/>", "what PUBLIC_URL serves is no feed"),
    ],
)
def test_what_is_no_feed_is_told(site: Site, status: int, body: bytes, reason: str) -> None:
    site.status, site.body = status, body
    assert read_back(site.links, newest=None) == reason


def test_a_site_that_hangs_is_left_at_the_deadline(site: Site) -> None:
    site.hangs = True
    reason = read_back(site.links, newest=None, deadline=0.2)
    assert reason in {"no answer within 0 seconds", "PUBLIC_URL cannot be reached from here"}


def test_a_site_that_is_away_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        links = Links(f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert read_back(links, newest=None) == "PUBLIC_URL cannot be reached from here"


def test_every_copy_must_have_what_is_older_than_five_minutes(
    app: Flask, session: Session, frozen: Traveller
) -> None:
    with writing():
        make_page(session)
        make_incident(session, "Public", updates=["investigating"])
        make_incident(session, "Inside", visibility=Visibility.INTERNAL)
    session.rollback()
    frozen.move_to(NOON + timedelta(days=1))
    newest = newest_update(session)
    assert newest is not None
    frozen.move_to(newest + minutes(5))
    assert newest_update(session) is None
