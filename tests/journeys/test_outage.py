"""The database stops, a web server that was killed starts: readers see the last edition.

Two hosts serve one PostgreSQL, each with a data folder of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import feedparser
import pytest
import requests
from flask import Flask

from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.models.revision import bump
from statuspage.public.edition import Edition, load
from statuspage.runtime.application import create_app
from tests.chaos.processes import WebProcess
from tests.databases import PostgresServer
from tests.factories import make_component, make_incident, make_maintenance, make_page
from tests.ports import free_port
from tests.waiting import eventually

SECRET = "one key for both hosts, never for anything else"
PAGES = ("/", "/history", "/incidents/payments0000")
# Of these nobody asks the second host before the database is away.
UNREAD = ("/components/checkout0000", "/de/", "/ja/history", "/ar/components/checkout0000")
REST = (
    "/updates.atom", "/updates.rss", "/updates.json", "/history.atom", "/history.rss",
    "/maintenances.ics", "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json",
    "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
    "/api/v2/incidents/payments0000.json", "/api/v2/scheduled-maintenances.json",
    "/robots.txt", "/sitemap.xml",
)  # fmt: skip
ON_DEMAND = ("/incidents/payments0000/updates.atom", "/components/checkout0000/history.rss")
BADGES = ("/badge.svg", "/components/checkout0000/badge.svg")


class Host:
    """One web server with its own data folder, on the shared database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self._port = free_port()
        self._database_url = database_url
        self.start()

    def start(self) -> None:
        environ = {
            "PORT": str(self._port),
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": self._database_url,
            "PUBLIC_URL": "https://status.example.com",
            "SECRET_KEY": SECRET,
        }
        self._web = WebProcess(environ, log=self.folder.with_suffix(".log"))

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self._port}{path}", headers=headers, timeout=30)

    def kill(self) -> None:
        """All its processes at once, as when the machine loses power."""
        self._web.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, for it to stop."""
    running = PostgresServer()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outage")


@pytest.fixture(scope="module")
def desk(server: PostgresServer, folder: Path) -> Iterator[Flask]:
    app = create_app(
        load_settings(
            {"DATABASE_URL": server.url, "DATA_DIR": str(folder / "desk"), "SECRET_KEY": SECRET}
        )
    )
    with app.app_context():
        with writing() as session:
            make_page(session)
            checkout = make_component(session, code="checkout0000")
            make_incident(session, "Payments fail", code="payments0000", components=[checkout])
            make_maintenance(session)
            bump(session)
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def hosts(server: PostgresServer, desk: Flask, folder: Path) -> Iterator[tuple[Host, Host]]:
    with ExitStack() as ending:
        made = []
        for name in ("one", "two"):
            made.append(Host(folder / name, server.url))
            ending.callback(made[-1].kill)
        # Until its first edition a host has nothing to show, and says so.
        for host in made:
            eventually(lambda host=host: host.get("/").status_code == 200)
        yield made[0], made[1]


def test_while_the_database_is_away_readers_see_the_last_edition_marked(
    hosts: tuple[Host, Host], server: PostgresServer
) -> None:
    one, two = hosts
    # Two hosts agree, to the byte and the validator.
    for path in (*PAGES, *REST, *ON_DEMAND, *BADGES):
        answers = [host.get(path) for host in hosts]
        assert [answer.status_code for answer in answers] == [200, 200], path
        assert answers[0].content == answers[1].content
        for name in ("ETag", "Last-Modified", "Cache-Control", "Content-Type"):
            assert answers[0].headers[name] == answers[1].headers[name]
    before = {path: one.get(path).content for path in (*PAGES, *REST, *BADGES)}
    eventually(lambda: is_whole(load(two.folder / "edition")))

    server.halt()
    two.kill()
    two.start()
    for host in hosts:
        eventually(lambda host=host: "Not confirmed" in host.get("/").text)
        for path in (*PAGES, *UNREAD):
            answer = host.get(path)
            assert (answer.status_code, 'id="unconfirmed"' in answer.text) == (200, True), path
            assert "<time datetime=" in answer.text.partition('id="unconfirmed"')[2]
        assert host.get("/components/checkout0000/updates.atom").status_code == 200
        for path in REST:
            answer = host.get(path)
            assert (answer.status_code, answer.content) == (200, before[path])
            assert host.get(path, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
        for path in BADGES:
            assert "Not confirmed" in host.get(path).text
        assert host.get("/incidents/unknown00000").status_code == 503
        assert host.get("/healthz").status_code == 200

    server.resume()
    for host in hosts:
        eventually(lambda host=host: host.get("/").content == before["/"])
        assert host.get("/badge.svg").content == before["/badge.svg"]
        assert host.get("/incidents/unknown00000").status_code == 404


def test_a_reader_that_has_seen_everything_finds_one_entry_after_one_post(
    hosts: tuple[Host, Host], desk: Flask
) -> None:
    one, two = hosts
    feeds = ("/updates.atom", "/updates.rss", "/history.atom", "/history.rss")
    seen = {path: ids(one.get(path)) for path in feeds}
    # A reader that comes again, to either host, finds nothing.
    for path in feeds:
        etag = one.get(path).headers["ETag"]
        assert two.get(path, **{"If-None-Match": etag}).status_code == 304

    with writing() as session:
        make_incident(session, "Search is slow", code="search000000")
        bump(session)
    for host in hosts:
        eventually(lambda host=host: "Search is slow" in host.get("/").text)
        for path in feeds:
            assert len(ids(host.get(path)) - seen[path]) == 1
            assert seen[path] <= ids(host.get(path))
    again = {path: ids(one.get(path)) for path in feeds}
    assert {path: ids(two.get(path)) for path in feeds} == again


def is_whole(kept: Edition | None) -> bool:
    return bool(kept and kept.views and kept.views.components)


def ids(answer: requests.Response) -> set[str]:
    assert answer.status_code == 200
    return {entry.id for entry in feedparser.parse(answer.content).entries}
