"""The on-call screen: weeks, swaps, and where whoever is on call is shown."""

from __future__ import annotations

import lxml.html

from statuspage.core.enums import AccountRole
from tests.admin.conftest import NEW, Desk
from tests.admin.test_permissions import take_role
from tests.browsing import fields, reasons
from tests.htmlchecker import HtmlChecker

SCREEN = "/admin/on-call"


def test_weeks_and_swaps_are_entered_and_shown_where_they_are_needed(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    assert "Add the people who are on call" in desk.get(SCREEN).text
    ana, bo = desk.add_contact("Ana"), desk.add_contact("Bo")
    shown = desk.get(SCREEN)
    assert html_errors(shown.text) == []
    names = lxml.html.fromstring(shown.text).xpath("//select[contains(@name, '-2026-')]/@name")
    # Noon of March 4, 2026, a Wednesday.
    assert (names[0], len(names)) == ("primary-2026-03-02", 16)
    assert desk.browser.send(f"{SCREEN}/weeks", {names[0]: str(ana)}).status_code == 303
    assert "<bdi>Ana</bdi>" in desk.get("/admin/").text
    assert "Ana" in desk.get(NEW).text.partition('data-part="responders"')[2]
    wrong = {"absent_id": str(ana), "starts_at": "2026-03-04T10:00", "ends_at": "2026-03-04T09:00"}
    late = desk.browser.send(f"{SCREEN}/swaps", {**wrong, "cover_id": str(bo)})
    assert reasons(late) == ["Until: This is not after its start."]
    assert fields(late.text, having="ends_at")["ends_at"] == "2026-03-04T09:00"
    swap = {**wrong, "cover_id": str(bo), "ends_at": "2026-03-04T23:00"}
    assert desk.browser.send(f"{SCREEN}/swaps", swap).status_code == 303
    assert "<bdi>Bo</bdi>" in desk.get("/admin/").text
    assert ">Bo<" not in desk.get("/").text
    (place,) = lxml.html.fromstring(desk.get(SCREEN).text).xpath(
        "//form[contains(@action, '/remove')]/@action"
    )
    desk.browser.send(place)
    assert "<bdi>Ana</bdi>" in desk.get("/admin/").text
    same = {names[0]: str(ana), names[1]: str(ana)}
    desk.browser.send(f"{SCREEN}/weeks", same)
    assert "two different people" in desk.get(SCREEN).text


def test_who_only_reads_sees_who_is_on_call(desk: Desk) -> None:
    desk.add_contact("Ana")
    take_role(desk.app, AccountRole.VIEWER)
    shown = desk.get(SCREEN)
    assert shown.status_code == 200
    assert "Add swap" not in shown.text
