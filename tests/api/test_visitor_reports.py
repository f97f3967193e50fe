"""The public form that reports a problem: only where it is on, without a cookie, never echoed."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.core.db import current_session, writing
from statuspage.models import Page, VisitorReport, revision
from tests.announcing import Scenario, set_up_scenario
from tests.htmlchecker import HtmlChecker


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


@pytest.fixture
def switched_on(app: Flask, scenario: Scenario) -> None:
    with app.app_context(), writing() as session:
        session.get_one(Page, 1).takes_reports = True
        revision.bump(session)


def kept(app: Flask) -> list[str]:
    with app.app_context():
        return list(current_session().scalars(select(VisitorReport.text)))


def send(client: FlaskClient, text: str, path: str = "/report", **values: str) -> TestResponse:
    return client.post(path, data={"text": text, **values})


def test_where_it_is_off_there_is_no_form_and_no_link(
    client: FlaskClient, app: Flask, scenario: Scenario
) -> None:
    assert "/report" not in client.get("/").text
    assert client.get("/report").status_code == 404
    assert (send(client, "It fails").status_code, kept(app)) == (404, [])


@pytest.mark.usefixtures("switched_on")
@pytest.mark.parametrize("before", ["", "/de", "/ar"])
def test_a_report_is_taken_in_any_language(
    client: FlaskClient, app: Flask, html_errors: HtmlChecker, before: str
) -> None:
    assert f'href="{before}/report"' in client.get(f"{before}/").text
    shown = client.get(f"{before}/report")
    assert (shown.status_code, html_errors(shown.text)) == (200, [])
    answer = send(client, "It fails", f"{before}/report")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{before}/report?sent")
    assert html_errors(client.get(answer.headers["Location"]).text) == []
    assert "Set-Cookie" not in answer.headers
    assert kept(app) == ["It fails"]


@pytest.mark.usefixtures("switched_on")
def test_what_cannot_be_taken_is_told_and_nothing_typed_is_lost(
    client: FlaskClient, app: Flask
) -> None:
    answer = send(client, " ", component="c0ffee000000")
    assert (answer.status_code, "Say what doesn’t work." in answer.text) == (422, True)
    answer = send(client, '"><script>', component="c0ffee000000")
    assert answer.status_code == 422
    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text
    foreign = client.post("/report", data={"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert send(client, "A machine", website="http://spam.example").status_code == 303
    assert send(client, "x" * 70_000).status_code == 413
    assert kept(app) == []


@pytest.mark.usefixtures("switched_on")
def test_a_client_that_reports_too_often_is_told_how_long_to_wait(client: FlaskClient) -> None:
    for _ in range(30):
        send(client, "It fails")
    answer = send(client, "It fails", "/fr/report")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3601")
    assert "Trop de signalements depuis votre réseau. Réessayez dans 1 heure." in answer.text
