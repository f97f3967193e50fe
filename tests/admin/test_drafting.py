"""Drafts on the screen of an incident: restored, seen by colleagues, published as they stand."""

from __future__ import annotations

from statuspage.access.audit import Actor
from statuspage.core.db import current_session, writing
from statuspage.models import Account, SavedDraft
from tests.admin.conftest import Desk
from tests.browsing import fields


def typed(desk: Desk, code: str, **values: str) -> dict[str, str]:
    return {**fields(desk.get(f"/admin/incidents/{code}").text), **values}


def drafts(desk: Desk) -> int:
    with desk.app.app_context():
        return current_session().query(SavedDraft).count()


def test_what_was_typed_is_there_again_with_every_field(desk: Desk) -> None:
    code = desk.declare()
    words = {"users_notice": "Half of the payments fail.", "status": "identified"}
    sent = typed(desk, code, **words, text_public="Written by *hand*.", next_update_at="nonsense")
    assert desk.browser.send(f"/admin/incidents/{code}/draft", sent).status_code == 204
    page = desk.get(f"/admin/incidents/{code}").text
    shown = fields(page)
    assert {name: shown[name] for name in words} == words
    assert (shown["text_public"], shown["next_update_at"]) == ("Written by *hand*.", "nonsense")
    assert "Your draft, saved" in page


def test_a_published_draft_is_gone(desk: Desk) -> None:
    code = desk.declare()
    sent = typed(desk, code, status="identified")
    desk.browser.send(f"/admin/incidents/{code}/draft", sent)
    restored = fields(desk.get(f"/admin/incidents/{code}").text)
    answer = desk.browser.send(f"/admin/incidents/{code}", {**restored, "publish": "1"})
    assert answer.status_code == 303
    assert desk.posts(code)[-1].status == "identified"
    assert drafts(desk) == 0


def test_the_button_saves_without_a_script_and_another_discards(desk: Desk) -> None:
    code = desk.declare()
    sent = {**typed(desk, code), "save_draft": "1"}
    answer = desk.browser.send(f"/admin/incidents/{code}/draft", sent)
    assert answer.headers["Location"] == f"/admin/incidents/{code}#post"
    assert drafts(desk) == 1
    desk.browser.send(f"/admin/incidents/{code}/draft/discard")
    assert drafts(desk) == 0


def test_a_draft_that_is_older_than_an_update_is_asked_about_and_kept(desk: Desk) -> None:
    code = desk.declare()
    sent = typed(desk, code, status="monitoring", users_notice="My own words.")
    desk.browser.send(f"/admin/incidents/{code}/draft", sent)
    theirs = {**sent, "form_key": "other", "status": "identified", "publish": "1"}
    desk.browser.send(f"/admin/incidents/{code}", theirs)
    desk.browser.send(f"/admin/incidents/{code}/draft", {**sent, "form_key": "third"})
    page = desk.get(f"/admin/incidents/{code}").text
    assert "The incident has changed since" in page
    refused = desk.browser.send(f"/admin/incidents/{code}", {**fields(page), "publish": "1"})
    assert refused.status_code == 422
    assert fields(refused.text)["users_notice"] == "My own words."


def test_a_colleagues_draft_is_seen_and_opened_as_a_copy(desk: Desk, kim: Actor) -> None:
    code = desk.declare()
    with desk.app.app_context(), writing() as session:
        sam = Account(email="sam@example.com", name="Sam", password_hash="x")
        session.add(sam)
        session.flush()
        incident = desk.incident(code)
        session.add(
            SavedDraft(
                incident_id=incident.id, account_id=sam.id, seen_version=incident.version,
                form=[["users_notice", "Sam's words."], ["status", "identified"]],
            )
        )  # fmt: skip
        sam_id = sam.id
    assert "has a draft, saved" in desk.get(f"/admin/incidents/{code}").text
    page = desk.get(f"/admin/incidents/{code}?draft={sam_id}").text
    shown = fields(page)
    assert (shown["users_notice"], shown["status"]) == ("Sam's words.", "identified")
    desk.browser.send(f"/admin/incidents/{code}/draft", {**shown, "users_notice": "Mine as well."})
    with desk.app.app_context():
        kept = {one.account_id: dict(one.form)["users_notice"]
                for one in current_session().query(SavedDraft)}  # fmt: skip
    assert kept == {sam_id: "Sam's words.", kim.account_id: "Mine as well."}
