"""Components follow those of providers: what has trouble there is suggested here, once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.access.alarms import open_alarms
from statuspage.configuration import components
from statuspage.core import fetching
from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus, SuggestionState
from statuspage.core.errors import Invalid
from statuspage.intake import provider_pages as providers
from statuspage.models import Component, ProviderPage, Suggestion
from tests.announcing import ACTOR
from tests.factories import NOON, make_component, make_page


class Provider:
    """A page elsewhere, as this test has it speak."""

    def __init__(self) -> None:
        self.states = {"api": "operational", "cdn": "operational"}
        self.incidents: list[dict[str, Any]] = []
        self.body: bytes | None = None
        self.asked: list[tuple[str, str | None]] = []
        self.answers: list[int] = []

    def summary(self) -> bytes:
        if self.body is not None:
            return self.body
        rows = [
            {"id": code, "name": code.upper(), "status": state, "group": False}
            for code, state in self.states.items()
        ]
        group = {"id": "g", "name": "Group", "status": "major_outage", "group": True}
        page = {"name": "Provider", "id": "p"}
        return json.dumps(
            {"page": page, "components": [*rows, group], "incidents": self.incidents}
        ).encode()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[Provider]]]:
    playing: list[Provider] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider, asked_by = playing[-1], self.headers.get("If-None-Match")
            body = provider.summary()
            etag = f'"{hash(body)}"'
            status = 304 if asked_by == etag else 200
            provider.asked.append((self.path, asked_by))
            provider.answers.append(status)
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body) if status == 200 else 0))
            self.end_headers()
            if status == 200:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", playing
        running.shutdown()


@pytest.fixture
def provider(
    server: tuple[str, list[Provider]], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Provider]:
    monkeypatch.setattr(fetching, "is_public", lambda _: True)
    url, playing = server
    playing.append(Provider())
    return url, playing[-1]


@pytest.fixture
def component(app: Flask, time_machine: Traveller) -> Iterator[Component]:
    time_machine.move_to(NOON, tick=False)
    with app.app_context():
        session = current_session()
        make_page(session)
        made = make_component(session, "Payments")
        session.commit()
        yield made


def follow(component: Component, url: str, code: str = "api") -> None:
    providers.follow(component.id, url, code, providers.look(url), actor=ACTOR)


def suggested() -> list[tuple[str, SuggestionState, int]]:
    current_session().rollback()
    rows = current_session().scalars(select(Suggestion).order_by(Suggestion.id))
    return [(one.title, one.state, one.firing) for one in rows]


def test_a_page_is_read_where_statuspage_serves_it(provider: tuple[str, Provider]) -> None:
    url, page = provider
    page.states["cdn"] = "partial_outage"
    summary = providers.look(url)
    assert page.asked == [("/api/v2/summary.json", None)]
    assert summary.name == "Provider"
    assert [(one.code, one.name, one.status) for one in summary.components] == [
        ("api", "API", ComponentStatus.OPERATIONAL),
        ("cdn", "CDN", ComponentStatus.PARTIAL_OUTAGE),
    ]


def test_trouble_of_theirs_is_suggested_once_and_ends(
    provider: tuple[str, Provider], component: Component
) -> None:
    url, page = provider
    follow(component, url)
    assert (providers.read_due(), suggested()) == (0, [])
    page.states["api"] = "major_outage"
    update = {"body": "We are investigating."}
    page.incidents = [
        {"name": "API down", "incident_updates": [update], "components": [{"id": "api"}]}
    ]
    assert (providers.read_due(), providers.read_due()) == (1, 0)
    assert suggested() == [("Provider: API: Major outage", SuggestionState.OPEN, 1)]
    found = current_session().scalars(select(Suggestion)).one()
    assert (found.component_id, found.url, found.received) == (component.id, url, 1)
    assert found.text == "API down\n\nWe are investigating."
    page.states["api"] = "under_maintenance"
    assert providers.read_due() == 1
    assert suggested() == [("Provider: API: Major outage", SuggestionState.OVER, 0)]


def test_only_the_component_that_is_followed_counts(
    provider: tuple[str, Provider], component: Component
) -> None:
    url, page = provider
    follow(component, url)
    page.states["cdn"] = "major_outage"
    assert (providers.read_due(), suggested()) == (0, [])


def test_an_unchanged_page_is_asked_for_but_not_sent(
    provider: tuple[str, Provider], component: Component
) -> None:
    url, page = provider
    follow(component, url)
    for _ in range(3):
        providers.read_due()
    assert page.answers == [200, 200, 304, 304]


def test_a_state_that_is_unknown_is_trouble(
    provider: tuple[str, Provider], component: Component
) -> None:
    url, page = provider
    follow(component, url)
    page.states["api"] = "on_fire"
    providers.read_due()
    assert suggested() == [("Provider: API: Degraded performance", SuggestionState.OPEN, 1)]


def test_following_another_or_nothing_ends_what_was_suggested(
    provider: tuple[str, Provider], component: Component
) -> None:
    url, page = provider
    page.states["api"] = "major_outage"
    follow(component, url)
    providers.read_due()
    follow(component, url, "cdn")
    assert [state for _, state, _ in suggested()] == [SuggestionState.OVER]
    page.states["cdn"] = "partial_outage"
    providers.read_due()
    providers.unfollow(component.id, actor=ACTOR)
    assert [state for _, state, _ in suggested()] == [SuggestionState.OVER] * 2
    assert current_session().scalars(select(ProviderPage)).all() == []


@pytest.mark.parametrize("goes", ["theirs", "ours"])
def test_a_component_that_is_gone_has_no_trouble(
    provider: tuple[str, Provider], component: Component, goes: str
) -> None:
    url, page = provider
    page.states["api"] = "major_outage"
    follow(component, url)
    providers.read_due()
    if goes == "theirs":
        del page.states["api"]
    else:
        components.remove_component(component.id, actor=ACTOR)
    providers.read_due()
    assert [state for _, state, _ in suggested()] == [SuggestionState.OVER]


def test_a_page_that_is_silent_for_an_hour_raises_an_alarm_until_it_speaks(
    provider: tuple[str, Provider], component: Component, time_machine: Traveller
) -> None:
    url, page = provider
    follow(component, url)
    page.body = b"<h1>Bad gateway</h1>"
    providers.read_due()
    failure = current_session().scalars(select(ProviderPage.failure)).one()
    assert failure == "it is no page that speaks Statuspage’s JSON"
    assert open_alarms(current_session()) == []
    time_machine.move_to(NOON + timedelta(hours=1, seconds=1), tick=False)
    providers.read_due()
    current_session().rollback()
    (alarm,) = open_alarms(current_session())
    assert (alarm.key, url in alarm.text) == (providers.ALARM, True)
    page.body = None
    providers.read_due()
    current_session().rollback()
    assert open_alarms(current_session()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"{}", b"null", b'{"page": {"name": "x"}}', b'{"components": [1]}',
        b'{"page": {"name": "x"}, "components": [{"id": 1}]}', b"[" * 50_000, b"\xff",
        b'{"page": {"name": "x"}, "components": [], "incidents": [{"name": "a", '
        b'"components": [{}]}]}',
    ],
)  # fmt: skip
def test_what_is_no_such_page_is_refused(provider: tuple[str, Provider], body: bytes) -> None:
    url, page = provider
    page.body = body
    with pytest.raises(Invalid, match="no page that speaks"):
        providers.look(url)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("status.example.com", "https://status.example.com"),
        (" https://Status.Example.com/history?x=1 ", "https://status.example.com"),
    ],
)
def test_an_address_is_kept_without_its_path(typed: str, kept: str) -> None:
    assert providers.read_url(typed) == kept


@pytest.mark.parametrize("typed", ["", "ftp://x.example", "https://user@x.example", "https://"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="Enter the address"):
        providers.read_url(typed)


def test_a_private_address_is_refused() -> None:
    with pytest.raises(Invalid, match="private network"):
        providers.look("http://127.0.0.1:1")


def test_a_component_that_they_do_not_have_is_refused(
    provider: tuple[str, Provider], component: Component
) -> None:
    url, _ = provider
    with pytest.raises(Invalid, match="Choose one of their components"):
        follow(component, url, "g")
