"""The pages about mail: subscribing, confirming, changing; GET never acts, all answers alike."""

from __future__ import annotations

from typing import Any

import lxml.html
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Impact, SubscribedUpdates, SubscriberState
from statuspage.models import Component, Subscriber, Suppression
from statuspage.recipients.subscribers import SubscriptionPreferences, preferences_of
from tests.announcing import Scenario, declare, set_up_scenario
from tests.htmlchecker import HtmlChecker
from tests.subscribing import SAM, add_subscriber, ask, newest_link, sign_up_mails, subscriber

PREFERENCES = {"email": SAM, "kinds": ["incidents", "maintenance"]}


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app, customers=1)


@pytest.fixture
def link(app: Flask, scenario: Scenario) -> str:
    """The path in the mail that asks Sam to confirm."""
    with app.app_context():
        ask(preferences=SubscriptionPreferences(components=frozenset({scenario.checkout})))
        return f"/subscriptions/{newest_link()}"


def headline(answer: TestResponse) -> str:
    return " ".join(lxml.html.fromstring(answer.text).xpath("//h1")[0].text_content().split())


def problem(answer: TestResponse) -> str:
    found = lxml.html.fromstring(answer.text).xpath("//*[@id='problem']")
    return " ".join(found[0].text_content().split()) if found else ""


def state(app: Flask, address: str = SAM) -> SubscriberState:
    with app.app_context():
        return subscriber(address).state


def preferences(app: Flask) -> SubscriptionPreferences:
    with app.app_context():
        return preferences_of(subscriber())


def send(client: FlaskClient, values: dict[str, Any], **options: Any) -> TestResponse:
    return client.post("/subscribe", data=values, **options)


def test_the_form_is_a_ready_document_with_every_other_way(
    client: FlaskClient, scenario: Scenario
) -> None:
    answer = client.get("/subscribe")
    assert answer.headers["Cache-Control"].startswith("public")
    assert "ETag" in answer.headers
    page = lxml.html.fromstring(answer.text)
    ways = page.xpath("//dl[@class='feeds']//dt/a/@href")
    for path in ("/updates.rss", "/updates.atom", "/updates.json", "/maintenances.ics"):
        assert path in ways
    assert page.xpath("//form/@action") == ["/subscribe"]
    assert "/subscribe" in lxml.html.fromstring(client.get("/").text).xpath("//nav//a/@href")


def test_sending_it_leads_to_the_answer_for_everybody(
    client: FlaskClient, app: Flask, scenario: Scenario
) -> None:
    answer = send(client, PREFERENCES)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/subscribe/sent")
    assert headline(client.get("/subscribe/sent")) == "Check your inbox"
    assert state(app) is SubscriberState.PENDING


def test_whoever_asks_is_answered_the_same(
    client: FlaskClient, app: Flask, scenario: Scenario
) -> None:
    with app.app_context():
        add_subscriber("confirmed@example.com")
        add_subscriber("left@example.com", state=SubscriberState.UNSUBSCRIBED)
        with writing() as session:
            session.add(Suppression(address="bounced@example.com", kind="bounced", reason="x"))
    answers = [
        send(client, {**PREFERENCES, "email": f"{name}@example.com"})
        for name in ("new", "confirmed", "left", "bounced", "shopper", "new", "confirmed")
    ]
    shown = {(one.status, tuple(sorted(one.headers)), one.data) for one in answers}
    assert len(shown) == 1


def test_the_wish_is_what_was_ticked(client: FlaskClient, app: Flask, scenario: Scenario) -> None:
    with app.app_context():
        code = current_session().get_one(Component, scenario.catalog).code
    send(client, {"email": SAM, "kinds": ["incidents"], "updates": "last", "least_impact": "major",
                  "components": [code]})  # fmt: skip
    assert preferences(app) == SubscriptionPreferences(
        maintenance=False,
        updates=SubscribedUpdates.LAST,
        least_impact=Impact.MAJOR,
        components=frozenset({scenario.catalog}),
    )


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"email": "nobody"}, "email", "Enter an email address, like name@example.com."),
        ({"email": ""}, "email", "Enter an email address, like name@example.com."),
        ({"email": f"{SAM}\r\nBcc: x@example.com"}, "email", "Enter an email address"),
        ({"updates": "some"}, "updates", "Choose one from the list."),
        ({"least_impact": "\0"}, "least_impact", "Choose one from the list."),
        ({"kinds": []}, "kinds", "Choose incidents, maintenance or both."),
        ({"components": ["gone"]}, "components", "no longer exists"),
    ],
)
def test_a_mistake_comes_back_with_what_was_typed(
    client: FlaskClient,
    app: Flask,
    scenario: Scenario,
    values: dict[str, Any],
    field: str,
    reason: str,
) -> None:
    answer = send(client, {**PREFERENCES, **values})
    assert answer.status_code == 422
    assert reason in problem(answer)
    page = lxml.html.fromstring(answer.text)
    assert page.xpath("//*[@aria-describedby='problem']")
    assert page.get_element_by_id("email").value.startswith(values.get("email", SAM)[:6])
    with app.app_context():
        assert current_session().scalars(select(Subscriber)).all() == []


