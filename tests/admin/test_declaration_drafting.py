"""Drafts on the screen of a declaration: offered again, as they were typed, also to colleagues."""

from __future__ import annotations

from statuspage.core.db import current_session
from statuspage.models import DeclarationDraft
from tests.admin.conftest import NEW, Desk
from tests.browsing import fields, make_account, reasons, texts
from tests.htmlchecker import HtmlChecker

DRAFT = "/admin/incidents/new/draft"


def drafts(desk: Desk) -> list[DeclarationDraft]:
    with desk.app.app_context():
        return list(current_session().query(DeclarationDraft))


def test_what_was_typed_is_offered_gone_on_with_and_declared(
    desk: Desk, html_errors: HtmlChecker
) -> None:
    sheet = fields(desk.get(NEW).text)
    typed = {**sheet, **desk.filled(), "title": "Half of it", "text_internal": "By *hand*."}
    assert desk.browser.send(DRAFT, typed).status_code == 204
    [draft] = drafts(desk)
    offered = desk.get(NEW)
    assert fields(offered.text)["title"] == ""
    assert any(
        "You have a draft" in one and "Half of it" in one for one in texts(offered, "notice")
    )
    path = f"{NEW}?draft={draft.id}"
    shown = desk.get(path)
    assert html_errors(shown.text) == []
    again = fields(shown.text)
    kept = ("title", "severity_rank", "users_notice", "text_internal", "form_key")
    assert {name: again[name] for name in kept} == {name: typed[name] for name in kept}
    answer = desk.browser.send(NEW, {**again, "publish": "1"})
    assert answer.status_code == 303, reasons(answer)
    assert (drafts(desk), [one.title for one in desk.incidents()]) == ([], ["Half of it"])


def test_a_colleague_opens_a_copy_and_the_original_stays(desk: Desk) -> None:
    sheet = {**fields(desk.get(NEW).text), **desk.filled(), "title": "Half of it"}
    desk.browser.send(DRAFT, {**sheet, "save_draft": "1"})
    with desk.app.app_context():
        draft = current_session().query(DeclarationDraft).one()
        draft.account_id = make_colleague()
        current_session().commit()
        handle, key = draft.handle, draft.form_key
    shown = desk.get(f"{NEW}?draft={handle}")
    assert any("A copy of Sam’s draft" in one for one in texts(shown, "notice"))
    copy = fields(shown.text)
    assert (copy["title"], copy["form_key"] == key) == ("Half of it", False)
    desk.browser.send(DRAFT, {**copy, "title": "Mine"})
    desk.browser.send(f"{DRAFT}/discard", copy)
    assert [dict(one.form)["title"] for one in drafts(desk)] == ["Half of it"]


def test_a_key_that_no_sheet_of_ours_has_is_not_kept(desk: Desk) -> None:
    typed = {**desk.filled(), "form_key": "x" * 70}
    assert desk.browser.send(DRAFT, typed).status_code == 204
    assert [len(draft.form_key) <= 64 for draft in drafts(desk)] == [True]


def make_colleague() -> int:
    account = make_account("Sam", "sam@example.com")
    current_session().add(account)
    current_session().flush()
    return account.id
