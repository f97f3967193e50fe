"""The desk in the cancel window: what waits is shown, cancelled by a press, sent after all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import Channel
from statuspage.delivery import control
from statuspage.delivery.channels.provider import Fault, Outcome, Result
from tests.admin.conftest import Desk
from tests.announcing import ACTOR
from tests.browsing import said, texts
from tests.htmlchecker import HtmlChecker


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "CANCEL_WINDOW": "60"}


@pytest.fixture
def code(desk: Desk) -> str:
    code = desk.declare()
    desk.resolve(code)
    return code


def shown(desk: Desk, code: str) -> str:
    return " ".join(texts(desk.get(f"/admin/incidents/{code}"), "promised"))


def test_the_desk_says_until_when_the_mails_can_be_cancelled(desk: Desk, code: str) -> None:
    answer = desk.get(f"/admin/incidents/{code}")
    assert said(answer) == [
        "Posted: Resolved, 12:00 UTC. It goes to 2 customers, 1 chat room. "
        "The emails wait until 12:01:00 UTC; until then you can cancel them."
    ]
    assert "2 emails are sent at 12:01:00 UTC" in shown(desk, code)
    assert "Cancel the emails" in shown(desk, code)


def test_one_press_cancels_them_and_one_sends_them_after_all(
    desk: Desk, code: str, html_errors: HtmlChecker
) -> None:
    path = f"/admin/incidents/{code}"
    assert html_errors(desk.get(path).text) == []
    desk.browser.send(f"{path}/mails/cancel", {})
    answer = desk.get(path)
    assert said(answer) == ["2 emails are cancelled. The update stays published."]
    assert html_errors(answer.text) == []
    assert "2 emails were cancelled. No resolution emails were sent." in shown(desk, code)
    desk.browser.send(f"{path}/mails/send", {})
    assert said(desk.get(path)) == ["2 emails are being sent."]
    desk.browser.send(f"{path}/mails/send", {})
    assert said(desk.get(path)) == ["There’s nothing to send: none are cancelled any more."]


def test_after_the_window_what_still_waits_can_be_cancelled(
    desk: Desk, code: str, frozen: Traveller
) -> None:
    frozen.shift(timedelta(seconds=61))
    assert "2 emails still wait. Cancel waiting emails" in shown(desk, code)
    desk.deliver()
    assert shown(desk, code) == ""
    desk.browser.send(f"/admin/incidents/{code}/mails/cancel", {})
    assert said(desk.get(f"/admin/incidents/{code}")) == [
        "There’s nothing to cancel: no emails are waiting."
    ]


def test_whoever_reopens_reads_who_was_mailed_and_is_offered_a_correction(
    desk: Desk, code: str
) -> None:
    path = f"/admin/incidents/{code}?do=reopen"
    assert said(desk.get(path))[-1] == (
        "No resolution emails were sent. 2 emails that say so still wait, and won’t be sent once "
        "you post."
    )
    desk.deliver()
    offered = desk.get(path)
    assert said(offered)[-1] == (
        "2 people were sent the resolution email. With this update, the customers among them are "
        "emailed that the incident is open again, and so are the subscribers. Was the email "
        "itself wrong? Send a correction of the customer email, to everyone who got it."
    )
    assert f"/admin/messages/{desk.resolved_mail().id}/correct" in offered.text


def test_the_report_of_a_mail_says_that_it_waits(desk: Desk, code: str) -> None:
    assert (
        "They wait until 12:01:00 UTC. Until then they can be cancelled on the incident."
        in desk.get(f"/admin/messages/{desk.resolved_mail().id}").text
    )


LISTS = ("/admin/", "/admin/incidents", "/admin/maintenances")


def test_the_lists_say_in_one_line_what_holds_sending_up(
    desk: Desk, code: str, frozen: Traveller, html_errors: HtmlChecker
) -> None:
    desk.get("/admin/")
    window = "Emails about Payments fail wait until 12:01:00 UTC and can be cancelled"
    assert [said(desk.get(path)) for path in LISTS] == [[window]] * 3
    with desk.app.app_context():
        control.hold("chat", reason="Wrong room", actor=ACTOR)
        with writing() as session:
            failed = Result(1, Outcome.NOT_SENT, reason="refused", fault=Fault.PROVIDER)
            control.note_results(session, Channel.EMAIL, [failed])
    everything = (
        "Chat is paused: Wrong room · "
        f"No email can be sent, retrying at 12:00:02 UTC: refused · {window}"
    )
    assert [said(desk.get(path)) for path in LISTS] == [[everything]] * 3
    assert html_errors(desk.get("/admin/incidents").text) == []
    with desk.app.app_context():
        control.release("chat", actor=ACTOR)
    frozen.shift(timedelta(seconds=60))
    assert [said(desk.get(path)) for path in LISTS] == [[]] * 3
