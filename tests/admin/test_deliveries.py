"""Who was told: the report, the search, one delivery's incident, and sending again."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import DeliveryState
from statuspage.delivery import privacy
from statuspage.models import (
    Breaker,
    Customer,
    Delivery,
    DeliveryEvent,
    Page,
    Suppression,
    Wording,
    Worker,
)
from tests.admin.conftest import Desk
from tests.announcing import ACTOR, make_customer
from tests.browsing import actions, said, texts
from tests.htmlchecker import HtmlChecker


@pytest.fixture
def message(desk: Desk) -> str:
    """The address of the report on a resolution that was mailed to two customers."""
    code = desk.declare()
    desk.resolve(code)
    return f"/admin/messages/{desk.resolved_mail().id}"


def set_state(desk: Desk, address: str, state: DeliveryState, reason: str = "") -> int:
    with desk.app.app_context(), writing() as session:
        delivery = session.scalars(select(Delivery).filter_by(address=address)).one()
        delivery.state, delivery.reason = state, reason
        session.add(
            DeliveryEvent(
                delivery_id=delivery.id, at=delivery.queued_at, state=state, reason=reason
            )
        )
        return delivery.id


def states(desk: Desk) -> dict[str, DeliveryState]:
    with desk.app.app_context():
        rows = current_session().scalars(select(Delivery).where(Delivery.address.contains("@")))
        return {row.address: row.state for row in rows}


def test_the_report_says_in_words_how_it_stands(desk: Desk, message: str) -> None:
    assert texts(desk.get(message), "counts") == ["2 waiting"]
    set_state(desk, "ada@example.com", DeliveryState.DELIVERED)
    set_state(desk, "bo@example.com", DeliveryState.BOUNCED, "no such mailbox")
    shown = desk.get(message)
    assert texts(shown, "counts") == ["2 accepted, 1 delivered, 1 bounced"]
    assert texts(shown, "summary", "/div/p")[1] == ("Bounced addresses no longer work.")
    assert texts(shown, "table", "//tbody//th") == ["ada@example.comAda", "bo@example.comBo"]


def test_deliveries_are_found_by_state_and_by_address(desk: Desk, message: str) -> None:
    set_state(desk, "bo@example.com", DeliveryState.FAILED, "550 no")
    by_state = texts(desk.get(f"{message}?state=failed"), "table", "//tbody//a")
    by_address = texts(desk.get(f"{message}?address=ADA@"), "table", "//tbody//a")
    assert (by_state, by_address) == (["bo@example.com"], ["ada@example.com"])
    assert texts(desk.get(f"{message}?address=nobody"), "empty", "//strong") == ["No matches"]
    assert len(texts(desk.get(f"{message}?state=x&after=-1"), "table", "//tbody//a")) == 2


def test_whoever_was_not_told_is_explained(desk: Desk, message: str) -> None:
    found = desk.get(f"{message}?address=Nobody@Example.com")
    assert texts(found, "empty", "/p")[1] == (
        "This didn’t go to nobody@example.com. They aren’t on the customer list. "
        "They didn’t subscribe."
    )


def test_many_deliveries_come_in_pages(desk: Desk) -> None:
    with desk.app.app_context(), writing() as session:
        session.add_all(make_customer(f"c{n:03}@example.com", "") for n in range(120))
    desk.resolve(desk.declare())
    where = f"/admin/messages/{desk.resolved_mail().id}"
    first = desk.get(where)
    assert len(texts(first, "table", "//tbody//a")) == 100
    more = first.text.partition('<nav class="pager"')[2].partition('href="')[2].partition('"')[0]
    assert len(texts(desk.get(more), "table", "//tbody//a")) == 22


def test_a_delivery_tells_its_incident_and_the_very_mail(desk: Desk, message: str) -> None:
    delivery_id = set_state(desk, "ada@example.com", DeliveryState.BOUNCED, "mailbox full")
    shown = desk.get(f"/admin/deliveries/{delivery_id}")
    assert texts(shown, "happened", "//li") == [
        "QueuedMar 4, 2026, 12:00:00 UTC · Customer, all components",
        "BouncedMar 4, 2026, 12:00:00 UTC · mailbox full",
    ]
    assert "Hello Ada," in shown.text
    mail = desk.get(f"/admin/deliveries/{delivery_id}/mail")
    assert "Hello Ada," in mail.text
    # Ada's own zone, and her own way out.
    assert "13:00" in mail.text
    assert f"/unsubscribe/{delivery_id}-" in mail.text
    assert "[[" not in mail.text
    assert "sandbox" in mail.headers["Content-Security-Policy"]
    assert mail.headers["Cache-Control"] == "no-store"


def test_a_mail_is_shown_as_it_was_sent_whatever_was_changed_since(
    desk: Desk, message: str
) -> None:
    delivery_id = set_state(desk, "bo@example.com", DeliveryState.ACCEPTED)
    sent = desk.get(f"/admin/deliveries/{delivery_id}/mail").text
    with desk.app.app_context(), writing() as session:
        changed = session.get_one(Page, 1)
        changed.time_zone, changed.name, changed.support_email = "Asia/Tokyo", "New", "new@x.org"
        session.execute(update(Customer).values(name="New", time_zone="Asia/Tokyo"))
        session.add(Wording(name="customer/resolved", subject="New", body="New"))
    assert desk.get(f"/admin/deliveries/{delivery_id}/mail").text == sent


def test_a_chat_message_is_shown_as_text(desk: Desk) -> None:
    desk.declare()
    with desk.app.app_context():
        delivery_id = current_session().scalars(select(Delivery.id)).one()
    shown = desk.get(f"/admin/deliveries/{delivery_id}")
    assert "Impact: " in texts(shown, "reading")[0]
    assert "<iframe" not in shown.text


def test_what_went_to_no_chat_is_not_called_accepted(desk: Desk) -> None:
    desk.declare()
    desk.deliver()
    with desk.app.app_context():
        found = current_session().scalars(select(Delivery)).one()
        delivery_id, message_id = found.id, found.message_id
    assert texts(desk.get(f"/admin/deliveries/{delivery_id}"), "state") == ["Kept in a file"]
    report = desk.get(f"/admin/messages/{message_id}")
    assert texts(report, "counts") == ["1 kept in a file, not sent"]


def test_the_export_holds_every_delivery_and_no_formula(desk: Desk, message: str) -> None:
    with desk.app.app_context(), writing() as session:
        session.execute(
            update(Delivery).where(Delivery.address == "bo@example.com").values(name="=1+1")
        )
    answer = desk.get(f"{message}/deliveries.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert [(row["address"], row["name"], row["state"]) for row in rows] == [
        ("ada@example.com", "Ada", "pending"),
        ("bo@example.com", "'=1+1", "pending"),
    ]


def test_the_export_holds_what_is_shown(desk: Desk, message: str) -> None:
    set_state(desk, "bo@example.com", DeliveryState.FAILED, "550 no")
    shown = desk.get(f"{message}?state=failed")
    assert f"{message}/deliveries.csv?state=failed" in shown.text
    answer = desk.get(f"{message}/deliveries.csv?state=failed")
    assert [row["address"] for row in csv.DictReader(StringIO(answer.text))] == ["bo@example.com"]


def test_the_numbers_move_while_it_goes_out(desk: Desk, message: str, frozen: Traveller) -> None:
    assert f'data-deliveries="{message}/progress"' in desk.get(message).text
    fragment = desk.get(f"{message}/progress")
    assert "data-waiting" in fragment.text
    assert 'value="0" max="2"' in fragment.text
    set_state(desk, "ada@example.com", DeliveryState.ACCEPTED)
    frozen.shift(timedelta(seconds=1))
    moved = desk.get(f"{message}/progress")
    assert texts(moved, "soft")[0] == "1 of 2 · less than 1 a second · less than a minute left"
    set_state(desk, "bo@example.com", DeliveryState.ACCEPTED)
    assert "data-waiting" not in desk.get(f"{message}/progress").text


def test_where_nothing_moves_the_report_says_why(desk: Desk, message: str) -> None:
    assert texts(desk.get(message), "reason") == [
        "No worker is running, so nothing is sent. Start it. Go to the outbox"
    ]
    desk.browser.send("/admin/outbox/hold", {"channel": "email", "reason": "wrong text"})
    assert texts(desk.get(message), "reason") == ["Sending is paused: wrong text. Go to the outbox"]
    # What went out a moment ago tells nothing of what comes.
    set_state(desk, "ada@example.com", DeliveryState.ACCEPTED)
    assert texts(desk.get(f"{message}/progress"), "soft") == ["1 of 2"]
    [incident] = re.findall(r"/admin/incidents/\w{12}", desk.get(message).text)[:1]
    assert "Sending is paused: wrong text." in desk.get(incident).text
    set_state(desk, "ada@example.com", DeliveryState.PENDING)
    desk.browser.send("/admin/outbox/release", {"channel": "email"})
    with desk.app.app_context(), writing() as session:
        moment = clock.now()
        session.add(Worker(id=1, host="here", pid=1, started_at=moment, beat_at=moment))
    assert texts(desk.get(message), "reason") == []
    assert "They’re sent automatically" in desk.get(message).text
    for channel in ("chat", "email"):
        with desk.app.app_context(), writing() as session:
            session.add(Breaker(channel=channel, failures=3, reason=f"{channel} answered 401"))
    assert texts(desk.get(message), "reason") == [
        "It cannot be sent now: email answered 401. It’s retried automatically. Go to the outbox"
    ]


def test_an_address_that_was_forgotten_is_shown_as_such(desk: Desk, message: str) -> None:
    with desk.app.app_context():
        privacy.erase("ada@example.com", actor=ACTOR)
    found = desk.get(f"{message}?address=ada@example.com")
    (name,) = texts(found, "table", "//tbody//a")
    assert name.startswith("erased address ")
    rows = csv.DictReader(StringIO(desk.get(f"{message}/deliveries.csv").text))
    assert [row["address"] for row in rows] == [name, "bo@example.com"]


def test_what_failed_is_sent_again_and_nothing_else(
    desk: Desk, message: str, frozen: Traveller
) -> None:
    set_state(desk, "ada@example.com", DeliveryState.DELIVERED)
    set_state(desk, "bo@example.com", DeliveryState.FAILED, "550 no")
    frozen.shift(timedelta(days=4))
    desk.browser.sign_in()
    assert "Send 1 again" in texts(desk.get(message), "act")
    assert desk.browser.send(f"{message}/resend").status_code == 303
    assert said(desk.get(message)) == ["1 queued again."]
    assert states(desk) == {
        "ada@example.com": DeliveryState.DELIVERED,
        "bo@example.com": DeliveryState.PENDING,
    }
    with desk.app.app_context():
        again = (
            current_session().scalars(select(Delivery).filter_by(address="bo@example.com")).one()
        )
        assert (again.attempts, again.reason) == (0, "sent again by Kim")
        assert again.expires_at is not None
        assert again.expires_at > again.due_at
    assert actions(desk.app)[-1] == "outbox.resend"
    desk.browser.send(f"{message}/resend")
    assert said(desk.get(message)) == ["Nothing to resend."]


def test_nobody_is_sent_again_what_has_been_superseded(desk: Desk) -> None:
    desk.use_scheme("p1")
    code = desk.declare()
    with desk.app.app_context(), writing() as session:
        session.execute(update(Delivery).values(state=DeliveryState.FAILED))
        first = session.scalars(
            select(Delivery.message_id).filter_by(address="ada@example.com")
        ).one()
    desk.post(code, "identified")
    desk.browser.send(f"/admin/messages/{first}/resend")
    notices = said(desk.get(f"/admin/messages/{first}"))
    assert notices == [
        "Posted: Identified, 12:00 UTC. It goes to 2 customers, 1 chat room.", "Nothing to resend.",
    ]  # fmt: skip


def test_nobody_is_sent_again_who_must_not_be_written_to(desk: Desk, message: str) -> None:
    set_state(desk, "bo@example.com", DeliveryState.FAILED, "550 no")
    with desk.app.app_context(), writing() as session:
        session.add(Suppression(address="bo@example.com", kind="bounced", reason="bounced"))
        assert session.scalars(select(Customer).filter_by(address="bo@example.com")).one()
    # So no button offers it.
    assert "/resend" not in desk.get(message).text
    desk.browser.send(f"{message}/resend")
    assert states(desk)["bo@example.com"] is DeliveryState.FAILED


def test_the_screens_are_sound_html(desk: Desk, message: str, html_errors: HtmlChecker) -> None:
    delivery_id = set_state(desk, "ada@example.com", DeliveryState.FAILED, "550 no")
    for path in (message, f"{message}?address=nobody", f"/admin/deliveries/{delivery_id}"):
        assert html_errors(desk.get(path).text) == []


@pytest.mark.parametrize(
    "path",
    [
        "messages/4711",
        "messages/4711/deliveries.csv",
        "messages/4711/progress",
        "messages/4711/correct",
        "deliveries/4711",
        "deliveries/4711/mail",
    ],
)
def test_what_was_never_sent_is_not_found(desk: Desk, path: str) -> None:
    assert desk.get(f"/admin/{path}").status_code == 404


def test_nothing_can_be_sent_again_that_was_never_sent(desk: Desk) -> None:
    assert desk.browser.send("/admin/messages/4711/resend").status_code == 404
