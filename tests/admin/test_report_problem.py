"""Colleagues report a problem: signed in or by a link, and the suggestion that it becomes."""

from __future__ import annotations

from sqlalchemy import select

from statuspage.core.db import current_session, writing
from statuspage.models import Page, Suggestion, VisitorReport
from tests.admin.conftest import Desk
from tests.alerting import make_source
from tests.browsing import Browser, fields, reasons, said
from tests.htmlchecker import HtmlChecker


def suggested(desk: Desk) -> list[str]:
    with desk.app.app_context():
        return list(current_session().scalars(select(Suggestion.title)))


def test_a_report_becomes_a_suggestion_with_its_clock(desk: Desk, html_errors: HtmlChecker) -> None:
    path = "/admin/report"
    assert html_errors(desk.get(path).text) == []
    assert reasons(desk.browser.send_shown(path, {"title": " "})) == [
        "What is wrong?: Say what is wrong"
    ]
    typed = {"title": "Pay <fails>", "component_id": str(desk.checkout), "severity_rank": "1"}
    typed = {**fields(desk.get(path).text), **typed}
    desk.browser.send(path, typed, follow_redirects=True)
    answer = desk.browser.send(path, typed)
    assert answer.headers["Location"] == "/admin/suggestions"
    shown = desk.get("/admin/suggestions")
    assert said(shown) == ["Reported. Colleagues are notified."]
    for text in ("Pay &lt;fails&gt;", "1 report", "First response due"):
        assert text in shown.text
    assert suggested(desk) == ["Pay <fails>"]
    with desk.app.app_context():
        code = current_session().scalars(select(Suggestion.code)).one()
    assert html_errors(desk.get(f"/admin/suggestions/{code}").text) == []
    begun = fields(desk.get(f"/admin/incidents/new?suggestion={code}").text)
    assert (begun["title"], begun["severity_rank"]) == ("Pay <fails>", "1")


def test_a_link_with_a_secret_needs_no_sign_in_until_it_is_replaced(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    with desk.app.app_context():
        source, token = make_source(name="Everybody", tool="people")
    path, stranger = f"/admin/report/{token}", Browser(desk.app)
    assert html_errors(stranger.get(path).text) == []
    answer = stranger.send_shown(path, {"title": "Slow"})
    assert (answer.status_code, reasons(answer)) == (422, ["Your name: Enter your name"])
    assert "Thanks" in stranger.send_shown(path, {"title": "Slow", "reporter": "Ben"}).text
    assert suggested(desk) == ["Slow"]
    screen = f"/admin/alert-sources/{source}"
    assert "https://status.example.com/admin/report/" in desk.get(screen).text
    desk.browser.send(f"{screen}/key")
    assert stranger.get(path).status_code == 404


def test_the_dashboard_counts_what_visitors_report(desk: Desk) -> None:
    with desk.app.app_context(), writing() as session:
        session.get_one(Page, 1).takes_reports = True
        session.add_all(
            VisitorReport(component_id=desk.checkout, text=f"<i>{number}" + "y" * 400)
            for number in range(6)
        )
    for path in ("/admin/", "/admin/suggestions"):
        shown = desk.get(path).text
        assert "6 reports within an hour" in shown
        assert "&lt;i&gt;5yyy" in shown
        assert "y" * 300 not in shown
