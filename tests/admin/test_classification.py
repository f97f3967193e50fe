"""Tags and the category of a cause, given on the screen of an incident and found in the list."""

from __future__ import annotations

import lxml.html

from statuspage.core.enums import AccountRole
from tests.admin.conftest import Desk
from tests.admin.test_permissions import take_role
from tests.browsing import texts
from tests.htmlchecker import HtmlChecker


def test_tags_are_ticked_typed_and_found_again(desk: Desk, html_errors: HtmlChecker) -> None:
    code, other = desk.declare(), desk.declare(title="Search is slow")
    path = f"/admin/incidents/{code}/classification"
    sent = {"class-more_tags": "Timeout, <b>", "class-cause_category": "Deployment"}
    assert desk.browser.send(path, sent).headers["Location"] == f"/admin/incidents/{code}"
    shown = desk.get(f"/admin/incidents/{code}")
    assert html_errors(shown.text) == []
    assert "&lt;b&gt; · timeout · Deployment" in shown.text
    # What one incident has is offered on the next.
    offered = lxml.html.fromstring(desk.get(f"/admin/incidents/{other}").text)
    assert offered.xpath("//input[@name='class-tags']/@value") == ["<b>", "timeout"]
    assert offered.xpath("//input[@name='class-tags']/@checked") == []

    def titles(query: str) -> list[str]:
        return texts(desk.get(f"/admin/incidents?{query}"), "stories", "//h2")

    assert titles("tag=timeout") == titles("cause_category=Deployment") == ["Payments fail"]
    assert titles("text=%23TIMEOUT+payments") == ["Payments fail"]
    assert titles("tag=nothing") == titles("cause_category=nothing") == []
    assert html_errors(desk.get("/admin/incidents?tag=timeout").text) == []
    # What is not ticked is taken away.
    desk.browser.send(path, {"class-tags": "timeout", "class-cause_category": ""})
    assert titles("tag=timeout") == ["Payments fail"]
    assert titles("text=%3Cb%3E") == []
    for public in ("/", f"/incidents/{code}", "/api/v2/incidents.json", "/history.atom"):
        assert "timeout" not in desk.get(public).text.lower()


def test_what_cannot_be_taken_is_said_beside_the_field_and_kept(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}/classification"
    typed = {"class-more_tags": "x" * 70, "class-cause_category": "Gremlins"}
    answer = desk.browser.send(path, typed)
    assert answer.status_code == 422
    assert "longer than 60 characters" in answer.text
    assert f'value="{"x" * 70}"' in answer.text
    assert "Pick one from the list" in desk.browser.send(path, typed | {"class-more_tags": ""}).text


def test_who_only_reads_sees_tags_without_the_form(desk: Desk) -> None:
    code = desk.declare()
    sent = {"class-more_tags": "timeout"}
    desk.browser.send(f"/admin/incidents/{code}/classification", sent)
    take_role(desk.app, AccountRole.VIEWER)
    shown = desk.get(f"/admin/incidents/{code}").text
    assert "timeout" in shown
    assert "class-more_tags" not in shown
