"""The outbox in the admin: what waits, stopping and releasing, and mail that lies in files."""

from __future__ import annotations

from datetime import timedelta

import lxml.html
import pytest
import time_machine
from flask import Flask

from statuspage.access import alarms
from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Channel
from statuspage.delivery import control
from statuspage.delivery.channels.chat import chat_drawer
from statuspage.delivery.claims import new_worker_id
from statuspage.delivery.dispatch import Dispatcher, open_lanes
from statuspage.models import Breaker
from tests.announcing import Scenario, declare, resolve, set_up_scenario
from tests.browsing import Browser, actions, make_account, reasons, said, texts
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker

OUTBOX = "/admin/outbox"


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app, customers=1)


@pytest.fixture
def admin(app: Flask, scenario: Scenario) -> Browser:
    """A browser that is signed in, on a page with customers."""
    with app.app_context(), writing() as session:
        session.add(make_account())
    browser = Browser(app)
    assert browser.sign_in().status_code == 303
    return browser


def announce(app: Flask, scenario: Scenario) -> None:
    """Resolve an incident, so that two customers and the chat are written to."""
    with app.app_context():
        resolve(declare(scenario).code)


def send_all(app: Flask) -> None:
    settings = app.extensions["settings"]
    dispatcher = Dispatcher(app, new_worker_id(), open_lanes(settings))
    dispatcher.send_all()
    dispatcher.stop()


def test_an_empty_outbox_says_so(admin: Browser) -> None:
    page = admin.get(OUTBOX)
    assert texts(page, "calm", "//strong") == ["Nothing is waiting."]
    assert "No email provider is set up" in page.text


