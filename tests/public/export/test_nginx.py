"""A real nginx with the configuration of the documentation serves what the service itself does."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.models.revision import bump
from statuspage.public.export import sync, targets
from statuspage.runtime.application import create_app
from tests.apps import Client
from tests.databases import SqliteTemplate
from tests.editions import own_documents, serve_at_once
from tests.factories import LINKS, make_component, make_incident, make_page
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
HTTP = """
daemon off;
worker_processes 1;
{user}pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    include {folder}/site.conf;
}}
"""
ON_DEMAND = {
    "/incidents/payments0000/updates.atom", "/incidents/payments0000/updates.json",
    "/components/checkout0000", "/components/checkout0000/updates.json",
    "/components/checkout0000/history.rss", "/de/components/checkout0000", "/pt-br/",
    "/ja/history/2026-03", "/ar/incidents/payments0000",
}  # fmt: skip
# The service answers these itself.
PASSED_ON = {"/subscribe", "/subscribe/sent"}
LOGO = b"\x89PNG\r\n\x1a\n"
SAME = (
    "Content-Type", "Cache-Control", "Last-Modified", "Access-Control-Allow-Origin",
    "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy",
)  # fmt: skip


@pytest.fixture(scope="module")
def app(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("service")
    sqlite_template.copy_to(folder)
    made = create_app(load_settings({"DATA_DIR": str(folder), "PUBLIC_URL": LINKS.base}))
    made.test_client_class = Client
    with made.app_context(), writing() as session:
        make_page(session, look={"css": "p { margin: 0 }", "logo": b64encode(LOGO).decode()})
        checkout = make_component(session, code="checkout0000")
        make_incident(session, code="payments0000", components=[checkout])
        bump(session)
    serve_at_once(made)
    return made


class Desk(BaseHTTPRequestHandler):
    """What answers behind nginx: with headers of its own, and what was asked for."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = f"{self.command} {self.path} for {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'self'")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def desk() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def nginx(app: Flask, desk: HTTPServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx that serves the exported site."""
    folder = tmp_path_factory.mktemp("nginx")
    # nginx gives its rights up and must still get there.
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(0o755)
    with app.app_context():
        target = targets.open_target(str(folder / "site"))
        sync.export_site(target, db.engine, LINKS, progress=lambda done, total: None)
        db.engine.dispose()
    port = free_port()
    text = (ROOT / "docs" / "nginx.conf").read_text()
    text = text.replace("127.0.0.1:8000;", f"127.0.0.1:{desk.server_port};")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    text = text.replace("root /srv/status;", f"root {folder}/site;")
    (folder / "site.conf").write_text(text)
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(HTTP.format(folder=folder, user=user))
    environ = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, env=environ)
    yield wait_for(f"http://127.0.0.1:{port}", process)
    process.terminate()
    process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return url


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_every_address_has_the_bytes_and_headers_of_the_service(
    nginx: str, app: Flask, client: FlaskClient
) -> None:
    edition = app.extensions["refresher"].edition()
    addresses = (own_documents(edition).keys() | ON_DEMAND) - PASSED_ON
    kinds = {address.rpartition("/")[2].rpartition(".")[2] for address in addresses}
    assert kinds >= {"", "rss", "atom", "json", "ics", "svg", "png", "js", "css", "txt", "xml"}
    ours = {address: told(client.get(address)) for address in addresses}
    theirs = {address: told(requests.get(nginx + address, timeout=10)) for address in addresses}
    assert {address: told for address, told in theirs.items() if told != ours[address]} == {}


def told(answer: TestResponse | requests.Response) -> tuple[object, ...]:
    """Status, bytes and the headers in which the two have to agree."""
    body = answer.content if isinstance(answer, requests.Response) else answer.data
    return answer.status_code, body, *(answer.headers.get(name) for name in SAME)


@pytest.mark.parametrize(
    "address",
    ["/search?q=a", "/de/search?q=a", "/pt-br/subscribe", "/ar/unsubscribe/1-a", "/admin/login",
     "/ja/subscriptions/1-a", "/hooks/sendgrid", "/mcp", "/api/v1/customers.json"],
)  # fmt: skip
def test_what_needs_the_service_is_passed_on_in_every_language(nginx: str, address: str) -> None:
    for method in ("GET", "POST"):
        answer = requests.request(method, nginx + address, data=b"a" * 2_000_000, timeout=10)
        assert answer.text == f"{method} {address} for 127.0.0.1"
        # The desk's own, and not those of files.
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"] == "default-src 'self'"
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_style_is_kept_for_ever(nginx: str) -> None:
    page = requests.get(nginx + "/", timeout=10).text
    style = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    answer = requests.get(nginx + style, timeout=10)
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_it_is_sent_compressed_and_known_when_asked_again(nginx: str) -> None:
    first = requests.get(nginx + "/", headers={"Accept-Encoding": "gzip"}, timeout=10)
    assert (first.headers["Content-Encoding"], first.headers["Vary"]) == ("gzip", "Accept-Encoding")
    again = requests.get(nginx, headers={"If-None-Match": first.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("address", ["/nothing", "/incidents/nothing00000", "/.statuspage"])
def test_what_is_not_there_is_told_in_the_pages_look(nginx: str, address: str) -> None:
    answer = requests.get(nginx + address, timeout=10)
    assert (answer.status_code, "Page not found" in answer.text) == (404, True)


def test_what_is_not_there_is_told_to_tools_in_json(nginx: str) -> None:
    for address in (
        "/api/v2/incidents/nothing00000.json",
        "/incidents/no/updates.json",
        "/no.json",
    ):
        answer = requests.get(nginx + address, timeout=10)
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_it_can_only_be_read(nginx: str) -> None:
    assert requests.post(nginx + "/", data={"a": "b"}, timeout=10).status_code == 405
