"""The form for an incident of the past: its rows, what it refuses, and what it leaves alone."""

from __future__ import annotations

from sqlalchemy import select

from statuspage.core.db import current_session
from statuspage.models import Incident
from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, texts
from tests.htmlchecker import HtmlChecker

PAST = "/admin/incidents/past"
TYPED = {
    "title": "Payments failed",
    "severity_rank": "1",
    "update-0-at": "2026-03-01T10:00",
    "update-0-body": "Payments fail.",
    "update-3-at": "2026-03-01T11:00",
    "update-3-body": "It is over.",
}


def codes(desk: Desk) -> list[str]:
    with desk.app.app_context():
        return list(current_session().scalars(select(Incident.code)))


def test_the_rows_that_are_filled_in_become_its_updates(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    assert html_errors(desk.get(PAST).text) == []
    states = {f"components-{desk.checkout}": "major_outage"}
    answer = desk.browser.send_shown(PAST, {**TYPED, **states, "publish": "1"})
    assert answer.status_code == 303, reasons(answer)
    [code] = codes(desk)
    assert answer.headers["Location"] == f"/admin/incidents/{code}"
    assert [(one.status, one.body) for one in desk.posts(code)] == [
        ("investigating", "Payments fail."), ("resolved", "It is over."),
    ]  # fmt: skip
    page = desk.get(f"/admin/incidents/{code}").text
    assert "Nobody was emailed." in page
    assert desk.mailed() == []


def test_it_shows_who_would_have_been_emailed(desk: Desk) -> None:
    shown = desk.browser.send_shown(PAST, {**TYPED, "preview": "1"})
    [notice] = [one for one in texts(shown, "notice") if "Nobody is emailed" in one]
    assert "it would email 2 customers and 0 subscribers" in notice
    assert codes(desk) == []


def test_another_row_keeps_what_was_typed(desk: Desk) -> None:
    shown = desk.browser.send_shown(PAST, {**TYPED, "more": "1"})
    kept = fields(shown.text)
    assert {name: kept[name] for name in TYPED} == TYPED
    assert (kept["updates_shown"], kept["update-4-status"]) == ("5", "resolved")


def test_what_is_wrong_is_said_in_its_row(desk: Desk) -> None:
    changes = {"update-0-at": "2026-03-05T10:00", "update-3-at": "", "update-1-at": "nonsense"}
    answer = desk.browser.send_shown(PAST, {**TYPED, **changes, "publish": "1"})
    assert answer.status_code == 422
    wrong = texts(answer, "wrong")
    assert [one.split(".")[0] for one in wrong] == [
        "Posted at In UTC", "Posted at In UTC", "Text Markdown", "Posted at In UTC",
    ]  # fmt: skip
    assert [part in one for part, one in zip(
        ("in the future", "write the time", "Write what people read", "Enter when it was posted"),
        wrong, strict=True,
    )] == [True] * 4  # fmt: skip
    assert codes(desk) == []


def test_an_end_is_asked_for_beside_the_last_update(desk: Desk) -> None:
    answer = desk.browser.send_shown(PAST, {**TYPED, "update-3-status": "monitoring",
                                            "publish": "1"})  # fmt: skip
    assert answer.status_code == 422
    [wrong] = texts(answer, "wrong")
    assert "The last update of a past incident is “Resolved”." in wrong
