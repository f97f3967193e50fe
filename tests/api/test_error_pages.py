from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from statuspage.access import sign_ins
from statuspage.admin import body_limits
from statuspage.api import error_pages
from statuspage.core.config import load_settings
from statuspage.core.db import db
from statuspage.runtime.application import create_app
from tests.apps import PUBLIC_URL, Apps
from tests.browsing import OWN_FORM, Browser
from tests.databases import SqliteTemplate


@pytest.fixture(scope="module")
def broken(
    sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """An app of its own with views that fail, each in its own way."""
    folder = tmp_path_factory.mktemp("broken")
    url = sqlite_template.copy_to(folder).url
    app = Apps().get({"DATABASE_URL": url, "DATA_DIR": str(folder), "PUBLIC_URL": PUBLIC_URL})

    @app.get("/fails/<int:code>")
    def fails(code: int) -> str:
        abort(code)

    @app.get("/crashes")
    @app.get("/admin/crashes")
    @app.get("/api/v2/crashes")
    def crashes() -> str:
        raise ZeroDivisionError("internal detail")

    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


def test_an_unknown_address_is_a_page_in_the_product_s_look(client: FlaskClient) -> None:
    answer = client.get("/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "<h1" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("code", [400, 403, 404, 405, 410, 413, 415, 429, 500, 503])
def test_every_status_stays_what_it_is(broken: FlaskClient, code: int) -> None:
    answer = broken.get(f"/fails/{code}")
    assert (answer.status_code, answer.mimetype) == (code, "text/html")


@pytest.mark.parametrize("path", ["/api/v2/nothing", "/nothing.json", "/hooks/nothing"])
def test_a_tool_is_answered_in_json(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    assert json.loads(answer.text) == {"error": "Not Found"}


def test_a_method_that_a_page_does_not_know_is_refused_with_those_it_does(
    admin: Browser,
) -> None:
    answer = admin.get("/admin/logout")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert "<h1>Not possible here</h1>" in answer.text


def test_a_crash_tells_nothing_of_the_inside_and_is_logged(
    broken: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/crashes", "/admin/crashes", "/api/v2/crashes"):
        answer = broken.get(path)
        assert answer.status_code == 500
        assert "internal detail" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", {}, Exception("connection refused")),
        InterfaceError("SELECT 1", {}, Exception("connection lost")),
        PoolTimeout("no connection was free"),
    ],
)
def test_a_database_that_is_away_is_told_as_that(
    admin: Browser, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(sign_ins, "find_sign_in", fail)
    answer = admin.get("/admin/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "<h1>The database cannot be reached</h1>" in answer.text
    assert "SELECT" not in answer.text


def test_a_database_that_nobody_answers_for_is_told_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(
        {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "DATA_DIR": str(tmp_path)}
    )
    with caplog.at_level(logging.ERROR):
        answer = create_app(settings).test_client().get("/admin/login")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "the database could not be used" in caplog.records[0].getMessage()


def test_what_was_typed_is_shown_again_where_the_database_went_away(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "csrf_token": "secret-token",
        "name": "Robin </textarea><b>",
        "present": "old password",
        "new": "new password",
        "seen": "0123456789abcdef",
    }

    def fail(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(sign_ins, "find_sign_in", fail)
    answer = admin.client.post("/admin/contacts/new", data=values, headers=OWN_FORM)
    assert answer.status_code == 503
    assert "Robin &lt;/textarea&gt;&lt;b&gt;" in answer.text
    for hidden in ("secret-token", "old password", "new password", "0123456789abcdef"):
        assert hidden not in answer.text


def test_what_another_site_typed_is_not_shown(stranger: Browser) -> None:
    answer = stranger.client.post(
        "/admin/contacts/new",
        data={"name": "Call this number"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert (answer.status_code, "Call this number" in answer.text) == (401, False)


def test_who_lost_their_sign_in_keeps_what_they_typed(stranger: Browser) -> None:
    answer = stranger.client.post("/admin/contacts/new", data={"name": "Robin"}, headers=OWN_FORM)
    assert answer.status_code == 401
    assert "<h1>Please sign in</h1>" in answer.text
    assert "Robin</textarea>" in answer.text


def test_a_form_without_its_token_says_so_and_keeps_what_was_typed(admin: Browser) -> None:
    answer = admin.client.post("/admin/contacts/new", data={"name": "Robin"}, headers=OWN_FORM)
    assert answer.status_code == 400
    assert "<h1>This form was too old to be accepted</h1>" in answer.text
    assert "Robin</textarea>" in answer.text


def test_a_stranger_does_not_make_the_server_compile_its_error_page(app: Flask) -> None:
    error_pages.compile_pages(app)
    compiled = len(app.jinja_env.cache or ())
    fields = "a&" * body_limits.MOST_FIELDS
    form = "application/x-www-form-urlencoded"
    answer = app.test_client().post("/admin/login", data=fields, content_type=form)
    assert (answer.status_code, len(app.jinja_env.cache or ())) == (413, compiled)
