from __future__ import annotations

from datetime import timedelta

import lxml.html
import pytest
from flask import Flask, Request
from time_machine import Traveller
from werkzeug.http import parse_cookie
from werkzeug.test import EnvironBuilder, TestResponse

from statuspage.access import alarms, sign_in_limits
from statuspage.access.audit import Actor
from statuspage.admin import auth
from statuspage.core.db import current_session, writing
from statuspage.core.enums import AccountRole
from statuspage.core.links import Links
from statuspage.delivery import account_changes, invitations
from statuspage.public.http import client_address
from tests.actors import acting
from tests.browsing import (
    KIM,
    PASSWORD,
    Browser,
    actions,
    make_account,
    reasons,
    said,
)


def cookie(response: TestResponse, name: str) -> list[str]:
    """The attributes of a cookie that an answer sets, its value left out."""
    for header in response.headers.getlist("Set-Cookie"):
        if name in parse_cookie(header):
            return sorted(part.strip() for part in header.split(";")[1:])
    return []


# --- whose address it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, ["203.0.113.5"], "127.0.0.1"),
        (1, [], "127.0.0.1"),
        (1, ["203.0.113.5"], "203.0.113.5"),
        (1, ["6.6.6.6, 203.0.113.5"], "203.0.113.5"),
        (1, ["6.6.6.6", "203.0.113.5"], "203.0.113.5"),
        (2, ["6.6.6.6, 203.0.113.5, 10.0.0.1"], "203.0.113.5"),
        (2, ["203.0.113.5"], "127.0.0.1"),
        (1, ["2001:db8::1"], "2001:db8::1"),
        (1, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (1, ["203.0.113.5:4711"], "203.0.113.5"),
        (1, ["nonsense"], "127.0.0.1"),
        (1, [""], "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed_about_the_address(
    trusted: int, forwarded: list[str], address: str
) -> None:
    builder = EnvironBuilder(
        headers=[("X-Forwarded-For", value) for value in forwarded],
        environ_base={"REMOTE_ADDR": "127.0.0.1"},
    )
    assert client_address(Request(builder.get_environ()), trusted=trusted) == address


class TestBehindAProxy:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"TRUSTED_PROXIES": "1"}

    def test_each_client_is_throttled_for_itself(self, stranger: Browser) -> None:
        def try_from(address: str) -> int:
            return stranger.send(
                "/admin/login",
                {"email": "x@example.com", "password": "wrong"},
                headers={"X-Forwarded-For": f"6.6.6.6, {address}"},
            ).status_code

        tries = [try_from("203.0.113.5") for _ in range(sign_in_limits.TRIES_BY_ADDRESS + 1)]
        assert tries == [422] * sign_in_limits.TRIES_BY_ADDRESS + [429]
        assert try_from("203.0.113.6") == 422


FORWARDED = {"X-Forwarded-For": "203.0.113.5"}


def alarms_standing(app: Flask) -> list[str]:
    with app.app_context():
        return [alarm.key for alarm in alarms.open_alarms(current_session())]


def test_a_proxy_that_is_not_counted_is_an_alarm_until_it_is_gone(
    admin: Browser, app: Flask, frozen: Traveller
) -> None:
    admin.sign_in()
    admin.get("/admin/", headers=FORWARDED)
    assert alarms_standing(app) == ["proxy"]
    admin.get("/admin/")
    assert alarms_standing(app) == ["proxy"]
    frozen.shift(timedelta(hours=1, seconds=1))
    admin.get("/admin/")
    assert alarms_standing(app) == []


def test_no_stranger_raises_the_alarm_about_a_proxy(stranger: Browser, app: Flask) -> None:
    stranger.get("/admin/", headers=FORWARDED)
    stranger.send("/admin/login", {"email": KIM, "password": "wrong"}, headers=FORWARDED)
    assert alarms_standing(app) == []


def test_strangers_behind_the_same_proxy_do_not_close_the_admin(admin: Browser, app: Flask) -> None:
    stranger = Browser(app)
    tries = [
        stranger.sign_in(password="wrong").status_code
        for _ in range(sign_in_limits.TRIES_BY_ADDRESS + 1)
    ]
    assert tries[-1] == 429
    admin.send("/admin/logout")
    assert admin.sign_in().status_code == 303


