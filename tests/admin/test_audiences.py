"""Who is notified, as the forms offer it: the scheme's default is ticked, and what is unticked."""

from __future__ import annotations

import pytest

from statuspage.core.enums import Audience
from tests.admin.conftest import Desk
from tests.browsing import fields
from tests.subscribing import add_subscriber


@pytest.fixture
def code(desk: Desk) -> str:
    with desk.app.app_context():
        add_subscriber()
    return desk.declare()


def test_an_update_offers_each_audience_ticked(desk: Desk, code: str) -> None:
    shown = fields(desk.get(f"/admin/incidents/{code}").text)
    offered = {name: value for name, value in shown.items() if name.startswith("tell-")}
    assert offered == {"tell-subscriber": "1"}
    last = desk.post(code, "resolved")
    assert {name for name in fields(last.text) if name.startswith("tell-")} == {
        "tell-subscriber",
        "tell-customer",
    }


def test_what_is_unticked_is_not_notified(desk: Desk, code: str) -> None:
    path = f"/admin/incidents/{code}"
    typed = {**fields(desk.get(path).text), "users_notice": "Payments fail more often."}
    del typed["tell-subscriber"]
    assert desk.browser.send(path, {**typed, "publish": "1"}).status_code == 303
    assert desk.posts(code)[-1].left_out == {"subscriber": ""}


def test_a_missing_reason_is_asked_for_beside_its_field(desk: Desk, code: str) -> None:
    path = f"/admin/incidents/{code}"
    typed = {**fields(desk.get(path).text), "status": "identified"}
    del typed["tell-subscriber"]
    refused = desk.browser.send(path, {**typed, "publish": "1"})
    assert refused.status_code == 422
    assert "Enter why subscribers are not notified." in refused.text
    typed["because_left_out"] = "It is on the page"
    assert desk.browser.send(path, {**typed, "publish": "1"}).status_code == 303
    assert desk.posts(code)[-1].left_out == {"subscriber": "It is on the page"}


def test_a_form_that_offers_nothing_notifies_by_the_rules(desk: Desk, code: str) -> None:
    path = f"/admin/incidents/{code}"
    typed = fields(desk.get(path).text)
    kept = {name: value for name, value in typed.items() if "subscriber" not in name}
    desk.browser.send(path, {**kept, "status": "identified", "publish": "1"})
    assert desk.posts(code)[-1].left_out == {}


def test_the_worst_severitys_resolution_email_is_left_out_through_the_gate(
    desk: Desk, code: str
) -> None:
    path = f"/admin/incidents/{code}"
    typed = fields(desk.post(code, "resolved").text)
    del typed["tell-customer"]
    refused = desk.browser.send(path, {**typed, "because_watched": "A test", "publish": "1"})
    assert refused.status_code == 422
    assert "Enter why they get none." in refused.text
    shown = fields(refused.text)
    assert "tell-customer" not in shown
    sent = {**shown, "because_customer_mail": "All were called", "publish": "1"}
    assert desk.browser.send(path, sent).status_code == 303
    update = desk.posts(code)[-1]
    assert update.left_out == {"customer": "All were called"}
    assert update.gate["customer_mail"] == "All were called"
    assert desk.mailed() == ["sam@example.com"] * 2


def test_the_ledger_says_who_was_not_notified_and_why(desk: Desk, code: str) -> None:
    path = f"/admin/incidents/{code}"
    typed = {**fields(desk.get(path).text), "status": "identified"}
    del typed["tell-subscriber"]
    desk.browser.send(path, {**typed, "because_left_out": "It is on the page", "publish": "1"})
    ledger = desk.get(f"{path}/deliveries").text
    assert "Not notified" in ledger
    assert "It is on the page" in ledger
    assert '<span\n    class="mark">quiet</span>' in desk.get(path).text


def test_what_is_unticked_stays_so_while_the_texts_cannot_be_made(desk: Desk, code: str) -> None:
    path = f"/admin/incidents/{code}"
    typed = {**fields(desk.get(path).text), "users_notice": "x" * 20_000}
    del typed["tell-subscriber"]
    refused = desk.browser.send(path, {**typed, "publish": "1"})
    shown = fields(refused.text)
    assert shown["offered-subscriber"] == "1"
    assert "tell-subscriber" not in shown


def test_a_declaration_leaves_subscribers_out_with_a_reason(desk: Desk, code: str) -> None:
    typed = {**fields(desk.get("/admin/incidents/new").text), **desk.filled(), "title": "Again"}
    sent = {**typed, "offered-subscriber": "1", "because_left_out": "A small one", "publish": "1"}
    answer = desk.browser.send("/admin/incidents/new", sent)
    made = desk.posts(answer.headers["Location"].rpartition("/")[2])
    assert made[-1].left_out == {Audience.SUBSCRIBER.value: "A small one"}
