"""The meeting about a review on its screens."""

from __future__ import annotations

from tests.admin.conftest import Desk
from tests.browsing import reasons
from tests.htmlchecker import HtmlChecker


def test_a_meeting_is_planned_kept_in_a_calendar_and_cancelled(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    dana = desk.add_contact("Dana")
    code = desk.declare()
    assert desk.get(f"/admin/incidents/{code}/review/meeting").status_code == 404
    desk.post(code, "identified")
    desk.resolve(code)
    review = f"/admin/incidents/{code}/review"
    desk.browser.send(review)
    assert "Not planned yet." in desk.get(review).text
    shown = desk.get(f"{review}/meeting")
    assert html_errors(shown.text) == []
    assert "What went well (10 minutes)" in shown.text
    assert desk.get(f"{review}/meeting.ics").status_code == 404
    sent = {"begins_at": "2026-03-05T10:00", "place": "Room 4", "attendees": str(dana)}
    assert desk.browser.send_shown(f"{review}/meeting", sent).status_code == 303
    planned = desk.get(review)
    assert html_errors(planned.text) == []
    assert "Room 4" in planned.text
    assert "Dana" in planned.text
    file = desk.get(f"{review}/meeting.ics")
    assert file.content_type == "text/calendar; charset=utf-8"
    assert "SUMMARY:Review: " in file.text
    again = desk.get(f"{review}/meeting")
    assert 'value="2026-03-05T10:00"' in again.text
    desk.browser.send(f"{review}/meeting/cancel")
    assert "Not planned yet." in desk.get(review).text


def test_a_meeting_of_the_past_is_refused_at_its_field(desk: Desk) -> None:
    code = desk.declare()
    desk.resolve(code)
    review = f"/admin/incidents/{code}/review"
    desk.browser.send(review)
    sent = {"begins_at": "2026-03-01T10:00", "minutes": "9 hours"}
    answer = desk.browser.send_shown(f"{review}/meeting", sent)
    assert reasons(answer) == ["Length: Use at most 8 hours"]
    sent = {"begins_at": "2026-03-01T10:00"}
    answer = desk.browser.send_shown(f"{review}/meeting", sent)
    assert reasons(answer) == ["Starts: Choose a time in the future."]