# --- signing in ----------------------------------------------------------------------------------


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


def test_the_cookies_are_for_the_admin_alone_and_for_no_script(stranger: Browser) -> None:
    attributes = ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
    assert cookie(stranger.get("/admin/login"), "__Host-admin_session") == attributes
    answer = stranger.sign_in()
    given = cookie(answer, "__Host-admin_sign_in")
    assert [part for part in given if not part.startswith(("Expires", "Max-Age"))] == attributes
    assert "Max-Age=43200" in given


class TestWithoutTls:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"PUBLIC_URL": "http://127.0.0.1:8000"}

    def test_cookies_are_not_secure_on_a_laptop(self, app: Flask, kim: Actor) -> None:
        answer = app.test_client().get("/admin/login", base_url="http://127.0.0.1:8000")
        assert cookie(answer, "admin_session") == ["HttpOnly", "Path=/admin", "SameSite=Lax"]


def test_what_a_session_held_before_signing_in_is_forgotten(stranger: Browser) -> None:
    planted = stranger.token()
    stranger.sign_in()
    answer = stranger.client.post("/admin/logout", data={"csrf_token": planted})
    assert answer.status_code == 400


def test_a_wrong_password_is_told_and_the_address_kept(stranger: Browser) -> None:
    answer = stranger.sign_in(password="wrong")
    assert answer.status_code == 422
    assert reasons(answer) == ["Password: That mail address and password do not belong together"]
    assert f'value="{KIM}"' in answer.text
    assert 'value="wrong"' not in answer.text


def test_an_empty_form_asks_for_both(stranger: Browser) -> None:
    answer = stranger.sign_in("", "")
    assert reasons(answer) == [
        "Email address: Enter your mail address",
        "Password: Enter your password",
    ]


def test_too_many_tries_are_told_how_long_to_wait(stranger: Browser, frozen: Traveller) -> None:
    for _ in range(sign_in_limits.TRIES_BY_ADDRESS):
        assert stranger.sign_in(password="wrong").status_code == 422
    frozen.shift(timedelta(minutes=5, seconds=10))
    answer = stranger.sign_in()
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "590"
    assert reasons(answer) == ["Too many tries. Wait 10 minutes, then try again."]


def test_where_there_is_no_account_the_door_says_how_to_make_one(app: Flask) -> None:
    answer = Browser(app).get("/admin/login")
    assert said(answer) == [
        "There is no account yet. On the machine that runs the service, "
        "flask --app app setup makes the first one."
    ]


def test_a_sign_in_ends_by_itself(admin: Browser, frozen: Traveller) -> None:
    admin.sign_in()
    work(admin, timedelta(hours=12, seconds=-1), frozen)
    assert admin.get("/admin/").status_code == 200
    frozen.shift(timedelta(seconds=1))
    assert admin.get("/admin/").status_code == 303


def work(admin: Browser, time: timedelta, frozen: Traveller) -> None:
    """Let time pass in which the browser asks once an hour."""
    while time > timedelta():
        step = min(time, timedelta(hours=1))
        frozen.shift(step)
        time -= step
        admin.get("/admin/contacts")


def test_a_session_that_nobody_uses_ends(admin: Browser, frozen: Traveller) -> None:
    admin.sign_in()
    frozen.shift(timedelta(hours=2))
    assert admin.get("/admin/").status_code == 303


def test_sessions_are_listed_and_ended(admin: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in()
    page = lxml.html.fromstring(admin.get("/admin/me").text)
    [address] = page.xpath("//form[contains(@action, '/admin/me/sessions/')]/@action")
    admin.send(address)
    assert other.get("/admin/").status_code == 303
    assert said(admin.get("/admin/me")) == ["That session has ended."]


# --- cookies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("public_url", "name", "path"),
    [
        ("https://status.example.com", "__Host-admin_sign_in", "/"),
        ("https://example.com/status", "__Secure-admin_sign_in", "/status"),
        ("http://127.0.0.1:8000", "admin_sign_in", "/admin"),
    ],
)
def test_under_tls_a_cookie_has_a_name_that_no_other_host_can_plant(
    public_url: str, name: str, path: str
) -> None:
    links = Links(public_url)
    assert (auth.cookie_name(auth.COOKIE, links), auth.cookie_path(links)) == (name, path)


