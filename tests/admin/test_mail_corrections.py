"""Correcting what was mailed, at the desk: offered, seen, and sent once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, DeliveryState, SubscriberState
from statuspage.models import Delivery, Message, Subscriber
from tests.admin.conftest import Desk
from tests.browsing import actions, fields, reasons, said, texts
from tests.htmlchecker import HtmlChecker


@pytest.fixture
def wrong(desk: Desk) -> str:
    """The address at which the mail about a resolution is corrected; two were sent it."""
    code = desk.declare()
    desk.resolve(code)
    desk.deliver()
    return f"/admin/messages/{desk.resolved_mail().id}/correct"


def corrections(desk: Desk) -> list[tuple[str, str]]:
    with desk.app.app_context():
        chosen = (
            select(Delivery.address, Delivery.state)
            .where(Delivery.step_key.startswith("correction:"))
            .order_by(Delivery.address)
        )
        return [(row[0], row[1].value) for row in current_session().execute(chosen)]


def test_the_report_offers_a_correction(desk: Desk, wrong: str) -> None:
    report = desk.get(wrong.removesuffix("/correct"))
    assert f'href="{wrong}"' in report.text


def test_a_correction_is_shown_before_it_can_be_sent(desk: Desk, wrong: str) -> None:
    asked = desk.browser.send_shown(wrong, {"body": "Hello [[name]],\n\nRight.", "send": "1"})
    assert asked.status_code == 200
    assert corrections(desk) == []
    assert "2 people were sent the wrong text" in " ".join(asked.text.split())
    assert texts(asked, "subject", "/strong")[0].startswith("Correction: ")
    done = desk.browser.send(wrong, {**fields(asked.text), "send": "1"})
    assert done.status_code == 303
    assert corrections(desk) == [("ada@example.com", "pending"), ("bo@example.com", "pending")]
    assert said(desk.get(done.headers["Location"])) == ["The correction is being sent."]
    assert "Correction to customers" in desk.get(done.headers["Location"]).text
    assert actions(desk.app)[-1] == "message.correct"


def test_what_is_changed_after_it_was_shown_is_shown_again(desk: Desk, wrong: str) -> None:
    shown = desk.browser.send_shown(wrong, {"body": "Right.", "preview": "1"})
    again = desk.browser.send(wrong, {**fields(shown.text), "body": "Other.", "send": "1"})
    assert again.status_code == 200
    assert corrections(desk) == []


def test_it_goes_once_however_often_it_is_sent(desk: Desk, wrong: str) -> None:
    shown = desk.browser.send_shown(wrong, {"body": "Right.", "preview": "1"})
    values = {**fields(shown.text), "send": "1"}
    desk.browser.send(wrong, values)
    desk.browser.send(wrong, values)
    assert len(corrections(desk)) == 2
    desk.get(wrong)
    refusal = "There’s nothing to correct: no one got it, or it has been corrected already."
    assert refusal in said(desk.get("/admin/"))


def test_a_text_that_is_not_changed_is_refused(desk: Desk, wrong: str) -> None:
    refused = desk.browser.send_shown(wrong, {"preview": "1"})
    assert refused.status_code == 422
    assert reasons(refused) == ["Corrected text: This is what was sent. Correct it first."]


def test_correcting_a_post_leads_to_the_mail_that_said_the_same(desk: Desk) -> None:
    with desk.app.app_context(), writing() as session:
        session.add(
            Subscriber(
                email="eve@example.com", address="eve@example.com",
                state=SubscriberState.CONFIRMED,
            )
        )  # fmt: skip
    code = desk.declare()
    desk.resolve(code)
    desk.deliver()
    update = desk.posts(code)[-1].code
    done = desk.browser.send_shown(f"/admin/incidents/{code}/posts/{update}", {"body": "Over."})
    first = done.headers["Location"]
    with desk.app.app_context():
        chosen = select(Message.audience, Message.id).where(Message.update_id.is_not(None))
        ids = {row[0]: row[1] for row in current_session().execute(chosen.order_by(Message.id))}
    assert first.endswith(f"/messages/{ids[Audience.CUSTOMER]}/correct")
    shown = desk.browser.send_shown(first, {"body": "Over, it is.", "preview": "1"})
    then = desk.browser.send(first, {**fields(shown.text), "send": "1"}).headers["Location"]
    assert then.endswith(f"/messages/{ids[Audience.SUBSCRIBER]}/correct")
    # The subscribers' mail begins with the post as it was corrected.
    shown = desk.browser.send_shown(then, {"preview": "1"})
    assert fields(shown.text)["body"] == "Over."
    subject = texts(shown, "subject", "/strong")[0]
    assert subject.count("(Acme)") == 1
    last = desk.browser.send(then, {**fields(shown.text), "send": "1"}).headers["Location"]
    assert [address for address, _ in corrections(desk)] == [
        "ada@example.com", "bo@example.com", "eve@example.com",
    ]  # fmt: skip
    assert "Correction to subscribers" in desk.get(last).text


def test_correcting_a_post_that_was_not_mailed_ends_there(desk: Desk) -> None:
    code = desk.declare()
    update = desk.posts(code)[0].code
    done = desk.browser.send_shown(f"/admin/incidents/{code}/posts/{update}", {"body": "New."})
    assert done.headers["Location"].endswith(f"/incidents/{code}")


def test_what_waits_alone_is_put_right_without_a_mail(desk: Desk) -> None:
    desk.resolve(desk.declare())
    where = f"/admin/messages/{desk.resolved_mail().id}/correct"
    shown = desk.browser.send_shown(where, {"body": "Right.", "preview": "1"})
    said = " ".join(texts(shown, "card", "/p"))
    assert (
        "No one has been sent the wrong text yet. 2 who still wait get the right text instead."
    ) in said
    assert texts(shown, "subject", "/strong") == ["Resolved: Payments fail (Acme)"]
    desk.browser.send(where, {**fields(shown.text), "send": "1"})
    assert corrections(desk) == []
    with desk.app.app_context():
        read = select(Message.body).join(Delivery, Delivery.message_id == Message.id)
        pending = read.where(Delivery.address == "ada@example.com")
        assert list(current_session().scalars(pending)) == ["Right."]
        assert (
            current_session().scalars(select(Delivery.state)).all().count(DeliveryState.PENDING) > 0
        )


def test_the_screen_is_sound_html(desk: Desk, wrong: str, html_errors: HtmlChecker) -> None:
    assert html_errors(desk.get(wrong).text) == []
    shown = desk.browser.send_shown(wrong, {"body": "Right.", "preview": "1"})
    assert html_errors(shown.text) == []


def test_after_a_cancelled_mail_is_corrected_nothing_says_that_it_goes_out(desk: Desk) -> None:
    code = desk.declare()
    desk.resolve(code)
    desk.browser.send(f"/admin/incidents/{code}/mails/cancel", {})
    wrong = f"/admin/messages/{desk.resolved_mail().id}/correct"
    shown = desk.browser.send_shown(wrong, {"body": "Right.", "preview": "1"})
    done = desk.browser.send(wrong, {**fields(shown.text), "send": "1"})
    assert done.headers["Location"] == f"/admin/incidents/{code}"
    assert said(desk.get(done.headers["Location"])) == [
        "The cancelled emails have the corrected text now; they’re sent only if you send "
        "them after all."
    ]
    with desk.app.app_context():
        told = (
            current_session()
            .scalars(select(Message).where(Message.corrects_id.is_not(None)))
            .one()
            .id
        )
    assert texts(desk.get(f"/admin/messages/{told}"), "counts") == [
        "No recipients: no one got the wrong text. Anyone still waiting gets the corrected text."
    ]
    desk.browser.send(f"/admin/incidents/{code}/mails/send", {})
    desk.deliver()
    with desk.app.app_context():
        texts_sent = current_session().execute(
            select(Message.body)
            .join(Delivery, Delivery.message_id == Message.id)
            .where(Delivery.state == DeliveryState.ACCEPTED, Message.audience == Audience.CUSTOMER)
        )
        assert {row[0] for row in texts_sent} == {"Right."}
