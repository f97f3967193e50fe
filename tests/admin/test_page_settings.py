from __future__ import annotations

from dataclasses import asdict, replace

from flask import Flask

from statuspage.configuration import editing, page_settings
from statuspage.configuration.editing import PageSettings
from statuspage.core.db import current_session
from statuspage.models.page import the_page
from tests.actors import acting
from tests.browsing import Browser, fields, reasons, said

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
    "cause_categories": "Deployment\nA vendor",
    "ticket_numbers": "INC-001 to INC-099: Payments",
    "takes_reports": "y",
}


def standing(app: Flask) -> PageSettings:
    with app.app_context():
        page = the_page(current_session())
        assert page is not None
        return editing.read_as(PageSettings, page)


def test_all_settings_are_saved(admin: Browser, app: Flask) -> None:
    answer = admin.send_shown("/admin/settings", GLOBEX)
    assert answer.headers["Location"] == "/admin/settings"
    assert asdict(standing(app)) == GLOBEX | {
        "no_change_email_minutes": 120, "takes_reports": True,
    }  # fmt: skip
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