def test_what_another_site_sends_is_refused(
    client: FlaskClient, app: Flask, scenario: Scenario
) -> None:
    answer = send(client, PREFERENCES, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "sent by another site" in problem(answer)
    with app.app_context():
        assert sign_up_mails() == []


def test_a_machine_that_fills_in_everything_is_thanked_and_forgotten(
    client: FlaskClient, app: Flask, scenario: Scenario
) -> None:
    assert send(client, {**PREFERENCES, "website": "https://example.com"}).status_code == 303
    with app.app_context():
        assert current_session().scalars(select(Subscriber)).all() == []


def test_nothing_that_is_sent_is_our_own_fault(client: FlaskClient, scenario: Scenario) -> None:
    tried: tuple[dict[str, Any], ...] = (
        {"incident": "\0"},
        {"email": f"\0{SAM}"},
        {"components": "\0"},
        {"kinds": "\0"},
        {"email": b"a@ex\xed\xa0\x80ample.com"},
    )
    for values in tried:
        assert send(client, {**PREFERENCES, **values}).status_code in {303, 422}, values


def test_nothing_that_is_sent_to_a_link_is_our_own_fault(
    client: FlaskClient, app: Flask, link: str
) -> None:
    client.post(link, data={"choice": "confirm"})
    before = preferences(app)
    assert client.get(f"{link}?follow=%00").status_code == 200
    for values in ({"components": "\0"}, {"time_zone": "\0"}, {"kinds": "\0"}):
        data = {"choice": "change", "kinds": "incidents", **values}
        assert client.post(link, data=data).status_code == 422
    assert preferences(app) == before


def test_a_client_that_asks_too_often_is_told_how_long_to_wait(
    client: FlaskClient, scenario: Scenario
) -> None:
    for number in range(30):
        send(client, {**PREFERENCES, "email": f"s{number}@example.com"})
    answer = send(client, PREFERENCES)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "3601"
    assert problem(answer) == ("Error: Too many sign-ups from your network. Try again in 1 hour.")


def test_no_client_gets_round_the_limit_by_a_header_of_its_own(
    client: FlaskClient, scenario: Scenario
) -> None:
    answers = [
        send(client, PREFERENCES, headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(31)
    ]
    assert answers[-1] == 429


def test_opening_the_link_changes_nothing(client: FlaskClient, app: Flask, link: str) -> None:
    for method in ("GET", "HEAD", "GET"):
        assert client.open(link, method=method).status_code == 200
    answer = client.get(link)
    assert headline(answer) == "Confirm your subscription"
    assert SAM in answer.text
    assert "incidents and scheduled maintenance of <bdi>Checkout</bdi>" in answer.text
    assert state(app) is SubscriberState.PENDING


def test_the_button_confirms_and_the_link_then_manages(
    client: FlaskClient, app: Flask, link: str, scenario: Scenario
) -> None:
    answer = client.post(link, data={"choice": "confirm"})
    assert headline(answer) == "You’re subscribed"
    assert state(app) is SubscriberState.CONFIRMED
    assert headline(client.get(link)) == "Your subscription"
    answer = client.post(
        link, data={"choice": "change", "kinds": "maintenance", "time_zone": "Asia/Tokyo"}
    )
    assert headline(answer) == "Saved"
    assert preferences(app) == SubscriptionPreferences(incidents=False, time_zone="Asia/Tokyo")
    shown = lxml.html.fromstring(client.get(link).text)
    assert shown.xpath("//input[@name='kinds' and @checked]/@value") == ["maintenance"]
    assert shown.xpath("//option[@selected]/text()") == [
        "Every update", "Any impact", "Asia/Tokyo", "English"
    ]  # fmt: skip


def test_a_change_with_a_mistake_says_so_and_saves_nothing(
    client: FlaskClient, app: Flask, link: str, scenario: Scenario
) -> None:
    client.post(link, data={"choice": "confirm"})
    before = preferences(app)
    for values, reason in (
        ({}, "Choose incidents, maintenance or both."),
        ({"kinds": "incidents", "time_zone": "Moon/Base"}, "not a time zone"),
    ):
        answer = client.post(link, data={"choice": "change", **values})
        assert (answer.status_code, reason in problem(answer)) == (422, True)
    assert preferences(app) == before


def test_leaving_and_returning_by_the_link(client: FlaskClient, app: Flask, link: str) -> None:
    client.post(link, data={"choice": "confirm"})
    answer = client.post(link, data={"choice": "leave"})
    assert headline(answer) == "You’re unsubscribed"
    assert state(app) is SubscriberState.UNSUBSCRIBED
    assert headline(client.get(link)) == "You’re already unsubscribed"
    assert headline(client.post(link, data={"choice": "stay"})) == "You’re subscribed again"
    assert state(app) is SubscriberState.CONFIRMED


def test_a_component_that_was_removed_is_kept_until_it_is_unticked(
    client: FlaskClient, app: Flask, link: str, scenario: Scenario
) -> None:
    client.post(link, data={"choice": "confirm"})
    with app.app_context(), writing() as session:
        checkout = session.get_one(Component, scenario.checkout)
        checkout.removed_at = checkout.updated_at
        code = checkout.code
    page = lxml.html.fromstring(client.get(link).text)
    assert page.xpath("//input[@name='components' and @checked]/@value") == [code]
    assert "Checkout (removed)" in page.text_content()
    client.post(link, data={"choice": "change", "kinds": "incidents", "components": [code]})
    assert preferences(app).components == frozenset({scenario.checkout})


def test_one_incident_is_followed_from_its_page(
    client: FlaskClient, app: Flask, scenario: Scenario
) -> None:
    with app.app_context():
        incident = declare(scenario)
        code, key = incident.code, incident.id
    form = lxml.html.fromstring(client.get(f"/incidents/{code}").text).forms[0]
    form.fields["email"] = SAM
    assert (form.method, form.action) == ("POST", "/subscribe")
    assert send(client, dict(form.form_values())).status_code == 303
    assert preferences(app) == SubscriptionPreferences(
        incidents=False, maintenance=False, follows=frozenset({key})
    )
    with app.app_context():
        link = f"/subscriptions/{newest_link()}"
    assert "every update on “<bdi>Payments fail</bdi>”" in client.get(link).text


def test_who_is_subscribed_may_follow_by_the_link_in_the_mail(
    client: FlaskClient, app: Flask, scenario: Scenario
) -> None:
    with app.app_context():
        incident = declare(scenario)
        code, key = incident.code, incident.id
        add_subscriber(maintenance=False)
        ask(
            preferences=SubscriptionPreferences(
                incidents=False, maintenance=False, follows=frozenset({key})
            )
        )
        ((_, message),) = sign_up_mails()
        link = f"/subscriptions/{newest_link()}?follow={code}"
    assert f"?follow={code}" in message.text
    shown = lxml.html.fromstring(client.get(link).text)
    assert shown.xpath("//input[@name='follows' and @checked]/@value") == [code]
    assert preferences(app).follows == frozenset()
    client.post(link, data={"choice": "change", "kinds": "incidents", "follows": [code]})
    assert preferences(app) == SubscriptionPreferences(maintenance=False, follows=frozenset({key}))
    client.post(link, data={"choice": "change", "kinds": "incidents"})
    assert preferences(app) == SubscriptionPreferences(maintenance=False)


def test_a_forged_link_is_not_found(client: FlaskClient, link: str) -> None:
    for token in ("x", "1-0123456789abcdef0123456789abcdef", "%00", "9" * 30):
        for method in ("GET", "POST"):
            path = f"/subscriptions/{token}"
            answer = client.open(path, method=method, data={"choice": "confirm"})
            assert answer.status_code == 404, (token, method)


def test_the_link_to_leave_is_no_key_to_the_subscription(
    client: FlaskClient, app: Flask, link: str
) -> None:
    unsubscribe = f"/unsubscribe/{link.removeprefix('/subscriptions/')}"
    assert client.get(unsubscribe).status_code == 404
    assert client.post(unsubscribe).status_code == 404


def test_a_link_that_is_over_says_so_and_leads_on(
    client: FlaskClient, app: Flask, link: str
) -> None:
    with app.app_context(), writing() as session:
        session.delete(session.scalars(select(Subscriber)).one())
    for answer in (client.get(link), client.post(link, data={"choice": "confirm"})):
        assert (answer.status_code, headline(answer)) == (410, "This link no longer works")


def test_who_bounced_reads_why_nothing_comes(client: FlaskClient, app: Flask, link: str) -> None:
    client.post(link, data={"choice": "confirm"})
    with app.app_context(), writing() as session:
        session.add(Suppression(address=SAM, kind="bounced", reason="mailbox full"))
    assert "bounced" in client.get(link).text


def test_the_private_pages_are_kept_by_nobody_and_set_no_cookie(
    client: FlaskClient, link: str
) -> None:
    for answer in (client.get(link), client.post(link), send(client, {"email": "x"})):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_the_pages_are_correct_html(
    client: FlaskClient, app: Flask, link: str, html_errors: HtmlChecker
) -> None:
    with app.app_context():
        code = declare(Scenario(1, 2)).code
    pages = [
        client.get("/"),
        client.get("/subscribe"),
        client.get("/subscribe/sent"),
        client.get(f"/incidents/{code}"),
        send(client, {**PREFERENCES, "email": "x"}),
        send(client, {"email": "x", "incident": code}),
        client.get(link),
        client.post(link, data={"choice": "confirm"}),
        client.get(f"{link}?follow={code}"),
        client.post(link, data={"choice": "leave"}),
    ]
    assert [html_errors(page.text) for page in pages] == [[]] * len(pages)
