"""The internal timeline on the screen of an incident, and the form that adds to it."""

from __future__ import annotations

from datetime import timedelta

from time_machine import Traveller

from tests.admin.conftest import Desk


def test_a_note_is_added_and_shown_on_the_incident(desk: Desk) -> None:
    code = desk.declare()
    path = f"/admin/incidents/{code}/notes"
    sent = {"note-body": "We roll back <now>.", "note-kind": "decision", "note-form_key": "a"}
    answer = desk.browser.send(path, sent)
    assert answer.headers["Location"] == f"/admin/incidents/{code}#said"
    shown, alone = desk.get(f"/admin/incidents/{code}").text, desk.get(path).text
    assert "We roll back &lt;now&gt;." in shown
    assert "We roll back &lt;now&gt;." in alone
    # Among the updates, the newest first, and told apart from them.
    assert shown.index("<h3>Decision</h3>") < shown.index("<h3>Investigating</h3>")
    assert 'id="shown-public"' in shown
    assert '<span class="mark">Decision</span>' in alone
    assert "We roll back" not in desk.get(f"/incidents/{code}").text


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}/notes"
    sent = {"note-body": "", "note-kind": "hypothesis", "note-happened_at": "2031-01-01T10:00"}
    answer = desk.browser.send(path, sent)
    assert answer.status_code == 422
    assert "Write what colleagues should know" in answer.text
    assert "This time is in the future" in answer.text
    assert 'value="2031-01-01T10:00"' in answer.text


def test_a_note_does_not_stand_in_the_way_of_an_update(desk: Desk) -> None:
    code = desk.declare()
    typed = desk.get(f"/admin/incidents/{code}")
    desk.browser.send(f"/admin/incidents/{code}/notes", {"note-body": "Half of it is back."})
    assert typed.status_code == 200
    assert desk.post(code, "identified").status_code == 303


def test_one_click_acknowledges(desk: Desk) -> None:
    code = desk.declare()
    assert "by no one yet" in desk.get(f"/admin/incidents/{code}").text
    answer = desk.browser.send(f"/admin/incidents/{code}/acknowledge")
    assert answer.headers["Location"] == f"/admin/incidents/{code}"
    shown = desk.get(f"/admin/incidents/{code}").text
    assert "by no one yet" not in shown
    assert "Kim has taken this on." in shown
    assert desk.browser.send("/admin/incidents/nothing/acknowledge").status_code == 303


def test_a_fix_is_verified_by_one_click_once_it_is_time(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    desk.post(code, "monitoring")
    screen = f"/admin/incidents/{code}"
    assert "It holds" not in desk.get(screen).text
    frozen.shift(timedelta(minutes=6))
    assert "not checked" in desk.get(screen).text
    assert desk.browser.send(f"{screen}/verify").status_code == 303
    shown = desk.get(screen).text
    assert "The fix holds 5 minutes after monitoring began." in shown
    assert "It holds" not in shown
    assert desk.browser.send("/admin/incidents/nothing/verify").status_code == 303
