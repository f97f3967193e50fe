"""What the application is asked, and what comes of it: without a server or a socket."""

import asyncio
from io import BytesIO
from typing import Self

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from statuspage.admin import body_limits
from statuspage.runtime import gateway
from statuspage.runtime.gateway import Gateway
from tests.browsing import OWN_FORM, Browser

pytestmark = pytest.mark.only_on("sqlite")

PIECE = 16 * 1024


class Client:
    """Sends one request, in pieces of 16 KB, and keeps what is answered: a scope and a protocol."""

    http_version = "1.1"
    query_string = ""
    server = "127.0.0.1:80"
    client = "127.0.0.1:5000"

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> None:
        self.method = method
        self.path = path
        self.headers = {
            name.lower(): value for name, value in {"Host": "localhost", **headers}.items()
        }
        self._pieces = (body[at : at + PIECE] for at in range(0, len(body), PIECE))
        self.read = 0
        self.status = 0
        self.answered: dict[str, str] = {}
        self.body = b""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = next(self._pieces, b"")
        self.read += len(piece)
        return piece

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.answered = {name.lower(): value for name, value in headers}
        self.body = body

    def ask(self, app: Flask) -> int:
        """The status of the answer."""
        asyncio.run(Gateway(app)(self, self))
        return self.status


def customers_file(admin: Browser, size: int) -> Client:
    """The form of the signed-in browser with a customers' file of about that many bytes."""
    line = "customer-{:06}@example.com,Somebody or other\n"
    lines = ["email,name\n", *[line.format(n) for n in range(size // len(line.format(0)))]]
    csrf_token = admin.token()
    cookies = [
        admin.client.get_cookie(name, "status.example.com", "/")
        for name in (admin.client.application.config["SESSION_COOKIE_NAME"], "__Host-admin_sign_in")
    ]
    form = EnvironBuilder(
        method="POST",
        data={"csrf_token": csrf_token, "file": (BytesIO("".join(lines).encode()), "list.csv")},
    )
    environ = form.get_environ()
    headers = {
        **OWN_FORM,
        "Host": "status.example.com",
        "Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies if cookie),
        "Content-Type": environ["CONTENT_TYPE"],
        "Content-Length": environ["CONTENT_LENGTH"],
    }
    body = environ["wsgi.input"].read()
    return Client("POST", "/admin/customers/import", headers, body)


def test_a_large_file_of_whoever_is_signed_in_comes_in(app: Flask, admin: Browser) -> None:
    client = customers_file(admin, 300_000)
    assert client.ask(app) == 200
    assert client.read > 4 * body_limits.STRANGERS
    assert b"list.csv" in client.body


def test_the_same_file_of_a_stranger_is_refused_before_any_of_it_is_read(
    app: Flask, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MOST_LINGERING_BYTES", 0)
    client = customers_file(admin, 300_000)
    del client.headers["cookie"]
    assert (client.ask(app), client.read) == (413, 0)


def test_too_many_that_wait_are_asked_to_come_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MOST_WAITING", 0)
    client = Client("GET", "/admin/login", {})
    assert (client.ask(app), client.answered["retry-after"]) == (503, "5")
    assert Client("GET", "/healthz", {}).ask(app) == 200


def test_bodies_beyond_what_memory_may_hold_are_asked_to_come_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MOST_HELD_BYTES", PIECE)
    body = b"a" * 2 * PIECE
    client = Client("POST", "/subscribe", {"Content-Length": str(len(body))}, body)
    assert client.ask(app) == 503
