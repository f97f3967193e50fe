"""The list of subscribers: found, looked at, exported and removed."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from flask import Flask
from sqlalchemy import select

from statuspage.core.db import current_session, writing
from statuspage.core.enums import SubscriberState
from statuspage.models import Incident, Suppression
from tests.browsing import Browser, actions, fields, texts
from tests.factories import make_component, make_incident
from tests.htmlchecker import HtmlChecker
from tests.subscribing import SAM, add_subscriber, ask, sign_up_mails, subscriber


@pytest.fixture
def people(app: Flask, kim: object) -> None:
    """One of each kind."""
    with app.app_context():
        with writing() as session:
            checkout = make_component(session, "Checkout").id
            incident = make_incident(session, "Payments fail").id
            session.add(Suppression(address="gone@example.com", kind="bounced", reason="no user"))
        add_subscriber(SAM, components=[checkout], updates="last", time_zone="Asia/Tokyo")
        add_subscriber("fan@example.com", incidents=False, maintenance=False, follows=[incident])
        add_subscriber("gone@example.com")
        add_subscriber("left@example.com", state=SubscriberState.UNSUBSCRIBED)
        add_subscriber("new@example.com", state=SubscriberState.PENDING, confirmed_at=None)


def listed(browser: Browser, query: str = "") -> list[str]:
    page = browser.get(f"/admin/subscribers{query}")
    return texts(page, "table", "//th[@scope='row']")


def key(app: Flask, address: str = SAM) -> int:
    with app.app_context():
        return subscriber(address).id


def test_the_list_tells_how_many_there_are_of_each(admin: Browser, people: None) -> None:
    assert listed(admin) == [
        "fan@example.com", "gone@example.com", "left@example.com", "new@example.com", SAM,
    ]  # fmt: skip
    page = " ".join(admin.get("/admin/subscribers").text.split())
    assert "3 confirmed, 1 not yet, 1 unsubscribed" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?text=SAM%40", [SAM]),
        ("?state=pending", ["new@example.com"]),
        ("?state=unsubscribed", ["left@example.com"]),
        ("?state=suppressed", ["gone@example.com"]),
        ("?state=nonsense&text=fan", ["fan@example.com"]),
        ("?text=nobody", []),
    ],
)
def test_the_list_is_searched(admin: Browser, people: None, query: str, found: list[str]) -> None:
    assert listed(admin, query) == found


def test_the_list_is_paged_by_address(admin: Browser, app: Flask, kim: object) -> None:
    with app.app_context():
        for number in range(120):
            add_subscriber(f"s{number:03}@example.com")
    assert listed(admin)[-1] == "s049@example.com"
    assert listed(admin, "?after=s049@example.com")[0] == "s050@example.com"
    assert listed(admin, "?after=s099@example.com") == [
        f"s{number}@example.com" for number in range(100, 120)
    ]
    assert listed(admin, "?before=s100@example.com")[0] == "s050@example.com"


def test_the_export_holds_everybody_and_no_formula(
    admin: Browser, app: Flask, people: None
) -> None:
    with app.app_context():
        add_subscriber("=cmd@example.com")
    answer = admin.get("/admin/subscribers.csv")
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert rows[0]["email"] == "'=cmd@example.com"
    sam = next(row for row in rows if row["email"] == SAM)
    assert (sam["state"], sam["components"], sam["incidents"], sam["time_zone"]) == (
        "confirmed", "Checkout", "Only the end", "Asia/Tokyo",
    )  # fmt: skip
    assert len(rows) == 6


def test_one_of_them_is_seen_whole(admin: Browser, app: Flask, people: None) -> None:
    page = admin.get(f"/admin/subscribers/{key(app)}").text
    for told in ("Incidents, only the end; maintenance", "Checkout", "Asia/Tokyo"):
        assert told in page
    assert "Payments fail" in admin.get(f"/admin/subscribers/{key(app, 'fan@example.com')}").text


def test_removing_one_is_noted(admin: Browser, app: Flask, people: None) -> None:
    answer = admin.send(f"/admin/subscribers/{key(app)}/remove")
    assert answer.status_code == 303
    assert SAM not in listed(admin)
    assert actions(app)[-1] == "subscriber.remove"


def test_an_address_that_bounced_is_written_to_again(
    admin: Browser, app: Flask, people: None
) -> None:
    admin.send(f"/admin/subscribers/{key(app, 'gone@example.com')}/write-again")
    with app.app_context():
        assert current_session().get(Suppression, "gone@example.com") is None


def test_the_admin_never_shows_a_key_to_somebody_s_subscription(
    admin: Browser, app: Flask, kim: object
) -> None:
    with app.app_context():
        ask()
        ((delivery, _),) = sign_up_mails()
        number = delivery.id
    page = admin.get(f"/admin/deliveries/{number}").text
    assert "/subscriptions/theirs-alone" in page
    assert f"/subscriptions/{number}-" not in page


def test_before_a_post_goes_out_the_desk_says_who_hears_it_and_why(
    admin: Browser, app: Flask, people: None
) -> None:
    with app.app_context():
        code = current_session().scalars(select(Incident.code)).one()
    page = admin.get(f"/admin/incidents/{code}")
    assert texts(page, "by-mail") == [
        "1 subscriber by email: 1 following this incident; 1 more can’t be reached"
    ]
    assert "Post to page and 1 subscriber" in " ".join(page.text.split())
    resolving = admin.send(
        f"/admin/incidents/{code}/texts", {**fields(page.text), "status": "resolved"}
    )
    assert "2 subscribers by email" in texts(resolving, "by-mail")[0]


def test_nobody_there_yet_says_how_it_begins(admin: Browser) -> None:
    assert "Nobody has subscribed yet" in admin.get("/admin/subscribers").text


def test_the_screens_are_correct_html(
    admin: Browser, app: Flask, people: None, html_errors: HtmlChecker
) -> None:
    pages = [
        admin.get("/admin/subscribers"),
        admin.get("/admin/subscribers?text=nobody"),
        *(
            admin.get(f"/admin/subscribers/{key(app, address)}")
            for address in (SAM, "gone@example.com", "new@example.com", "fan@example.com")
        ),
    ]
    assert [html_errors(page.text) for page in pages] == [[]] * len(pages)
