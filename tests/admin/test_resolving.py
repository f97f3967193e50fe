"""Approval by a second account: given to exactly what was shown, and void once it changes."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from statuspage.admin.auth import Actor
from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole, Channel, Step
from statuspage.models import Approval, Delivery, Message, SeverityLevel
from tests.admin.conftest import Desk
from tests.browsing import Browser, actions, fields, make_account, reasons, said, texts
from tests.htmlchecker import HtmlChecker


@pytest.fixture
def code(desk: Desk, kim: Actor) -> str:
    """An incident of a level that asks for approval."""
    with desk.app.app_context(), writing() as session:
        session.execute(update(SeverityLevel).values(needs_approval=True))
        session.add(make_account("Lee", "lee@example.com"))
    return desk.declare()


@pytest.fixture
def lee(desk: Desk, code: str) -> Browser:
    """A colleague at a browser of their own."""
    browser = Browser(desk.app)
    assert browser.sign_in("lee@example.com").status_code == 303
    return browser


def ask(desk: Desk, code: str) -> str:
    """Request approval; the address of what is to be approved."""
    shown = desk.post(code, "resolved")
    asked = desk.browser.send(
        f"/admin/incidents/{code}", {**fields(shown.text), "ask_approval": "1"}
    )
    assert asked.status_code == 303, asked.text
    return str(asked.headers["Location"])


def go_on(desk: Desk, place: str, **changes: str) -> int:
    """Continue with the approved texts, and press the last button."""
    code = desk.incidents()[0].code
    shown = desk.browser.send(
        f"/admin/incidents/{code}", {**fields(desk.get(place).text), "preview": "1"}
    )
    assert "Resolve: Payments fail" in shown.text
    done = desk.browser.send(
        f"/admin/incidents/{code}", {**fields(shown.text), **changes, "publish": "1"}
    )
    return done.status_code


def test_everybody_else_who_may_publish_is_asked(desk: Desk, code: str, lee: Browser) -> None:
    with desk.app.app_context(), writing() as session:
        session.add(make_account("Ro", "ro@example.com", role=AccountRole.RESPONDER))
    place = ask(desk, code)
    ask(desk, code)
    with desk.app.app_context():
        [asked] = current_session().scalars(select(Message).filter_by(step=Step.APPROVAL))
        told = current_session().scalars(select(Delivery).filter_by(message_id=asked.id))
        assert {(row.channel, row.email) for row in told} == {
            (Channel.CHAT, "file"),
            (Channel.EMAIL, "lee@example.com"),
        }
        assert place in asked.text


def test_without_approval_it_needs_a_reason(desk: Desk, code: str) -> None:
    shown = desk.post(code, "resolved")
    filled = {**fields(shown.text), "publish": "1"}
    assert reasons(desk.browser.send(f"/admin/incidents/{code}", filled)) == [
        "Resolve without approval, because: No one has approved exactly this. Request "
        "approval, or say why it doesn’t need one."
    ]
    why = {"because_approval": "Nobody else is awake."}
    assert desk.browser.send(f"/admin/incidents/{code}", {**filled, **why}).status_code == 303
    assert desk.posts(code)[-1].gate == {"approval": "Nobody else is awake."}


def test_what_a_colleague_approved_goes_out(
    desk: Desk, code: str, lee: Browser, html_errors: HtmlChecker
) -> None:
    place = ask(desk, code)
    assert "Approval requested" in desk.get(f"/admin/incidents/{code}").text
    seen = lee.get(place)
    assert html_errors(seen.text) == []
    assert texts(seen, "sheet", "//h2") == ["Public post", "Customer email"]
    lee.send(f"{place}/approve", {})
    assert html_errors(desk.get(place).text) == []
    assert go_on(desk, place) == 303
    assert desk.posts(code)[-1].gate == {}
    assert [one for one in actions(desk.app) if "approval" in one] == [
        "approval.ask", "approval.give",
    ]  # fmt: skip


def test_an_account_cannot_approve_its_own(desk: Desk, code: str) -> None:
    place = ask(desk, code)
    desk.browser.send(f"{place}/approve", {})
    assert said(desk.get(place))[0] == "You can’t approve your own request."
    with desk.app.app_context():
        assert current_session().scalars(select(Approval.approved_at)).one() is None


@pytest.mark.parametrize(
    "changed",
    [
        {"text_customer": "Hello [[name]], it is over."},
        {"resolution": "We renewed the certificate."},
        # Nobody reads it while it is not confirmed, and yet it is another incident.
        {"cause": "A certificate ran out."},
    ],
)
def test_approval_is_void_once_a_text_or_a_fact_changes(
    desk: Desk, code: str, lee: Browser, changed: dict[str, str]
) -> None:
    place = ask(desk, code)
    lee.send(f"{place}/approve", {})
    assert go_on(desk, place, **changed) == 422
    assert desk.incident(code).is_open


def test_what_changed_meanwhile_cannot_be_approved(desk: Desk, code: str, lee: Browser) -> None:
    place = ask(desk, code)
    desk.post(code, "identified")
    assert "The incident has changed since" in lee.get(place).text
    lee.send(f"{place}/approve", {})
    assert said(lee.get(place))[0] == ("The incident has changed since. Request approval again.")
