"""The first steps: a page is set up once, with all that it needs."""

from __future__ import annotations

from flask import Flask

from statuspage.configuration import components
from statuspage.core.db import current_session, writing
from statuspage.models import Page
from statuspage.models.page import the_page
from tests.browsing import Browser, actions, fields, first_browser, reasons, said
from tests.factories import make_component


def the_page_of(app: Flask) -> Page:
    with app.app_context():
        page = the_page(current_session())
        assert page is not None
        return page


def test_the_first_account_is_led_through_set_up(app: Flask) -> None:
    browser = first_browser(app)
    answer = browser.send_shown(
        "/admin/setup",
        {
            "name": "Globex",
            "time_zone": "Asia/Tokyo",
            "scheme": "critical",
            "components": "Shop:\nCheckout",
        },
    )
    assert answer.headers["Location"] == "/admin/"
    assert said(browser.get("/admin/"))[-1] == "Your page is ready."
    page = the_page_of(app)
    assert (page.name, page.time_zone, page.sign_off) == (
        "Globex",
        "Asia/Tokyo",
        "The Globex team",
    )
    assert "Checkout" in browser.get("/admin/components").text
    assert browser.get("/admin/setup").headers["Location"] == "/admin/"
    assert actions(app)[-2:] == ["account.change_password", "page.set_up"]


def test_set_up_keeps_what_was_typed(app: Flask) -> None:
    browser = first_browser(app)
    answer = browser.send_shown("/admin/setup", {"name": "", "components": "API\napi"})
    assert reasons(answer) == ["Name of the page: Enter the name visitors know"]
    answer = browser.send_shown("/admin/setup", {"name": "Globex", "components": "API\napi"})
    assert reasons(answer) == ["Components: “api” is there twice"]
    assert fields(answer.text)["components"] == "API\napi"
    answer = browser.send_shown("/admin/setup", {"name": "Globex", "components": " \n "})
    assert reasons(answer) == ["Components: Enter at least one component"]


def test_components_of_an_import_are_taken_and_not_doubled(app: Flask) -> None:
    browser = first_browser(app)
    with app.app_context(), writing() as session:
        make_component(session, "Checkout")
        make_component(session, "Search")
    assert "2 came in with an import and stay" in browser.get("/admin/setup").text
    browser.send_shown(
        "/admin/setup", {"name": "Globex", "components": "API\n\nShop:\ncheckout\nCart"}
    )
    with app.app_context():
        tree = [
            (one.name, [part.name for part in getattr(one, "components", ())])
            for one in components.top_level(current_session())
        ]
    assert tree == [("Search", []), ("API", []), ("Shop", ["Checkout", "Cart"])]


def test_the_components_of_an_import_alone_are_enough(app: Flask) -> None:
    browser = first_browser(app)
    with app.app_context(), writing() as session:
        make_component(session, "Checkout")
    answer = browser.send_shown("/admin/setup", {"name": "Globex", "components": ""})
    assert answer.headers["Location"] == "/admin/"


def test_a_page_cannot_be_set_up_over_another(admin: Browser, app: Flask) -> None:
    answer = admin.send("/admin/setup", {"name": "Other", "components": "X", "scheme": "sev"})
    assert answer.headers["Location"] == "/admin/"
    assert the_page_of(app).name == "Acme"
