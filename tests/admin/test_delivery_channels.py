"""The channels in the admin: what is wrong with each, and a test of it."""

from __future__ import annotations

from datetime import timedelta

import lxml.html
import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.access.accounts import FIRST_ACCOUNT
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Channel
from statuspage.models import Account, Delivery, DeliveryTest
from tests.browsing import Browser, actions, said, texts
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker

SCREEN = "/admin/delivery"


@pytest.fixture(autouse=True)
def _noon(frozen: Traveller) -> None:
    """All times are told from noon."""


def deliveries(app: Flask) -> list[tuple[Channel, str]]:
    with app.app_context():
        found = current_session().scalars(select(Delivery).order_by(Delivery.id))
        return [(one.channel, one.address) for one in found]


def send_test(browser: Browser, number: int) -> str:
    """Press a channel's “Send a test”, and where that leads."""
    forms = lxml.html.fromstring(browser.get(SCREEN).text).xpath(
        "//*[contains(@class,'channel')]//form"
    )
    answer = browser.send(forms[number].get("action"), dict(forms[number].form_values()))
    return str(answer.headers["Location"])


def test_what_is_not_set_up_says_so_and_names_the_settings(admin: Browser) -> None:
    page = admin.get(SCREEN)
    assert said(page) == [
        "Chat isn’t set up; colleagues aren’t notified. Set CHAT_URLS, and messages for colleagues "
        "are posted there.",
        "Email isn’t set up; emails are written to files, and nobody gets them. Set "
        "SENDGRID_API_KEY or SMTP_URL, MAIL_FROM and PUBLIC_URL.",
    ]
    assert texts(page, "channel", "//h2") == [
        "Email to customers", "Email to subscribers", "Nightly delivery test",
    ]  # fmt: skip
    assert texts(page, "channel", "//p[contains(., 'DELIVERY_TEST_EMAIL')]") != []


def test_a_test_goes_to_the_signed_in_account_and_its_report_is_shown(
    admin: Browser, app: Flask
) -> None:
    where = send_test(admin, 0)
    assert deliveries(app) == [(Channel.EMAIL, "kim@example.com")]
    report = admin.get(where)
    assert said(report)[-1] == "A test is on its way to kim@example.com."
    assert "<h1>Customer email: Test</h1>" in report.text
    assert "<h1>Subscriber email: Test</h1>" in admin.get(send_test(admin, 1)).text
    assert actions(app)[-1] == "channel.test"


def test_an_account_without_a_mailbox_is_told_why(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        session.scalars(select(Account)).one().email = FIRST_ACCOUNT
    assert send_test(admin, 0) == SCREEN
    assert said(admin.get(SCREEN))[0] == (
        "admin@example.com can’t be emailed: nobody reads email there."
    )
    assert deliveries(app) == []


def test_only_a_channel_of_ours_is_tested(admin: Browser, app: Flask) -> None:
    assert admin.send(f"{SCREEN}/test-mail", {"audience": "public"}).status_code == 400
    answer = admin.send(f"{SCREEN}/test-room", {"room": "x"}, follow_redirects=True)
    assert said(answer)[0] == "This chat room isn’t in CHAT_URLS any more."
    assert deliveries(app) == []


class TestWithChat:
    """Where a chat is set."""

    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {
            **environ,
            "SMTP_URL": "smtp://mail.example",
            "MAIL_FROM": "status@example.com",
            "CHAT_URLS": "json://chat.example/secret",
            "DELIVERY_TEST_EMAIL": "ops@example.com",
        }

    def end_test(self, app: Flask, night: str, failure: str = "") -> None:
        with app.app_context(), writing() as session:
            end = NOON + timedelta(seconds=4.5)
            session.add(
                DeliveryTest(night=night, started_at=NOON, finished_at=end, failure=failure)
            )

    def test_the_nightly_test_says_when_it_last_passed_and_why_it_failed(
        self, admin: Browser, app: Flask
    ) -> None:
        assert texts(admin.get(SCREEN), "unknown", "/span")[-1] == "Not run yet"
        self.end_test(app, "2026-03-03")
        assert texts(admin.get(SCREEN), "fine", "/span")[-1] == "Passed"
        self.end_test(app, "2026-03-04", "Email: it hung up.")
        page = admin.get(SCREEN)
        assert texts(page, "critical", "/span")[-1] == "Failed Mar 4, 2026, 12:00 UTC"
        assert texts(page, "channel", "/p")[-1] == "Email: it hung up."
        assert texts(page, "channel", "//dd")[-2:] == [
            "now Mar 4, 2026, 12:00 UTC", "4.5 seconds",
        ]  # fmt: skip

    def test_a_test_goes_to_the_room(self, admin: Browser, app: Flask) -> None:
        where = send_test(admin, 2)
        [(channel, address)] = deliveries(app)
        assert channel is Channel.CHAT
        report = admin.get(where)
        assert said(report)[-1] == "A test is on its way to the chat room."
        assert address not in admin.get(SCREEN).text.replace(f'value="{address}"', "")

    def test_each_channel_shows_its_provider_and_no_secret(
        self, admin: Browser, html_errors: HtmlChecker
    ) -> None:
        page = admin.get(SCREEN)
        assert texts(page, "channel", "//dl/div[1]/dd")[:3] == [
            "SMTP server mail.example", "SMTP server mail.example", "Webhook (JSON)",
        ]  # fmt: skip
        assert "secret" not in page.text
        assert (
            texts(page, "channel", "//ul/li")
            == ["No worker is running, so nothing is sent. Start it."] * 3
        )
        assert html_errors(page.text) == []
