"""Thousands of invented requests against the whole: the layer in front and Flask behind it."""

from __future__ import annotations

import random
import string
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import EnvironBuilder, run_wsgi_app

from statuspage.core.db import writing
from statuspage.core.enums import Visibility
from statuspage.models.revision import bump
from tests.factories import make_component, make_incident, make_maintenance, make_page

REQUESTS = 3_000

PUBLIC = [
    "/", "/history", "/history/2026-03", "/history/2026-03/2", "/incidents/payments0000",
    "/incidents/payments0000/updates.atom", "/components/checkout0000/updates.json",
    "/components/checkout0000/history.rss", "/components/checkout0000/badge.svg", "/badge.svg",
    "/history.rss", "/history.atom", "/updates.rss", "/updates.json", "/maintenances.ics",
    "/api/v2/summary.json", "/api/v2/incidents/unresolved.json", "/api/openapi.json",
    "/api/v2/incidents/payments0000.json", "/robots.txt", "/sitemap.xml", "/healthz",
]  # fmt: skip
OTHERS = [
    "/admin/", "/admin/login", "/admin/incidents/payments0000", "/hooks/sendgrid", "/subscribe",
    "/subscriptions/1-abc", "/unsubscribe/1-abc", "/static/page.css", "/api/v1/customers",
]  # fmt: skip
METHODS = ["GET"] * 12 + ["HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW"]
LETTERS = string.printable + "éß€\u202e\x00\x7f%%%%///...---;;"
PIECES = [
    "%00", "%2e%2e%2f", "../", "//", "%ff", "%c0%af", "{{7*7}}", "<script>", "'--", "\r\nX: y",
    "9" * 400, "🙈", "2026-13", "0000-00", "-1", "1e9", "NaN", "a" * 5000,
]  # fmt: skip
VALUES = [
    "", "*", ",", ";q=", '"', 'W/"', '"abc"', "bytes=0-1", "bytes=9-1,-0,a", "gzip;q=2",
    "br;q=0, *;q=0", "text/html;q=x", "*/*;;;", "Wed, 99 Foo 2026 99:99:99 GMT", "0", "null",
    "\x7f\x80\xff", "a" * 10_000, "for=1.2.3.4;host=evil", "evil.example.com", "application/json",
]  # fmt: skip
HEADERS = [
    "If-None-Match", "If-Modified-Since", "If-Match", "If-Range", "Range", "Accept",
    "Accept-Encoding", "Accept-Language", "Cookie", "X-Forwarded-For", "X-Forwarded-Host",
    "Forwarded", "Content-Type", "Content-Length", "Authorization", "Origin", "Referer",
    "Sec-Fetch-Site", "Transfer-Encoding", "User-Agent", "X-HTTP-Method-Override",
]  # fmt: skip


@pytest.fixture
def site(app: Flask) -> Flask:
    """A page with an incident of each kind, one of them internal."""

    def write(session: Session) -> None:
        make_page(session)
        checkout = make_component(session, code="checkout0000")
        make_incident(session, code="payments0000", components=[checkout])
        make_incident(session, "zebra", code="zebra0000000", visibility=Visibility.INTERNAL)
        make_maintenance(session)

    with app.app_context(), writing() as session:
        write(session)
        bump(session)
    return app


def test_thousands_of_invented_requests_find_no_fault(site: Flask) -> None:
    dice = random.Random(20260304)
    answered: Counter[int] = Counter()
    faults = []
    for _ in range(REQUESTS):
        environ = invent(dice)
        body, status, _ = run_wsgi_app(site.wsgi_app, environ, buffered=True)
        code = int(status[:3])
        answered[code] += 1
        if code >= 500 or b"zebra" in b"".join(body):
            faults.append((status, environ["REQUEST_METHOD"], environ["PATH_INFO"]))
    assert faults == []
    # It was no test of one answer alone.
    assert {200, 204, 400, 404, 405} <= set(answered)
    assert answered[200] > REQUESTS / 5


def invent(dice: random.Random) -> dict[str, object]:
    """A request as no client would send it, or nearly as one would."""
    path = dice.choice(PUBLIC if dice.random() < 0.8 else OTHERS)
    if dice.random() < 0.5:
        path = bend(dice, path)
    method = dice.choice(METHODS)
    environ = EnvironBuilder(
        path="/",
        base_url="https://status.example.com",
        method=method,
        data=some(dice).encode() if method in {"POST", "PUT", "PATCH"} else None,
    ).get_environ()
    # As a server hands them over, whatever they are: bytes in the guise of Latin-1.
    environ["PATH_INFO"] = path.encode().decode("latin-1")
    environ["QUERY_STRING"] = some(dice).encode().decode("latin-1") if dice.random() < 0.3 else ""
    for name in dice.sample(HEADERS, dice.choice((0, 0, 1, 2, 4))):
        key = name.upper().replace("-", "_")
        environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = dice.choice(VALUES)
    if dice.random() < 0.02:
        environ["HTTP_HOST"] = dice.choice(VALUES)
    return environ


def bend(dice: random.Random, path: str) -> str:
    cut = dice.randint(1, len(path))
    middle = dice.choice(PIECES) if dice.random() < 0.5 else some(dice)[:12]
    return path[:cut] + middle + (path[cut:] if dice.random() < 0.5 else "")


def some(dice: random.Random) -> str:
    return "".join(dice.choices(LETTERS, k=dice.randint(0, 30)))


# What a client invents about formats, parts and what it has already.

MALFORMED = [
    {"If-None-Match": value}
    for value in ('"', 'W/', '"a', "abc", ",,,", '"a""b"', "*x", "\x00", "W/*", '"' * 5000)
] + [
    {"Range": value}
    for value in ("bytes=0-0", "bytes=5-1", "bytes=", "chars=1-2", "bytes=-1,-2", "0-5")
] + [
    {"Accept": value} for value in ("", "image/png", "text/html;q=0", ";;", "*/*;q=5", "a" * 9000)
]  # fmt: skip
ANY_KIND = [
    "/", "/updates.atom", "/api/v2/summary.json", "/maintenances.ics", "/badge.svg",
    "/incidents/payments0000/updates.rss", "/components/checkout0000/history.atom",
]  # fmt: skip


@pytest.mark.parametrize("path", ANY_KIND)
def test_malformed_headers_change_nothing(site: Flask, path: str) -> None:
    client = site.test_client()
    plain = client.get(path)
    assert plain.status_code == 200
    for headers in MALFORMED:
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.data) == (200, plain.data), headers
        assert dict(answer.headers) == dict(plain.headers)


@pytest.mark.parametrize("path", ["/incidents/nothing00000", "/history/1999-13", "/nowhere"])
def test_what_is_not_there_is_a_page_for_people(site: Flask, path: str) -> None:
    answer = site.test_client().get(path)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "Page not found" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/api/v2/nothing.json", "/api/v2/incidents/nothing00000.json", "/api/nothing", "/no.json"],
)
def test_what_is_not_there_is_json_for_tools(site: Flask, path: str) -> None:
    answer = site.test_client().get(path)
    assert (answer.status_code, answer.json) == (404, {"error": "Not Found"})
