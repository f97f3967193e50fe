"""Passwords from breaches, looked up at a server of the tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from statuspage.access import passwords
from statuspage.access.breached_passwords import is_breached
from statuspage.core.config import load_settings
from tests.accounts import KIM, refusal

BREACHED = "correct horse battery staple"
DIGEST = sha1(BREACHED.encode(), usedforsecurity=False).hexdigest().upper()


class Range(BaseHTTPRequestHandler):
    """Knows one password, and pads its answers."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Add-Padding")))
        known = f"{DIGEST[5:]}:37" if self.path.endswith(DIGEST[:5]) else f"{'0' * 35}:4"
        body = f"{'A' * 35}:0\r\n{known}\r\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[list[tuple[str, str | None]]]:
    """What the service that knows breached passwords was asked."""
    Range.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Range) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with looking_up_at(f"http://127.0.0.1:{server.server_port}/range", tmp_path):
            yield Range.asked
        server.shutdown()


def looking_up_at(address: str, tmp_path: Path) -> Any:
    app = Flask("passwords")
    app.extensions["settings"] = load_settings(
        {"DATA_DIR": str(tmp_path), "BREACHED_PASSWORDS_URL": address}
    )
    return app.app_context()


def test_a_password_from_a_breach_is_refused_and_never_sent(
    asked: list[tuple[str, str | None]],
) -> None:
    with refusal(field="password", reason="This password is known from a breach. Use another"):
        passwords.read_password(BREACHED, email=KIM)
    assert asked == [(f"/range/{DIGEST[:5]}", "true")]
    assert passwords.read_password("vier blaue Lampen im Gang", email=KIM)


def test_where_nobody_answers_nothing_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with looking_up_at("http://127.0.0.1:9/range", tmp_path):
        assert not is_breached(BREACHED)
    assert "could not be looked up" in caplog.text
