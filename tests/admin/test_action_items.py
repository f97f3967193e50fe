"""Action items on their screens: added on a review, listed overdue first, settled with a word."""

from __future__ import annotations

from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, said


def test_an_item_is_added_listed_changed_and_settled(desk: Desk) -> None:
    code = desk.declare()
    alice = desk.add_contact("Alice")
    assert "No open action items" in desk.get("/admin/action-items").text
    new = f"/admin/incidents/{code}/action-items/new"
    assert reasons(desk.browser.send_shown(new, {"text": "", "link": "javascript:x"})) == [
        "What is to be done: Say what is to be done",
        "Ticket: Enter a web address that begins with https://",
    ]
    typed = {"text": "Add an <alarm>", "owner_id": str(alice), "due_on": "2026-03-01"}
    typed = {**fields(desk.get(new).text), **typed}
    desk.browser.send(new, typed)
    answer = desk.browser.send(new, typed)
    assert answer.headers["Location"] == f"/admin/incidents/{code}/review"
    assert "Add an &lt;alarm&gt;" in desk.get(answer.headers["Location"]).text
    shown = desk.get("/admin/action-items").text
    assert "overdue, March 1, 2026" in shown
    path = "/admin/action-items/1"
    desk.browser.send_shown(path, {"priority": "high"})
    assert "High" in desk.get("/admin/action-items").text
    refused = desk.browser.send(f"{path}/settle", {"state": "done"}, follow_redirects=True)
    assert "Say what was done." in said(refused)[-1]
    desk.browser.send(f"{path}/settle", {"state": "done", "outcome": "It rings."})
    assert "No open action items" in desk.get("/admin/action-items").text
    assert "It rings." in desk.get("/admin/action-items?show=settled").text
    assert "Open it again" in desk.get(path).text
    assert "alarm" not in desk.get(f"/incidents/{code}").text


def test_what_somebody_else_saved_is_shown_beside_what_was_typed(desk: Desk) -> None:
    code = desk.declare()
    desk.browser.send_shown(f"/admin/incidents/{code}/action-items/new", {"text": "One"})
    path = "/admin/action-items/1"
    mine = fields(desk.get(path).text)
    desk.browser.send_shown(path, {"text": "Theirs"})
    answer = desk.browser.send(path, {**mine, "text": "Mine"})
    assert answer.status_code == 422
    assert "Now saved here: Theirs" in answer.text
    assert 'value="Mine"' in answer.text