def test_what_waits_is_told_by_channel_and_age(
    admin: Browser, app: Flask, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    announce(app, scenario)
    frozen.move_to(NOON + timedelta(minutes=5))
    with app.app_context():
        declare(scenario)
    rows = lxml.html.fromstring(admin.get(OUTBOX).text).xpath("//tbody/tr")
    cells = [[" ".join(cell.text_content().split()) for cell in row] for row in rows]
    assert cells == [
        ["Email", "2", "0", "2", "0", "0", "0", "0", "5 minutes ago"],
        ["Chat", "3", "1", "2", "0", "0", "0", "0", "5 minutes ago"],
    ]


def test_what_waits_is_named_and_leads_to_its_report(
    admin: Browser, app: Flask, scenario: Scenario
) -> None:
    announce(app, scenario)
    page = admin.get(OUTBOX)
    found = lxml.html.fromstring(page.text).xpath("//section[@aria-labelledby='waiting']//li")
    named = [" ".join(" ".join(one.itertext()).split()).partition(" · ")[0] for one in found]
    assert named == [
        "Customer email: Resolved Payments fail 2 to go",
        "Internal message: Closed Payments fail 1 to go",
        "Internal message: Declared Payments fail 1 to go",
    ]
    [link] = found[0].xpath(".//a/@href")
    assert "<h1>Customer email: Resolved</h1>" in admin.get(link).text


def test_sending_is_stopped_by_hand_and_released(
    admin: Browser, app: Flask, scenario: Scenario
) -> None:
    answer = admin.send(
        f"{OUTBOX}/hold", {"channel": "email", "reason": "Wrong text"}, follow_redirects=True
    )
    assert said(answer)[0] == "Paused. Waiting messages are kept until you resume."
    assert "Email is paused. Wrong text" in said(answer)[1]
    with app.app_context():
        assert control.may_send(current_session(), Channel.EMAIL) is False
        assert control.may_send(current_session(), Channel.CHAT) is True
    answer = admin.send(f"{OUTBOX}/release", {"channel": "email"}, follow_redirects=True)
    assert said(answer) == ["Resumed. Waiting messages are being sent."]
    with app.app_context():
        assert control.may_send(current_session(), Channel.EMAIL) is True
    assert actions(app)[-2:] == ["outbox.hold", "outbox.release"]


def test_a_stop_needs_a_reason(admin: Browser, app: Flask) -> None:
    answer = admin.send(f"{OUTBOX}/hold", {"channel": "all", "reason": ""})
    assert answer.status_code == 422
    assert reasons(answer) == ["Why: Say why, for anyone who finds sending paused"]
    with app.app_context():
        assert control.holds(current_session()) == []


@pytest.mark.parametrize("channel", ["", "page", "carrier pigeon"])
def test_only_a_channel_can_be_stopped_or_released(
    admin: Browser, app: Flask, channel: str
) -> None:
    held = admin.send(f"{OUTBOX}/hold", {"channel": channel, "reason": "x"})
    released = admin.send(f"{OUTBOX}/release", {"channel": channel})
    assert (held.status_code, released.status_code) == (422, 400)


def test_a_provider_that_fails_is_told_in_words(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        until = clock.now() + timedelta(minutes=2)
        session.add(Breaker(channel="email", failures=3, reason="it hung up", open_until=until))
        alarms.raise_alarm(session, "channel.email", "Email cannot be sent.")
    notices = said(admin.get(OUTBOX))
    assert notices[0].startswith("Email cannot be sent.Since")
    assert notices[1] == (
        "Email cannot be sent now. It failed 3 times in a row: it hung up "
        "It’s retried in 2 minutes, automatically."
    )


def test_written_mail_can_be_read(admin: Browser, app: Flask, scenario: Scenario) -> None:
    announce(app, scenario)
    send_all(app)
    listed = admin.get(OUTBOX)
    links = lxml.html.fromstring(listed.text).xpath("//section[@aria-labelledby='mails']//a/@href")
    assert len(links) == 2
    mail = admin.get(links[0])
    assert texts(mail, "mail-head", "//dd")[1] in {"Customer 1 <c1@example.com>",
                                                   "Shopper <shopper@example.com>"}  # fmt: skip
    assert "The problem with Checkout is fully resolved." in texts(mail, "source-text")[0]
    (frame,) = lxml.html.fromstring(mail.text).xpath("//iframe/@src")
    html = admin.get(frame)
    assert "The problem with Checkout is fully resolved." in html.text
    assert "script-src" not in html.headers["Content-Security-Policy"]
    assert "sandbox" in html.headers["Content-Security-Policy"]
    assert html.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_chat_without_a_room_can_be_read(
    admin: Browser, settings: Settings, scenario: Scenario
) -> None:
    chat_drawer(settings.data_dir).put(
        "7", b'{"title": "SEV1: <Payments>", "text": "They fail."}', at=NOON
    )
    page = admin.get(OUTBOX)
    assert texts(page, "notes", "//summary/strong") == ["SEV1: <Payments>"]
    assert texts(page, "notes", "//pre") == ["They fail."]


def test_without_a_chat_nothing_says_that_colleagues_were_told(admin: Browser) -> None:
    page = admin.get(OUTBOX)
    assert texts(page, "state minor") == ["Chat isn’t set up; colleagues aren’t notified."]
    assert "Everything that was to be sent has been handed over" not in page.text


@pytest.mark.parametrize("name", ["4711", "..", "x.y", "%2e%2e%2fsecret_key"])
def test_only_a_mail_that_was_written_can_be_read(admin: Browser, name: str) -> None:
    assert admin.get(f"{OUTBOX}/mail/{name}/html").status_code == 404


def test_the_pages_are_correct_html(
    admin: Browser, app: Flask, scenario: Scenario, html_errors: HtmlChecker
) -> None:
    empty = admin.get(OUTBOX)
    announce(app, scenario)
    waiting = admin.get(OUTBOX)
    send_all(app)
    full = admin.get(OUTBOX)
    link = lxml.html.fromstring(full.text).xpath("//section[@aria-labelledby='mails']//a/@href")[0]
    pages = [empty, waiting, full, admin.get(link), admin.send(f"{OUTBOX}/hold")]
    assert [html_errors(page.text) for page in pages] == [[]] * len(pages)
