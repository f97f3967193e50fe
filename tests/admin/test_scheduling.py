"""Scheduled updates on the screen: the time beside its field, the card, editing and cancelling."""

from __future__ import annotations

from datetime import timedelta

import pytest
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole
from statuspage.incidents.scheduled import publish_due
from statuspage.models import Account, Page, ScheduledUpdate
from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, texts
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker

AT = "2026-03-04T12:30"
WORDS = "Payments are still declined; we found why."


def planned(desk: Desk, code: str, **values: str) -> str:
    """Schedule an update; the location that follows."""
    typed = {"users_notice": WORDS, "publish_at": AT, **values}
    answer = desk.post(code, "identified", **typed)
    assert answer.status_code == 303, reasons(answer)
    return str(answer.headers["Location"])


def rows(desk: Desk) -> list[ScheduledUpdate]:
    with desk.app.app_context():
        return current_session().query(ScheduledUpdate).all()


def tick(desk: Desk, frozen: Traveller) -> int:
    frozen.move_to(NOON + timedelta(minutes=30))
    with desk.app.app_context():
        return publish_due()


def test_an_update_with_a_time_is_scheduled_shown_and_posted_then(
    desk: Desk, frozen: Traveller, html_errors: HtmlChecker
) -> None:
    code = desk.declare()
    assert planned(desk, code) == f"/admin/incidents/{code}"
    page = desk.get(f"/admin/incidents/{code}").text
    assert "Scheduled for Mar 4, 2026, 12:30 UTC. Nothing has been sent yet." in page
    assert "Scheduled update: Identified" in page
    assert html_errors(page) == []
    assert len(desk.posts(code)) == 1
    assert tick(desk, frozen) == 1
    assert [post.status for post in desk.posts(code)] == ["investigating", "identified"]
    assert "Scheduled update" not in desk.get(f"/admin/incidents/{code}").text


def test_the_promise_counts_from_the_time_of_posting(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    planned(desk, code, promise="15")
    tick(desk, frozen)
    assert desk.posts(code)[-1].next_update_at == NOON + timedelta(minutes=45)


def test_the_button_says_when_it_posts(desk: Desk) -> None:
    code = desk.declare()
    typed = {**fields(desk.get(f"/admin/incidents/{code}").text), "publish_at": AT}
    shown = desk.browser.send(f"/admin/incidents/{code}", {**typed, "preview": "1"}).text
    assert "Post at Mar 4, 2026, 12:30 UTC to page" in shown


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("2026-03-04T11:59", "This time has passed"),
        ("tomorrow", "write the time as date and time"),
        ("2026-03-29T02:30", "does not exist in Europe/Berlin"),
        ("2026-10-25T02:30", "happens twice in Europe/Berlin"),
    ],
)
def test_a_time_that_cannot_be_is_refused_beside_its_field(
    desk: Desk, typed: str, reason: str
) -> None:
    code = desk.declare()
    with desk.app.app_context(), writing() as session:
        session.get_one(Page, 1).time_zone = "Europe/Berlin"
    answer = desk.post(code, "identified", users_notice=WORDS, publish_at=typed)
    assert answer.status_code == 422
    [wrong] = texts(answer, "wrong")
    assert (wrong.startswith("Post at"), reason in wrong) == (True, True)
    assert fields(answer.text)["publish_at"] == typed
    assert "In CET. Empty: now." in answer.text
    assert rows(desk) == []


def test_it_is_edited_as_it_was_typed_and_scheduled_again(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    planned(desk, code, text_public="Written *by hand*.")
    page = desk.get(f"/admin/incidents/{code}?scheduled=1").text
    shown = fields(page)
    assert (shown["users_notice"], shown["text_public"], shown["publish_at"]) == (
        WORDS, "Written *by hand*.", AT,
    )  # fmt: skip
    assert "editing the scheduled update" in page
    sent = {**shown, "text_public": "Written again.", "publish": "1"}
    assert desk.browser.send(f"/admin/incidents/{code}", sent).status_code == 303
    assert [one.checked["text"] for one in rows(desk)] == ["Written again."]
    assert tick(desk, frozen) == 1
    assert desk.posts(code)[-1].body == "Written again."


def test_without_its_time_it_is_posted_now_and_not_again(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    planned(desk, code)
    shown = fields(desk.get(f"/admin/incidents/{code}?scheduled=1").text)
    desk.browser.send(f"/admin/incidents/{code}", {**shown, "publish_at": "", "publish": "1"})
    assert (len(desk.posts(code)), rows(desk)) == (2, [])
    assert tick(desk, frozen) == 0


def test_it_is_cancelled_with_one_click(desk: Desk) -> None:
    code = desk.declare()
    planned(desk, code)
    answer = desk.browser.send(f"/admin/incidents/{code}/scheduled/cancel")
    assert (answer.status_code, rows(desk)) == (303, [])
    assert "The scheduled update is cancelled." in desk.get(f"/admin/incidents/{code}").text


def test_one_that_was_not_posted_says_why(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    planned(desk, code)
    desk.post(code, "monitoring", users_notice="Payments work again.", still_true="")
    assert "The incident has changed since." in desk.get(f"/admin/incidents/{code}").text
    tick(desk, frozen)
    page = desk.get(f"/admin/incidents/{code}").text
    assert "The incident has changed since this update was scheduled." in page
    shown = fields(desk.get(f"/admin/incidents/{code}?scheduled=1").text)
    again = {**shown, "publish_at": "2026-03-04T13:00", "publish": "1"}
    asked = desk.browser.send(f"/admin/incidents/{code}", again)
    assert asked.status_code == 422
    sent = desk.browser.send(f"/admin/incidents/{code}", {**fields(asked.text), "publish": "1"})
    assert sent.status_code == 303
    assert [one.held_because for one in rows(desk)] == [""]


def test_a_resolution_goes_through_the_last_step_and_is_scheduled(
    desk: Desk, frozen: Traveller
) -> None:
    code = desk.declare()
    asked = desk.post(code, "resolved", publish_at=AT)
    assert "Schedule: resolve and email" in " ".join(asked.text.split())
    sent = {**fields(asked.text), "because_watched": "It was a test.", "publish": "1"}
    assert desk.browser.send(f"/admin/incidents/{code}", sent).status_code == 303
    assert (desk.incident(code).status, desk.mailed()) == ("investigating", [])
    assert tick(desk, frozen) == 1
    assert (desk.incident(code).status, desk.mailed()) == (
        "resolved", ["ada@example.com", "bo@example.com"],
    )  # fmt: skip


def test_whoever_may_not_publish_may_not_schedule(desk: Desk) -> None:
    code = desk.declare()
    typed = fields(desk.get(f"/admin/incidents/{code}").text)
    typed |= {"publish_at": AT, "users_notice": WORDS}
    with desk.app.app_context(), writing() as session:
        session.query(Account).one().role = AccountRole.RESPONDER
    answer = desk.browser.send(f"/admin/incidents/{code}", {**typed, "publish": "1"})
    assert (answer.status_code, rows(desk)) == (403, [])