def test_a_sign_in_that_ends_soon_is_told_before_anything_long_is_begun(
    admin: Browser, frozen: Traveller
) -> None:
    admin.sign_in()
    work(admin, timedelta(hours=11, minutes=14), frozen)
    assert said(admin.get("/admin/")) == []
    frozen.shift(timedelta(minutes=6))
    assert said(admin.get("/admin/")) == [
        "Your sign-in ends in 40 minutes. Sign in again before you begin anything long."
    ]
    assert admin.get("/admin/login?again=1").status_code == 200


def test_a_token_that_nobody_was_given_signs_nobody_in(stranger: Browser) -> None:
    stranger.client.set_cookie(
        "__Host-admin_sign_in", "made up", domain="status.example.com", path="/"
    )
    assert stranger.get("/admin/").status_code == 303


# --- signing out ---------------------------------------------------------------------------------


def test_signing_out_closes_the_door(admin: Browser, app: Flask) -> None:
    answer = admin.send("/admin/logout")
    assert answer.headers["Location"] == "/admin/login"
    assert "Max-Age=0" in cookie(answer, "__Host-admin_sign_in")
    assert admin.get("/admin/").status_code == 303
    assert actions(app) == ["account.sign_in", "account.sign_out"]


def test_a_kept_cookie_is_worth_nothing_after_signing_out(admin: Browser) -> None:
    kept = admin.client.get_cookie("__Host-admin_sign_in", "status.example.com", "/")
    assert kept is not None
    admin.send("/admin/logout")
    admin.client.set_cookie(
        "__Host-admin_sign_in", kept.value, domain="status.example.com", path="/"
    )
    assert admin.get("/admin/").status_code == 303


def test_signing_out_everywhere_closes_other_browsers_too(admin: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in()
    answer = admin.send("/admin/me/sign-out-everywhere")
    assert answer.headers["Location"] == "/admin/login"
    assert said(admin.get("/admin/login")) == ["You are signed out everywhere."]
    assert other.get("/admin/").status_code == 303


def test_a_new_password_keeps_this_browser_and_no_other(admin: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in()
    answer = admin.send(
        "/admin/me/password", {"present": PASSWORD, "new": "another horse entirely"}
    )
    assert answer.headers["Location"] == "/admin/me"
    assert said(admin.get("/admin/me")) == [
        "Your password is changed; other browsers are signed out."
    ]
    assert other.get("/admin/").status_code == 303


def test_a_refused_password_says_why(admin: Browser) -> None:
    answer = admin.send("/admin/me/password", {"present": "wrong", "new": "short"})
    assert (answer.status_code, reasons(answer)) == (
        422,
        ["Present password: This is not your present password"],
    )


# --- invitations ---------------------------------------------------------------------------------


@pytest.fixture
def invitation(app: Flask, kim: Actor) -> str:
    with app.app_context():
        _, token = invitations.invite("dana@example.com", AccountRole.RESPONDER, actor=kim)
    return f"/admin/invitations/{token}"


def test_an_invited_person_comes_in_with_a_name_and_a_password(
    stranger: Browser, invitation: str
) -> None:
    assert "dana@example.com" in stranger.get(invitation).text
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
        ["Password: Use at least 12 characters"],
    )
    assert 'value="Dana"' in answer.text


def test_a_link_that_is_used_or_made_up_says_what_to_do(stranger: Browser, invitation: str) -> None:
    stranger.send(invitation, {"name": "Dana", "password": PASSWORD})
    for path in (invitation, "/admin/invitations/made-up"):
        answer = stranger.get(path)
        assert answer.status_code == 404
        assert "<h1>This link no longer works</h1>" in answer.text


def test_a_disabled_account_is_out_in_the_middle_of_its_work(
    admin: Browser, app: Flask, kim: Actor
) -> None:
    with app.app_context():
        with writing() as session:
            session.add(make_account("Sam", "sam@example.com"))
        assert kim.account_id is not None
        account_changes.disable(kim.account_id, actor=acting("Sam"))
    assert admin.get("/admin/").status_code == 303
