"""Signing in and out, choosing a password, and invitations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.access import sign_in_limits
from statuspage.access.audit import Actor
from statuspage.core.db import current_session
from statuspage.core.enums import AccountRole
from statuspage.delivery import invitations
from tests.accounts import account_mails
from tests.browsing import (
    KIM,
    PASSWORD,
    Browser,
    actions,
    cookie,
    reasons,
    said,
)


def test_signing_in_leads_to_the_dashboard(stranger: Browser, app: Flask) -> None:
    answer = stranger.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/")
    assert stranger.get("/admin/").status_code == 200
    assert actions(app) == ["account.sign_in"]


def test_signing_in_leads_to_where_one_wanted_to_go(stranger: Browser) -> None:
    asked = stranger.get("/admin/audit?kind=page")
    assert asked.headers["Location"] == "/admin/login?next=/admin/audit?kind%3Dpage"
    answer = stranger.send_shown(asked.headers["Location"], {"email": KIM, "password": PASSWORD})
    assert answer.headers["Location"] == "/admin/audit?kind=page"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/\\evil.example/admin/",
        "/admin/\\evil.example",
        "/admin/../..//evil.example",
        "/admin/%2e%2e/history",
        "/admin//audit",
        "/admin/./audit",
        "/admin/audit\t",
        "/history",
        "javascript:alert(1)",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(stranger: Browser, target: str) -> None:
    answer = stranger.send("/admin/login", {"email": KIM, "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/admin/"


def test_who_is_signed_in_is_not_asked_again(admin: Browser) -> None:
    assert admin.get("/admin/login").headers["Location"] == "/admin/"


def test_a_sign_in_from_a_new_browser_is_mailed_to_the_owner_of_the_account(
    stranger: Browser, app: Flask, frozen: Traveller
) -> None:
    def told() -> list[tuple[str, str]]:
        with app.app_context():
            mails = account_mails(current_session())
            return [(delivery.address, message.subject) for delivery, message in mails]

    stranger.sign_in()
    stranger.send("/admin/logout")
    stranger.sign_in()
    assert told() == []
    Browser(app).sign_in()
    assert told() == [(KIM, "New sign-in to your account")]
    with app.app_context():
        [(_, message)] = account_mails(current_session())
    assert "Mar 4, 2026, 12:00 UTC: Werkzeug" in message.text


def test_what_a_session_held_before_signing_in_is_forgotten(stranger: Browser) -> None:
    planted = stranger.token()
    stranger.sign_in()
    answer = stranger.client.post("/admin/logout", data={"csrf_token": planted})
    assert answer.status_code == 400


def test_a_wrong_password_is_told_and_the_address_kept(stranger: Browser) -> None:
    answer = stranger.sign_in(password="wrong")
    assert answer.status_code == 422
    assert reasons(answer) == ["Password: Wrong email or password"]
    assert f'value="{KIM}"' in answer.text
    assert 'value="wrong"' not in answer.text
    assert answer.text.count('type="password"') == 1


def test_an_empty_form_asks_for_both(stranger: Browser) -> None:
    answer = stranger.sign_in("", "")
    assert reasons(answer) == [
        "Email address: Enter your email address",
        "Password: Enter your password",
    ]


def test_too_many_tries_are_told_how_long_to_wait(stranger: Browser, frozen: Traveller) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS):
        assert stranger.sign_in(password="wrong").status_code == 422
    frozen.shift(timedelta(minutes=5, seconds=10))
    answer = stranger.sign_in()
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "590"
    assert reasons(answer) == ["Too many attempts. Wait 10 minutes, then try again."]


def test_where_there_is_no_account_the_door_says_how_to_make_one(app: Flask) -> None:
    answer = Browser(app).get("/admin/login")
    assert said(answer) == [
        "There is no account yet. On the machine that runs the service, "
        "flask --app app setup makes the first one."
    ]


def test_signing_out_closes_the_door(admin: Browser, app: Flask) -> None:
    answer = admin.send("/admin/logout")
    assert answer.headers["Location"] == "/admin/login"
    assert "Max-Age=0" in cookie(answer, "__Host-admin_sign_in")
    assert admin.get("/admin/").status_code == 303
    assert actions(app) == ["account.sign_in", "account.sign_out"]


def test_signing_out_everywhere_closes_other_browsers_too(admin: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in()
    answer = admin.send("/admin/me/sign-out-everywhere")
    assert answer.headers["Location"] == "/admin/login"
    assert said(admin.get("/admin/login")) == ["You’re signed out everywhere."]
    assert other.get("/admin/").status_code == 303


def test_a_new_password_keeps_this_browser_and_no_other(admin: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in()
    answer = admin.send(
        "/admin/me/password", {"present": PASSWORD, "new": "another horse entirely"}
    )
    assert answer.headers["Location"] == "/admin/me"
    assert said(admin.get("/admin/me")) == [
        "Your password was changed; other browsers were signed out."
    ]
    assert other.get("/admin/").status_code == 303


def test_a_refused_password_says_why(admin: Browser) -> None:
    answer = admin.send("/admin/me/password", {"present": "wrong", "new": "short"})
    assert (answer.status_code, reasons(answer)) == (
        422,
        ["Current password: This isn’t your current password"],
    )


@pytest.fixture
def invitation(app: Flask, kim: Actor) -> str:
    with app.app_context():
        _, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=kim)
    return f"/admin/invitations/{token}"


def test_an_invited_person_comes_in_with_a_name_and_a_password(
    stranger: Browser, invitation: str
) -> None:
    page = stranger.get(invitation).text
    assert ("dana@example.com" in page, 'autocomplete="new-password"' in page) == (True, True)
    answer = stranger.send(invitation, {"name": "Dana", "password": PASSWORD})
    assert answer.headers["Location"] == "/admin/"
    assert "Dana" in stranger.get("/admin/").text


def test_opening_an_invitation_uses_it_up_no_more_than_a_link_scanner_may(
    stranger: Browser, invitation: str
) -> None:
    for _ in range(3):
        assert stranger.get(invitation).status_code == 200


def test_a_password_that_is_too_short_can_be_typed_again(
    stranger: Browser, invitation: str
) -> None:
    answer = stranger.send(invitation, {"name": "Dana", "password": "short"})
    assert (answer.status_code, reasons(answer)) == (
        422,
        ["Password: Use at least 15 characters"],
    )
    assert 'value="Dana"' in answer.text


def test_a_link_that_is_used_or_made_up_says_what_to_do(stranger: Browser, invitation: str) -> None:
    stranger.send(invitation, {"name": "Dana", "password": PASSWORD})
    for path in (invitation, "/admin/invitations/made-up"):
        answer = stranger.get(path)
        assert answer.status_code == 404
        assert "<h1>This link no longer works</h1>" in answer.text
