"""The link that ends a mail: asking is harmless, acting is one press, and nobody else can do it."""

from __future__ import annotations

import lxml.html
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from statuspage.core.config import Settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Channel
from statuspage.core.links import delivery_token
from statuspage.models import Customer, Delivery, Suppression
from tests.announcing import declare, resolve, set_up_scenario
from tests.htmlchecker import HtmlChecker

SHOPPER = "shopper@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
FORGED = ("x", "1", "1-", "1-0123456789abcdef0123456789abcdef", "١-abc", "9" * 40 + "-a", "%00")


@pytest.fixture
def link(app: Flask, settings: Settings, frozen: time_machine.Traveller) -> str:
    """The path in the mail that the shopper got."""
    scenario = set_up_scenario(app, customers=0)
    with app.app_context():
        resolve(declare(scenario).code)
        chosen = select(Delivery.id).filter_by(address=SHOPPER, channel=Channel.EMAIL)
        delivery_id = current_session().scalars(chosen).one()
    return f"/unsubscribe/{delivery_token(settings.secret_key, delivery_id)}"


def left(app: Flask) -> list[str]:
    with app.app_context():
        return list(current_session().scalars(select(Suppression.address)))


def headline(html: str) -> str:
    return " ".join(lxml.html.fromstring(html).xpath("//h1")[0].text_content().split())


def buttons(html: str) -> list[tuple[str, str]]:
    found = lxml.html.fromstring(html).xpath("//main//form//button")
    return [(button.get("name"), button.get("value")) for button in found]


def test_opening_the_link_asks_and_changes_nothing(
    client: FlaskClient, app: Flask, link: str
) -> None:
    for method in ("GET", "HEAD", "GET"):
        answer = client.open(link, method=method)
        assert answer.status_code == 200
    assert headline(answer.text) == "Unsubscribe?"
    assert SHOPPER in answer.text
    assert buttons(answer.text) == [("choice", "leave")]
    assert left(app) == []


def test_the_button_leaves_and_offers_the_way_back(
    client: FlaskClient, app: Flask, link: str
) -> None:
    answer = client.post(link, data={"choice": "leave"})
    assert (answer.status_code, headline(answer.text)) == (
        200,
        "You’re unsubscribed",
    )
    assert left(app) == [SHOPPER]
    assert buttons(answer.text) == [("choice", "stay")]
    assert headline(client.get(link).text) == "You’re already unsubscribed"
    answer = client.post(link, data={"choice": "stay"})
    assert headline(answer.text) == "You’re still subscribed"
    assert left(app) == []


def test_a_mail_program_leaves_with_one_request(client: FlaskClient, app: Flask, link: str) -> None:
    for _ in range(2):
        answer = client.post(link, data=ONE_CLICK, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 200
    assert left(app) == [SHOPPER]


def test_no_cookie_is_asked_for_or_given(client: FlaskClient, link: str) -> None:
    for answer in (client.get(link), client.post(link, data=ONE_CLICK)):
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_who_is_owed_notices_is_told_that_they_still_come(
    client: FlaskClient, app: Flask, link: str
) -> None:
    with app.app_context(), writing() as session:
        session.scalars(select(Customer).filter_by(address=SHOPPER)).one().contractual = True
    assert "still get notices that our contract requires" in client.get(link).text
    assert "still get notices that our contract requires" in client.post(link).text


@pytest.mark.parametrize(
    ("kind", "reason"), [("bounced", "bounced, so we stopped"), ("complained", "reported as spam")]
)
def test_who_gets_nothing_anyway_is_told_why(
    client: FlaskClient, app: Flask, link: str, kind: str, reason: str
) -> None:
    with app.app_context(), writing() as session:
        session.add(Suppression(address=SHOPPER, kind=kind, reason="x"))
    for answer in (client.get(link), client.post(link, data={"choice": "stay"})):
        assert reason in answer.text
        assert buttons(answer.text) == []


def test_a_forged_link_is_not_found(client: FlaskClient, app: Flask, link: str) -> None:
    for token in FORGED:
        for method in ("GET", "POST"):
            answer = client.open(f"/unsubscribe/{token}", method=method)
            assert answer.status_code == 404, (token, method)
            assert headline(answer.text) == "Page not found"
    assert left(app) == []


def test_a_genuine_link_to_a_mail_that_is_gone_is_not_found(
    client: FlaskClient, settings: Settings, link: str
) -> None:
    gone = f"/unsubscribe/{delivery_token(settings.secret_key, 4711)}"
    assert client.get(gone).status_code == 404
    assert client.post(gone).status_code == 404


def test_the_pages_are_correct_html(
    client: FlaskClient, link: str, html_errors: HtmlChecker
) -> None:
    pages = [client.get(link), client.post(link), client.post(link, data={"choice": "stay"})]
    assert [html_errors(page.text) for page in pages] == [[]] * len(pages)
