"""The list of all that was sent: what it shows, its filters, and the way from a bounce."""

from __future__ import annotations

import lxml.html
import pytest
from sqlalchemy import select

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import message_list
from statuspage.models import Customer, Delivery
from statuspage.recipients import suppression
from statuspage.recipients.suppression import SuppressionKind
from tests.admin.conftest import Desk
from tests.browsing import said, texts
from tests.htmlchecker import HtmlChecker

LIST = "/admin/messages"


@pytest.fixture
def resolved(desk: Desk) -> str:
    code = desk.declare()
    desk.resolve(code)
    return code


def rows(desk: Desk, query: str = "") -> list[list[str]]:
    found = lxml.html.fromstring(desk.get(LIST + query).text).xpath("//tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in found]


def bounce(desk: Desk) -> int:
    with desk.app.app_context(), writing() as session:
        delivery = session.scalars(select(Delivery).filter_by(address="bo@example.com")).one()
        delivery.state, delivery.reason = DeliveryState.BOUNCED, "no such mailbox"
        suppression.suppress(session, "bo@example.com", SuppressionKind.BOUNCED)
        return delivery.id


@pytest.mark.usefixtures("resolved")
def test_each_message_says_to_how_many_it_went_and_what_became_of_it(desk: Desk) -> None:
    bounce(desk)
    at = "Mar 4, 2026, 12:00 UTC"
    assert sorted(rows(desk)) == [
        ["Customer email: Resolved", "Payments fail", "2 by email",
         "1 accepted, 1 bounced, 1 waiting See why some failed", at],
        ["Internal message: Closed", "Payments fail", "1 in chat", "1 waiting", at],
        ["Internal message: Declared", "Payments fail", "1 in chat", "1 waiting", at],
        ["Public post: Investigating", "Payments fail", "Page and feeds", "Published", at],
        ["Public post: Resolved", "Payments fail", "Page and feeds", "Published", at],
    ]  # fmt: skip


def test_the_list_is_filtered_by_kind_and_incident(desk: Desk, resolved: str) -> None:
    assert [row[0] for row in rows(desk, "?kind=customer")] == ["Customer email: Resolved"]
    assert len(rows(desk, f"?incident={resolved}")) == 5
    assert texts(desk.get(f"{LIST}?incident=nothing"), "empty", "//strong") == ["No matches"]
    assert len(rows(desk, "?kind=carrier-pigeon&before=x")) == 5


@pytest.mark.usefixtures("resolved")
def test_a_long_list_goes_on_with_its_filter(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_list, "PAGE_SIZE", 1)
    first = desk.get(f"{LIST}?kind=public")
    [link] = lxml.html.fromstring(first.text).xpath("//nav[@class='pager']//a/@href")
    assert [row[0] for row in rows(desk, link.removeprefix(LIST))] == ["Public post: Investigating"]
    assert texts(desk.get(link), "pager", "/a") == ["Newest"]


def test_before_anything_was_sent_it_says_so(desk: Desk) -> None:
    assert texts(desk.get(LIST), "empty", "//strong") == ["No messages yet"]


@pytest.mark.usefixtures("resolved")
def test_a_bounce_leads_to_the_customer_and_to_sending_again(desk: Desk) -> None:
    number = bounce(desk)
    tree = lxml.html.fromstring(desk.get(f"{LIST}?kind=customer").text)
    [why] = tree.xpath("//a[contains(., 'See why')]/@href")
    assert texts(desk.get(why), "table", "//tbody//a") == ["bo@example.com"]
    delivery = desk.get(f"/admin/deliveries/{number}")
    assert "Nothing is sent to this address; resubscribe or correct it first." in delivery.text
    refused = desk.browser.send(f"/admin/deliveries/{number}/again", follow_redirects=True)
    assert said(refused)[0].startswith("Nothing is sent to this address")
    [customer] = lxml.html.fromstring(delivery.text).xpath("//p[contains(., 'Customer:')]/a/@href")
    assert "<h1>bo@example.com</h1>" in desk.get(customer).text
    with desk.app.app_context(), writing() as session:
        one = session.scalars(select(Customer).filter_by(address="bo@example.com")).one()
        one.email = one.address = "bob@example.com"
    answer = desk.browser.send(f"/admin/deliveries/{number}/again", follow_redirects=True)
    assert said(answer)[0] == "Queued again, to bob@example.com."
    with desk.app.app_context():
        chosen = select(Delivery.address).filter_by(channel=Channel.EMAIL)
        waiting = chosen.where(Delivery.state == DeliveryState.PENDING)
        assert sorted(current_session().scalars(waiting)) == ["ada@example.com", "bob@example.com"]


@pytest.mark.usefixtures("resolved")
def test_the_screens_are_correct_html(desk: Desk, html_errors: HtmlChecker) -> None:
    number = bounce(desk)
    pages = [desk.get(LIST), desk.get(f"/admin/deliveries/{number}")]
    assert [html_errors(page.text) for page in pages] == [[], []]
