"""Notices in the admin: posted, changed and ended from one screen."""

from __future__ import annotations

from datetime import timedelta

import lxml.html
from sqlalchemy import select

from statuspage.core.db import current_session, writing
from statuspage.models import PublicNotice
from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, said
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker

NEW = "/admin/notices/new"
TYPED = {"title": "New sign-in page", "body": "It looks different from Monday on."}


def kept(desk: Desk) -> list[PublicNotice]:
    with desk.app.app_context():
        return list(current_session().scalars(select(PublicNotice)))


def test_a_notice_is_posted_changed_and_ended(desk: Desk, html_errors: HtmlChecker) -> None:
    assert html_errors(desk.get("/admin/notices").text) == []
    assert html_errors(desk.get(NEW).text) == []
    answer = desk.browser.send_shown(
        NEW, {**TYPED, "begins_at": "2026-03-04T11:00", "ends_at": "2026-03-05T10:00",
              "second_language": "de",
              "second_title": "Neue Anmeldung", "second_body": "Sie sieht anders aus."},
    )  # fmt: skip
    assert answer.status_code == 303, reasons(answer)
    [notice] = kept(desk)
    assert (notice.in_feeds, notice.is_pinned) == (False, False)
    listed = desk.get("/admin/notices")
    assert said(listed) == ["It’s on the page."]
    path = f"/admin/notices/{notice.code}"
    shown = desk.get(path)
    assert html_errors(shown.text) == []
    assert fields(shown.text)["second_title"] == "Neue Anmeldung"
    answer = desk.browser.send_shown(path, {"is_pinned": "y", "in_feeds": "y"})
    assert answer.status_code == 303, reasons(answer)
    assert [(one.is_pinned, one.in_feeds, one.title) for one in kept(desk)] == [
        (True, True, "New sign-in page")
    ]
    assert desk.browser.send(f"{path}/end").status_code == 303
    assert html_errors(desk.get("/admin/notices").text) == []
    assert "This notice ended" in desk.get(path).text
    assert desk.mailed() == []


def test_they_are_listed_in_pages_with_those_that_are_over_last(desk: Desk) -> None:
    with desk.app.app_context(), writing() as session:
        session.add_all(
            PublicNotice(
                code=f"{number:012}", title=f"Notice {number}", body="Text.", entry_id=str(number),
                begins_at=NOON - timedelta(days=number),
                ends_at=NOON if number < 20 else None,
            )
            for number in range(30)
        )  # fmt: skip
    pages = [titles(desk, f"/admin/notices?page={number}") for number in (1, 2)]
    assert [len(shown) for shown in pages] == [25, 5]
    assert (pages[0][0], pages[0][10], pages[1][-1]) == ("Notice 20", "Notice 0", "Notice 19")


def titles(desk: Desk, path: str) -> list[str]:
    tree = lxml.html.fromstring(desk.get(path).text)
    return [str(one) for one in tree.xpath("//*[@class='what']//a/text()")]


def test_one_that_has_not_started_is_withdrawn_and_was_never_seen(desk: Desk) -> None:
    desk.browser.send_shown(NEW, {**TYPED, "begins_at": "2026-03-05T10:00"})
    path = f"/admin/notices/{kept(desk)[0].code}"
    assert "nobody has seen it" in desk.get(path).text
    assert said(desk.browser.send(f"{path}/end", follow_redirects=True)) == [
        "The notice is withdrawn."
    ]
    assert "This notice was withdrawn before it started" in desk.get(path).text


def test_what_leaks_is_said_at_its_field_and_passes_with_a_reason(desk: Desk) -> None:
    typed = {**TYPED, "body": "db-01.internal moves."}
    refused = desk.browser.send_shown(NEW, typed)
    assert refused.status_code == 422
    assert "db-01.internal" in " ".join(reasons(refused))
    assert fields(refused.text)["body"] == typed["body"]
    answer = desk.browser.send_shown(NEW, {**typed, "because": "It is public"})
    assert answer.status_code == 303
    assert desk.get("/admin/notices/000000000000").status_code == 404
