from __future__ import annotations

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from statuspage.access import api_keys, sign_ins
from statuspage.access.audit import Actor
from statuspage.core.db import current_session, writing
from statuspage.delivery import account_changes
from statuspage.delivery.dispatch import Dispatcher, open_lanes
from statuspage.models import Account, Contact, Invitation, SavedDraft
from tests.browsing import KIM, PASSWORD, Browser, actions, make_account, reasons, said, texts
from tests.factories import make_incident

PREFIX = "https://status.example.com/admin/invitations/"


@pytest.fixture
def sam(app: Flask, kim: Actor) -> int:
    """The id of a colleague's account."""
    with app.app_context(), writing() as session:
        account = make_account("Sam", "sam@example.com")
        session.add(account)
        session.flush()
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
    assert reasons(answer) == ["Email address: There is an account with this address: see below"]
    assert reasons(admin.send("/admin/accounts", {"email": ""})) == [
        "Email address: Enter the email address of the person you’re inviting"
    ]


def test_an_invitation_is_withdrawn(admin: Browser, app: Flask) -> None:
    admin.send("/admin/accounts", {"email": "dana@example.com"})
    with app.app_context():
        key = current_session().scalars(select(Invitation.id)).one()
    admin.send(f"/admin/accounts/invitations/{key}/withdraw")
    page = admin.get("/admin/accounts")
    assert said(page) == ["The invitation’s link no longer works."]
    assert "dana@example.com" not in page.text


def send_mail(app: Flask) -> None:
    """What the worker does."""
    lanes = open_lanes(app.extensions["settings"])
    dispatcher = Dispatcher(app, 1, lanes)
    dispatcher.send_all()
    dispatcher.stop()


def test_a_new_password_is_chosen_over_a_link_that_its_owner_alone_is_sent(
    admin: Browser, app: Flask, sam: int
) -> None:
    admin.send(f"/admin/accounts/{sam}/new-password")
    page = admin.get("/admin/accounts")
    folder = app.extensions["settings"].data_dir / "mail"
    assert said(page) == [
        "A link to choose a new password is being emailed to sam@example.com. Email isn’t "
        f"set up; the link is in {folder}."
    ]
    send_mail(app)
    [mail] = folder.rglob("*.eml")
    [link] = set(
        re.findall(r"https://status.example.com(/admin/invitations/[0-9a-f-]+)", body(mail))
    )
    shown = [admin.get(path) for path in pages_about(mail.stem)]
    assert [answer.status_code for answer in shown] == [200, 200, 200, 404, 404]
    assert not any(link in answer.text for answer in shown)
    browser = Browser(app)
    browser.send(link, {"name": "Sam Ortiz", "password": "a much better one"})
    assert browser.get("/admin/").status_code == 200
    with app.app_context():
        assert current_session().get_one(Account, sam).name == "Sam Ortiz"


def body(mail: Path) -> str:
    """The text of a mail that lies in a file."""
    found = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",))
    assert found is not None
    return str(found.get_content())


def pages_about(delivery: str) -> list[str]:
    """Where the admin could show a delivery: the last two are of mail in files."""
    return [
        f"/admin/deliveries/{delivery}",
        f"/admin/deliveries/{delivery}/mail",
        "/admin/outbox",
        f"/admin/outbox/mail/{delivery}",
        f"/admin/outbox/mail/{delivery}/html",
    ]


class TestWithMail:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "status@example.com"}

    def test_no_link_of_an_invitation_is_shown(self, admin: Browser) -> None:
        admin.send("/admin/accounts", {"email": "dana@example.com"})
        page = admin.get("/admin/accounts")
        assert said(page) == ["dana@example.com was invited by email."]
        assert PREFIX not in page.text

    def test_a_printed_password_opens_nothing_but_the_form_for_a_better_one(
        self, app: Flask, kim: Actor
    ) -> None:
        with app.app_context():
            password = account_changes.reset_password(KIM)
        browser = Browser(app)
        browser.sign_in(KIM, password)
        assert browser.get("/admin/").headers["Location"] == "/admin/me"
        assert said(browser.get("/admin/me"))[-1] == "Choose your own password first."
        browser.send("/admin/me/password", {"present": password, "new": PASSWORD})
        assert browser.get("/admin/").status_code == 200


class TestOnALaptop:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"PUBLIC_URL": "http://status.example.com"}

    def test_a_printed_password_is_only_warned_of(self, app: Flask, kim: Actor) -> None:
        with app.app_context():
            password = account_changes.reset_password(KIM)
        browser = Browser(app)
        browser.sign_in(KIM, password)
        page = browser.get("/admin/")
        assert page.status_code == 200
        assert said(page) == [
            "Your password was printed by a command, so it may be in a terminal or a log. "
            "Choose one of your own."
        ]


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


def test_who_leaves_leaves_their_open_work_to_colleagues(
    admin: Browser, app: Flask, kim: Actor, sam: int
) -> None:
    with app.app_context(), writing() as session:
        contact = Contact(name="Sam", email="Sam@example.com")
        session.add(contact)
        session.flush()
        incident = make_incident(session, commander_id=contact.id, scribe_id=contact.id)
        code = incident.code
        session.add(SavedDraft(incident_id=incident.id, account_id=sam, form=[], seen_version=1))
        over = make_incident(session, "Old", commander_id=contact.id, updates=["resolved"])
        session.add(SavedDraft(incident_id=over.id, account_id=sam, form=[], seen_version=1))
    with app.app_context():
        api_keys.make_key("CRM sync", actor=kim, owner_id=sam)
    gone = "can no longer sign in"
    assert gone not in admin.get(f"/admin/incidents/{code}").text
    answer = admin.send(f"/admin/accounts/{sam}/disable")
    assert answer.headers["Location"] == f"/admin/accounts/{sam}/open-work"
    page = admin.get(f"/admin/accounts/{sam}/open-work")
    assert said(page) == ["The account is disabled and signed out everywhere."]
    assert texts(page, "list", "/li/div") == [
        "Payments fail Incident commander · Scribe · Investigating",
        "Payments fail Investigating",
        "CRM sync " + texts(page, "list", "/li/div/p")[-1],
    ]
    assert said(admin.get(f"/admin/incidents/{code}"))[0] == (
        "Sam, incident commander, can no longer sign in. Sam, scribe, can no longer sign in. "
        "Assign somebody else"
    )
    assert "Nothing is left open" in admin.get(f"/admin/accounts/{kim.account_id}/open-work").text
    assert admin.get("/admin/accounts/99/open-work").status_code == 404


def test_the_last_account_stays(admin: Browser, kim: Actor, app: Flask) -> None:
    admin.send(f"/admin/accounts/{kim.account_id}/disable")
    assert said(admin.get("/admin/accounts")) == [
        "This is the last admin: make somebody else an admin first"
    ]
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
        _, account = sign_ins.sign_in(KIM, "another horse entirely", address="192.0.2.1")
        assert account.email == KIM
