"""The checklist after set-up: its state is found from the data, and one click hides it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole, DeliveryState
from statuspage.models import Account, Delivery, Invitation, Page
from tests.announcing import make_customer
from tests.browsing import Browser, actions, make_account, said, texts
from tests.factories import NOON, make_incident

ALL = [
    "Send yourself a test email", "Set up chat", "Invite a colleague", "Import customers",
    "Run a drill", "Set up your second factor", "Require a second factor",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _noon(frozen: Traveller) -> None:
    """All times are told from noon."""


def still_open(browser: Browser) -> list[str]:
    return texts(browser.get("/admin/"), "todo", "//a")


def send_test(browser: Browser) -> None:
    browser.send("/admin/delivery/test-mail", {"audience": "customer", "form_key": "one"})


def settle(app: Flask, state: DeliveryState) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Delivery).values(state=state))


def test_a_new_page_has_everything_to_do(admin: Browser) -> None:
    assert still_open(admin) == ALL
    assert texts(admin.get("/admin/"), "setup", "//header/p") == ["0 of 7 done"]


def test_what_was_done_is_found_in_the_data(admin: Browser, app: Flask) -> None:
    send_test(admin)
    settle(app, DeliveryState.DELIVERED)
    with app.app_context(), writing() as session:
        session.add(make_account("Sam", "sam@example.com"))
        session.add(make_customer("ada@example.com", "Ada"))
        make_incident(session, "Practice", is_drill=True, updates=["resolved"])
        session.execute(update(Account).where(Account.name == "Kim").values(totp_since=NOON))
    page = admin.get("/admin/")
    assert still_open(admin) == ["Set up chat", "Require a second factor"]
    assert texts(page, "done", "//p/span[@class='mark']") == [
        "Written to a file: email isn’t set up"
    ]


def test_a_test_that_was_not_accepted_is_not_done(admin: Browser, app: Flask) -> None:
    send_test(admin)
    settle(app, DeliveryState.FAILED)
    assert still_open(admin) == ALL
    assert texts(admin.get("/admin/"), "setup", "//li[1]//span[@class='mark']") == [
        "Not accepted yet"
    ]


def test_an_invitation_is_on_its_way(admin: Browser, app: Flask) -> None:
    admin.send("/admin/accounts", {"email": "sam@example.com", "role": "viewer"})
    with app.app_context():
        assert current_session().scalars(select(Invitation)).all() != []
    assert texts(admin.get("/admin/"), "setup", "//li[3]//span[@class='mark']") == [
        "Invitation sent"
    ]


def test_one_click_hides_it_for_the_page(admin: Browser, app: Flask) -> None:
    answer = admin.send("/admin/checklist/dismiss", follow_redirects=True)
    assert said(answer) == ["The checklist is hidden."]
    assert texts(answer, "setup") == []
    admin.send("/admin/checklist/dismiss")
    assert actions(app) == ["account.sign_in", "page.dismiss_checklist"]


def test_it_is_for_those_who_may_change_settings(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Account).values(role=AccountRole.COMMS_LEAD))
    assert texts(admin.get("/admin/"), "setup") == []


def test_the_demo_has_none(admin: Browser, app: Flask) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Page).values(is_demo=True))
    assert texts(admin.get("/admin/"), "setup") == []
