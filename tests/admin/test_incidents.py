"""The list of incidents."""

from __future__ import annotations

from datetime import timedelta

import lxml.html
from time_machine import Traveller

from tests.admin.conftest import Desk
from tests.browsing import texts
from tests.htmlchecker import HtmlChecker


def test_the_list_shows_the_open_ones_first(desk: Desk, frozen: Traveller) -> None:
    desk.declare(title="Search is slow", severity_rank="2")
    newer = desk.declare(title="Payments fail")
    desk.resolve(newer)
    desk.declare(title="A backup failed", visibility="internal")
    frozen.shift(timedelta(hours=2))
    desk.browser.sign_in()

    def titles(query: str = "") -> list[str]:
        return texts(desk.get(f"/admin/incidents{query}"), "stories", "//h2")

    assert titles() == ["Search is slow", "A backup failed", "Payments fail"]
    assert titles("?show=open") == ["Search is slow", "A backup failed"]
    assert titles("?show=resolved") == ["Payments fail"]
    assert titles("?show=internal") == ["A backup failed"]
    assert titles("?show=nonsense") == titles()
    assert titles("?page=2") == []
    assert texts(desk.get("/admin/incidents"), "late") == [
        "Overdue, was due 1 hour ago",
        "Overdue, was due 1 hour 30 minutes ago",
    ]


def test_the_list_shows_who_leads(desk: Desk) -> None:
    ada = desk.add_contact("Ada")
    desk.declare(commander=str(ada))
    desk.declare(title="Search is slow")
    assert [texts(desk.get("/admin/incidents"), "how", "/p")[place] for place in (1, 3)] == [
        "Ada",
        "No lead assigned",
    ]


def test_the_list_is_searched_and_what_was_asked_stays_in_the_address(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    ada = desk.add_contact("Ada")
    desk.declare(title="Payments fail", commander=str(ada))
    desk.declare(title="Search is slow", severity_rank="2")

    def titles(query: str) -> list[str]:
        return texts(desk.get(f"/admin/incidents?{query}"), "stories", "//h2")

    assert titles("text=slow") == titles("severity=2") == ["Search is slow"]
    assert titles(f"person={ada}&component={desk.checkout}") == ["Payments fail"]
    assert titles("since=2026-03-05&show=resolved") == []
    assert titles("severity=x&person=99999999999999999999&since=nonsense") == titles("")
    page = desk.get("/admin/incidents?text=nothing&severity=2&until=nonsense&show=open")
    assert html_errors(desk.get("/admin/incidents?text=slow").text) == []
    assert texts(page, "empty", "//strong") == ["No matches"]
    assert texts(page, "reason") == ["Enter a day like 2026-03-04"]
    tree = lxml.html.fromstring(page.text)
    tabs = tree.xpath("//nav[@class='tabs']//a/@href")
    assert tabs[0] == "/admin/incidents?text=nothing&severity=2&until=nonsense"
    [form] = tree.xpath("//form[@role='search']")
    assert dict(form.form_values()) == {
        "show": "open", "text": "nothing", "severity": "2", "component": "", "person": "",
        "cause_category": "", "since": "", "until": "nonsense",
    }  # fmt: skip
    assert tree.xpath("//form[@role='search']/details/@open") == [""]
