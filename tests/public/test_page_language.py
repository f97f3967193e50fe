"""Which language an address is answered in: its own, whatever the browser asks for."""

from datetime import datetime
from typing import Any

import lxml.html
import pytest
from flask import Flask
from flask.testing import FlaskClient

from statuspage.core.db import writing
from statuspage.models import Page
from statuspage.models.revision import bump
from tests.editions import AtOnce
from tests.factories import NOON, make_component, make_incident, make_page

OLD = "old000000000"
CHECKOUT = "checkout0000"
TO_READ = [
    "/", "/history", "/history/2025-02", f"/incidents/{OLD}", f"/components/{CHECKOUT}",
    "/subscribe", "/subscribe/sent",
]  # fmt: skip

pytestmark = pytest.mark.usefixtures("site", "frozen")


@pytest.fixture
def site(app: Flask) -> AtOnce:
    with app.app_context(), writing() as session:
        make_page(session)
        checkout = make_component(session, "Checkout", code=CHECKOUT)
        make_incident(
            session,
            "Long ago",
            code=OLD,
            updates=("investigating", "resolved"),
            started_at=datetime(2025, 2, 3, tzinfo=NOON.tzinfo),
            components=[checkout],
        )
        bump(session)
    found: AtOnce = app.extensions["refresher"]
    return found


def language_of(html: str) -> Any:
    return lxml.html.fromstring(html).get("lang")


@pytest.mark.parametrize("path", TO_READ)
def test_every_page_can_be_read_in_another_language(client: FlaskClient, path: str) -> None:
    own, other = client.get(path), client.get(f"/de{path}")
    assert (own.status_code, other.status_code) == (200, 200)
    assert (language_of(own.text), language_of(other.text)) == ("en", "de")
    named = {name: other.headers[name] for name in ("Cache-Control", "Vary", "Content-Type")}
    assert named == {name: own.headers[name] for name in named}
    again = client.get(f"/de{path}", headers={"If-None-Match": other.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/de/", f"/incidents/{OLD}", f"/de/incidents/{OLD}"])
def test_no_header_and_no_cookie_changes_the_bytes(client: FlaskClient, path: str) -> None:
    plain = client.get(path)
    asked = {"Accept-Language": "de, fr;q=0.5, en;q=0.1", "Cookie": "language=de; lang=fr"}
    assert client.get(path, headers=asked).data == plain.data
    assert "Set-Cookie" not in plain.headers
    assert plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/", f"/incidents/{OLD}", f"/components/{CHECKOUT}"])
def test_a_page_names_itself_in_every_language(client: FlaskClient, path: str) -> None:
    base = client.application.extensions["links"].base
    for prefix in ("", "/de"):
        root = lxml.html.fromstring(client.get(f"{prefix}{path}").text)
        [canonical] = root.cssselect("link[rel=canonical]")
        assert canonical.get("href") == f"{base}{prefix}{path}"
        alternates = {
            link.get("hreflang"): link.get("href")
            for link in root.cssselect("link[rel=alternate][hreflang]")
        }
        assert alternates["en"] == f"{base}{path}"
        assert alternates["de"] == f"{base}/de{path}"
        offered = {a.get("lang"): a.get("href") for a in root.cssselect("#languages a")}
        assert (offered["en"], offered["de"]) == (path, f"/de{path}")


def test_links_stay_in_the_language(client: FlaskClient) -> None:
    root = lxml.html.fromstring(client.get(f"/de/incidents/{OLD}").text)
    links = {a.get("href") for a in root.cssselect("a[href^='/']:not(#languages a)")}
    feeds = {link for link in links if "updates." in link}
    assert feeds == {f"/incidents/{OLD}/updates.{ending}" for ending in ("rss", "atom", "json")}
    assert {link for link in links - feeds if not link.startswith("/de/")} == set()


@pytest.mark.parametrize("path", ["/xx/", "/xx/history", "/DE/", "/de/history/never", "/de/x"])
def test_an_unknown_address_is_not_found_in_the_look_of_the_page(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert language_of(answer.text) == ("de" if path.startswith("/de/") else "en")
    assert "/static/page." in answer.text


@pytest.mark.parametrize(
    "path", ["/de/updates.atom", "/de/api/v2/status.json", "/de/admin/", "/de/static/page.css"]
)
def test_what_machines_read_has_no_languages(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [("/de", "/de/"), ("/en", "/"), ("/en/", "/"), (f"/en/incidents/{OLD}", f"/incidents/{OLD}")],
)
def test_each_page_has_one_address_in_a_language(
    client: FlaskClient, asked: str, led_to: str
) -> None:
    answer = client.get(asked)
    assert (answer.status_code, answer.headers["Location"]) == (302, led_to)
    assert client.get(led_to).status_code == 200


def test_the_page_may_change_its_language(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), writing() as session:
        session.get_one(Page, 1).language = "de"
        bump(session)
    assert language_of(client.get("/").text) == "de"
    assert client.get("/de/history").headers["Location"] == "/history"
    assert language_of(client.get(f"/en/incidents/{OLD}").text) == "en"
    assert language_of(client.get("/nothing").text) == "de"


def test_a_form_is_answered_in_its_language(client: FlaskClient) -> None:
    refused = client.post("/de/subscribe", data={"email": "nobody"})
    assert (refused.status_code, language_of(refused.text)) == (422, "de")
    assert "Geben Sie eine E-Mail-Adresse ein" in refused.text
    taken = client.post("/de/subscribe", data={"email": "sam@example.com", "kinds": "incidents"})
    assert (taken.status_code, taken.headers["Location"]) == (303, "/de/subscribe/sent")


def test_while_the_database_is_away_each_language_says_so(
    site: AtOnce, client: FlaskClient
) -> None:
    client.get(f"/de/incidents/{OLD}")
    site.stale_since = NOON
    for path in ("/de/", "/de/history", f"/de/incidents/{OLD}"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Seit <time" in answer.text
    missing = client.get("/de/incidents/never0000000")
    assert (missing.status_code, language_of(missing.text)) == (503, "de")
