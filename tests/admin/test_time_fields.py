"""Times are typed and shown in one's own zone and language, with the page's time beside them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Flask
from werkzeug.datastructures import MultiDict

from statuspage.admin.forms import Form
from statuspage.admin.time_fields import MomentField
from statuspage.core.db import writing
from statuspage.models import Page
from tests.admin.conftest import NEW, Desk
from tests.browsing import fields, reasons, said, texts
from tests.htmlchecker import HtmlChecker


class AForm(Form):
    at = MomentField("At")


def test_a_time_stays_in_the_zone_that_it_was_typed_in() -> None:
    typed = MultiDict({"at": "2026-03-04T13:00", "at-zone": "Europe/Berlin"})
    form = AForm(typed, zone=ZoneInfo("Asia/Tokyo"))
    assert form.at.data == datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert (form.at.zone_label, form.at._value()) == ("CET", "2026-03-04T13:00")
    assert 'name="at-zone" value="Europe/Berlin"' in form.at()


def test_a_zone_that_there_is_not_is_the_forms_own() -> None:
    typed = MultiDict({"at": "2026-03-04T13:00", "at-zone": "../etc"})
    assert AForm(typed, zone=ZoneInfo("Asia/Tokyo")).at.zone_label == "JST"


def test_times_are_typed_and_shown_in_ones_own_zone_and_language(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    with desk.app.app_context(), writing() as session:
        session.get_one(Page, 1).time_zone = "America/Los_Angeles"
    chosen = {"time_zone": "Europe/Berlin", "date_language": "de"}
    assert desk.browser.send("/admin/me/times", chosen).status_code == 303
    me = desk.get("/admin/me")
    assert said(me) == ["Your dates and times were saved."]
    assert html_errors(me.text) == []
    form = desk.get(NEW)
    assert html_errors(form.text) == []
    assert fields(form.text)["started_at"] == "2026-03-04T13:00"
    assert "= 4. März 2026, 04:00 PST" in texts(form, "soft")
    code = desk.declare(started_at="2026-03-04T12:30")
    assert desk.incident(code).started_at == datetime(2026, 3, 4, 11, 30, tzinfo=UTC)
    screen = desk.get(f"/admin/incidents/{code}").text
    assert "4. März 2026, 12:30 CET" in screen
    assert "PST" in desk.posts(code)[0].body
    assert "CET" not in desk.posts(code)[0].body


def test_a_zone_or_language_that_there_is_not_is_refused_at_its_field(desk: Desk) -> None:
    answer = desk.browser.send("/admin/me/times", {"time_zone": "Mars", "date_language": "tlh"})
    assert answer.status_code == 422
    assert reasons(answer) == [
        "Time zone: 'Mars' is not a time zone; pick one like Europe/Berlin or UTC",
        "Language of dates: Pick one from the list",
    ]


def test_a_form_without_a_zone_is_read_in_utc(app: Flask) -> None:
    assert AForm(MultiDict({"at": "2026-03-04T13:00"})).at.zone_label == "UTC"
