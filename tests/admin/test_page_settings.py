from __future__ import annotations

from dataclasses import asdict, replace

from flask import Flask

from statuspage.configuration import components, editing, page_settings
from statuspage.configuration.editing import PageSettings
from statuspage.core.db import current_session, writing
from statuspage.models.page import the_page
from tests.actors import acting
from tests.browsing import Browser, actions, fields, first_browser, reasons, said
from tests.factories import make_component

GLOBEX = {
    "name": "Globex",
    "about": "We sell *things*.",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "support_email": "help@globex.example",
    "support_url": "https://globex.example/help",
    "sign_off": "The Globex team",
    "incident_channel": "#fire",
    "no_change_email_minutes": "120",
}


def standing(app: Flask) -> PageSettings:
    with app.app_context():
        page = the_page(current_session())
        assert page is not None
        return editing.read_as(PageSettings, page)


def test_all_settings_are_saved(admin: Browser, app: Flask) -> None:
    answer = admin.send_shown("/admin/settings", GLOBEX)
    assert answer.headers["Location"] == "/admin/settings"
    assert asdict(standing(app)) == GLOBEX | {"no_change_email_minutes": 120}
    assert said(admin.get("/admin/settings")) == ["The page settings were saved."]
    shown = fields(admin.get("/admin/settings").text)
    assert {name: shown[name] for name in GLOBEX} == GLOBEX


def test_what_is_wrong_is_told_and_everything_typed_is_kept(admin: Browser, app: Flask) -> None:
    typed = GLOBEX | {"name": " ", "time_zone": "Mars/Olympus", "support_url": "ftp://x"}
    answer = admin.send_shown("/admin/settings", typed)
    assert reasons(answer) == [
        "Name: Enter the name visitors know",
        "Time zone: 'Mars/Olympus' is not a time zone; pick one like Europe/Berlin or UTC",
        "Support page: Enter a web address that begins with https://",
    ]
    kept = fields(answer.text)
    assert {name: kept[name] for name in ("about", "support_email", "support_url")} == {
        "about": "We sell *things*.",
        "support_email": "help@globex.example",
        "support_url": "ftp://x",
    }
    assert standing(app).name == "Acme"


def test_a_setting_that_somebody_else_saved_meanwhile_is_shown(admin: Browser, app: Flask) -> None:
    seen = fields(admin.get("/admin/settings").text)
    with app.app_context():
        page_settings.change_page(replace(standing(app), about="Theirs"), actor=acting("Sam"))
    answer = admin.send("/admin/settings", seen | {"about": "Mine"})
    assert reasons(answer)[1:] == ["About: Now saved here: Theirs"]
    assert standing(app).about == "Theirs"


# --- the first steps -----------------------------------------------------------------------------


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
    assert (standing(app).name, standing(app).time_zone, standing(app).sign_off) == (
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
    assert standing(app).name == "Acme"
