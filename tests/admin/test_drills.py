"""Drills at the desk: begun on a page of their own, marked everywhere, scored at the end."""

from __future__ import annotations

from datetime import timedelta

import lxml.html
from sqlalchemy import select
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.configuration import contacts
from statuspage.configuration.editing import ContactDetails
from statuspage.core.db import current_session
from statuspage.models import Delivery
from tests.admin.conftest import Desk
from tests.announcing import ACTOR
from tests.browsing import reasons, said, texts
from tests.htmlchecker import HtmlChecker

NEW = "/admin/incidents/new"


def begin(desk: Desk, **values: str) -> TestResponse:
    """Fill in the page that begins a drill, and send it."""
    typed = {**desk.filled(), "drill_addresses": "eve@drill.example", **values, "publish": "1"}
    return desk.browser.send_shown(f"{NEW}?drill=1", typed)


def score(shown: TestResponse) -> dict[str, str]:
    rows = lxml.html.fromstring(shown.text).cssselect(".score dl > div")
    return {row[0].text_content(): " ".join(row[1].text_content().split()) for row in rows}


def test_a_drill_is_begun_on_a_page_of_its_own_and_reaches_its_list_alone(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    with desk.app.app_context():
        olga = contacts.add_contact(
            ContactDetails("Olga", email="olga@acme.example"), actor=ACTOR
        ).id
    shown = desk.get(f"{NEW}?drill=1")
    assert html_errors(shown.text) == []
    assert "kim@example.com" in shown.text
    answer = begin(
        desk, drill_contacts=str(olga), drill_addresses="eve@drill.example\n bo@x.example"
    )
    path = answer.headers["Location"]
    shown = desk.get(path)
    assert said(shown) == ["The drill has started. Only its recipients are notified."]
    assert html_errors(shown.text) == []
    assert texts(shown, "drill", "//li") == [
        "Olga, olga@acme.example",
        "eve@drill.example",
        "bo@x.example",
    ]
    assert desk.mailed() == ["bo@x.example", "eve@drill.example", "olga@acme.example"]
    assert "Payments fail" not in desk.get("/").text
    assert desk.get(f"/incidents/{path.rpartition('/')[2]}").status_code == 404
    assert "Drill" in desk.get("/admin/").text


def test_the_texts_are_shown_as_they_go_out(desk: Desk) -> None:
    answer = begin(desk)
    shown = desk.get(answer.headers["Location"])
    sheets = lxml.html.fromstring(shown.text).cssselect("[data-part=reading]")
    assert [sheet.text_content()[:16] for sheet in sheets] == ["This is a drill."] * 2


def test_the_chat_hears_of_a_drill_only_where_that_was_asked_for(desk: Desk) -> None:
    begin(desk)
    begin(desk, drill_chat="y")
    with desk.app.app_context():
        rooms = current_session().scalars(
            select(Delivery.address).where(Delivery.channel == "chat")
        )
        assert rooms.all() == ["file"]


def test_an_address_that_is_none_is_told_beside_its_field(desk: Desk) -> None:
    answer = begin(desk, drill_addresses="eve")
    assert (answer.status_code, desk.incidents()) == (422, [])
    assert reasons(answer)[0].startswith("Other addresses: eve: ")


def test_a_drill_has_its_score_at_the_end(
    desk: Desk, frozen: Traveller, html_errors: HtmlChecker
) -> None:
    code = begin(desk, started_at="2026-03-04T11:50").headers["Location"].rpartition("/")[2]
    frozen.shift(timedelta(minutes=34))
    leak = {"users_notice": "Nothing from 10.0.0.7."}
    desk.post(code, "investigating", **leak, because_public="It is only a drill")
    desk.post(code, "monitoring", users_notice="Payments were declined.")
    answer = desk.resolve(code)
    assert answer.status_code == 303
    shown = desk.get(f"/admin/incidents/{code}")
    assert html_errors(shown.text) == []
    assert score(shown) == {
        "First update": "10 minutes after it started within 15 minutes",
        "Promises": "3 promises: 2 kept, 1 late by 4 minutes",
        "Audiences": "visitors, customers, subscribers not colleagues",
        "Checks overridden": "1 “It is only a drill”",
        "Resolved": "after 44 minutes",
    }


def test_what_stands_beside_the_button_of_a_drill_claims_no_public(desk: Desk) -> None:
    shown = desk.browser.send_shown(f"{NEW}?drill=1", {**desk.filled(), "preview": "1"})
    [button] = lxml.html.fromstring(shown.text).xpath("//*[@data-part='press']")
    assert button.text_content() == "Start the drill with 1 drill address"
