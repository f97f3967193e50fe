from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from statuspage import accounts
from statuspage.audit import Actor
from statuspage.db import session, writing
from statuspage.models import Account, Invitation
from tests.web.conftest import KIM, PASSWORD, Browser, actions, make_account, reasons, said, texts

PREFIX = "https://status.example.com/admin/invitations/"


@pytest.fixture
def sam(app: Flask, kim: Actor) -> int:
    """The id of a colleague's account."""
    with app.app_context(), writing() as current:
        account = make_account("Sam", "sam@example.com")
        current.add(account)
        current.flush()
        return account.id


def test_an_invitation_s_link_is_shown_once(admin: Browser, app: Flask) -> None:
    answer = admin.send("/admin/accounts", {"email": "dana@example.com"})
    assert answer.status_code == 200
    link = texts(answer, "copy", "/code")[0]
    assert link.startswith(PREFIX)
    assert PREFIX not in admin.get("/admin/accounts").text
    assert Browser(app).get(link.removeprefix("https://status.example.com")).status_code == 200


def test_who_has_an_account_is_not_invited_again(admin: Browser) -> None:
    answer = admin.send("/admin/accounts", {"email": KIM.upper()})
    assert reasons(answer) == ["Mail address: There is an account with this address: see below"]
    assert reasons(admin.send("/admin/accounts", {"email": ""})) == [
        "Mail address: Enter the mail address of whom you invite"
    ]


def test_an_invitation_is_withdrawn(admin: Browser, app: Flask) -> None:
    admin.send("/admin/accounts", {"email": "dana@example.com"})
    with app.app_context():
        key = session().scalars(select(Invitation.id)).one()
    admin.send(f"/admin/accounts/invitations/{key}/withdraw")
    page = admin.get("/admin/accounts")
    assert said(page) == ["The invitation's link does not work any more."]
    assert "dana@example.com" not in page.text


def test_a_forgotten_password_is_replaced_over_a_link(admin: Browser, app: Flask, sam: int) -> None:
    answer = admin.send(f"/admin/accounts/{sam}/new-password")
    link = texts(answer, "copy", "/code")[0].removeprefix("https://status.example.com")
    browser = Browser(app)
    browser.send(link, {"name": "Sam Ortiz", "password": "a much better one"})
    assert browser.get("/admin/").status_code == 200
    with app.app_context():
        assert session().get_one(Account, sam).name == "Sam Ortiz"


def test_an_account_is_disabled_and_enabled(admin: Browser, app: Flask, sam: int) -> None:
    browser = Browser(app)
    browser.sign_in("sam@example.com")
    admin.send(f"/admin/accounts/{sam}/disable")
    assert said(admin.get("/admin/accounts")) == [
        "The account is disabled and signed out everywhere."
    ]
    assert browser.get("/admin/").status_code == 303
    assert browser.sign_in("sam@example.com").status_code == 422
    admin.send(f"/admin/accounts/{sam}/enable")
    assert browser.sign_in("sam@example.com").status_code == 303


def test_the_last_account_stays(admin: Browser, kim: Actor, app: Flask) -> None:
    admin.send(f"/admin/accounts/{kim.account_id}/disable")
    assert said(admin.get("/admin/accounts")) == ["This is the last account that can sign in"]
    assert actions(app) == ["account.sign_in"]


def test_nobody_disables_themselves_by_a_slip(admin: Browser, kim: Actor, sam: int) -> None:
    page = admin.get("/admin/accounts").text
    assert f"/admin/accounts/{sam}/disable" in page
    assert f"/admin/accounts/{kim.account_id}/disable" not in page


def test_one_s_own_name_is_changed(admin: Browser, app: Flask) -> None:
    admin.send("/admin/me", {"name": "Kim Lee"})
    assert "Kim Lee" in admin.get("/admin/").text
    assert reasons(admin.send("/admin/me", {"name": ""})) == ["Your name: Enter your name"]


def test_one_s_own_password_is_changed(admin: Browser, app: Flask) -> None:
    admin.send("/admin/me/password", {"present": PASSWORD, "new": "another horse entirely"})
    assert admin.get("/admin/").status_code == 200
    with app.app_context():
        _, account = accounts.sign_in(KIM, "another horse entirely", address="192.0.2.1")
        assert account.email == KIM
