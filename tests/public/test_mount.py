"""A path in PUBLIC_URL: the service below another site's address, behind both kinds of proxy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from statuspage.core.config import load_settings
from statuspage.core.db import writing
from statuspage.public import on_demand_views
from statuspage.runtime.application import create_app
from tests.browsing import KIM, PASSWORD, fields, make_account
from tests.databases import SqliteTemplate
from tests.factories import make_page

pytestmark = pytest.mark.only_on("sqlite")

BASE = "https://example.com"
# What a proxy passes on of /status/…: all of it, or what stands after the prefix.
KEPT, STRIPPED = "/status", ""


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: SqliteTemplate
) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("mounted")
    environ = {
        "DATABASE_URL": sqlite_template.copy_to(folder).url,
        "DATA_DIR": str(folder),
        "PUBLIC_URL": f"{BASE}/status",
        "SECRET_KEY": "a key for tests, never for anything else",
    }
    app = create_app(load_settings(environ))
    on_demand_views.install(app)
    with app.app_context(), writing() as session:
        make_page(session)
        session.add(make_account())
    yield app
    app.extensions["refresher"].stop()


class Proxied:
    """A browser behind a proxy: it asks for addresses below /status, the service sees ``sent``."""

    def __init__(self, client: FlaskClient, sent: str) -> None:
        self._client = client
        self._sent = sent
        self._jar: dict[str, tuple[str, str]] = {}

    def open(self, path: str, **options: object) -> tuple[int, str, str]:
        """Status, place led to, and text of what is at a path of the outer site."""
        assert path.startswith("/status/")
        cookies = "; ".join(
            f"{name}={value}" for name, (value, at) in self._jar.items() if path.startswith(at)
        )
        answer = self._client.open(
            self._sent + path.removeprefix("/status"),
            base_url=BASE,
            headers={"Cookie": cookies, "Sec-Fetch-Site": "same-origin"},
            **options,  # type: ignore[arg-type]
        )
        for line in answer.headers.getlist("Set-Cookie"):
            name, value = line.partition(";")[0].split("=", 1)
            at = re.search(r"Path=([^;]+)", line)
            assert at is not None
            self._jar[name] = value, at[1]
        return answer.status_code, answer.headers.get("Location", ""), answer.text


@pytest.mark.parametrize("sent", [KEPT, STRIPPED])
def test_the_admin_can_be_signed_in_to_and_used(app: Flask, sent: str) -> None:
    browser = Proxied(app.test_client(use_cookies=False), sent)
    status, place, _ = browser.open("/status/admin/")
    assert (status, place) == (303, "/status/admin/login?next=/admin/")
    _, _, page = browser.open(place)
    form = {**fields(page), "email": KIM, "password": PASSWORD}
    status, place, _ = browser.open("/status/admin/login", method="POST", data=form)
    assert (status, place) == (303, "/status/admin/")
    status, _, page = browser.open(place)
    assert status == 200
    addresses = set(re.findall(r'(?:href|src|action)="(/[^"]*)"', page))
    assert len(addresses) > 20
    assert {address for address in addresses if not address.startswith("/status/")} == set()
    statuses = {address: browser.open(address)[0] for address in sorted(addresses)}
    # Who is signed in already is led on from the sign-in.
    assert statuses.pop("/status/admin/login") == 302
    assert browser.open("/status/admin/login")[1] == "/status/admin/"
    assert {place: status for place, status in statuses.items() if status not in {200, 405}} == {}


@pytest.mark.parametrize("sent", [KEPT, STRIPPED])
@pytest.mark.parametrize("path", ["/", "/history", "/history.atom", "/subscribe", "/healthz"])
def test_public_addresses_answer(app: Flask, sent: str, path: str) -> None:
    assert app.test_client().get(sent + path, base_url=BASE).status_code == 200


def test_the_path_alone_leads_to_the_page(app: Flask) -> None:
    answer = app.test_client().get("/status", base_url=BASE)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/status/")


def test_a_path_that_only_begins_alike_is_another(app: Flask) -> None:
    assert app.test_client().get("/statuses/", base_url=BASE).status_code == 404
