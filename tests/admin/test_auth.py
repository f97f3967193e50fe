from __future__ import annotations

from datetime import timedelta

import lxml.html
import pytest
from flask import Flask, Request
from time_machine import Traveller
from werkzeug.test import EnvironBuilder

from statuspage.access import alarms, sign_in_limits
from statuspage.access.audit import Actor
from statuspage.admin import auth
from statuspage.core.db import current_session, writing
from statuspage.core.links import Links
from statuspage.delivery import account_changes
from statuspage.public.http import client_address
from tests.actors import acting
from tests.browsing import (
    KIM,
    Browser,
    cookie,
    make_account,
    said,
)

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
    warning = "Your sign-in ends in 40 minutes. Sign in again before you begin anything long."
    assert "Your sign-in ends" not in admin.get("/admin/").text
    frozen.shift(timedelta(minutes=6))
    assert warning in said(admin.get("/admin/"))
    assert admin.get("/admin/login?again=1").status_code == 200


def test_a_token_that_nobody_was_given_signs_nobody_in(stranger: Browser) -> None:
    stranger.client.set_cookie(
        "__Host-admin_sign_in", "made up", domain="status.example.com", path="/"
    )
    assert stranger.get("/admin/").status_code == 303


# --- signing out ---------------------------------------------------------------------------------


def test_a_kept_cookie_is_worth_nothing_after_signing_out(admin: Browser) -> None:
    kept = admin.client.get_cookie("__Host-admin_sign_in", "status.example.com", "/")
    assert kept is not None
    admin.send("/admin/logout")
    admin.client.set_cookie(
        "__Host-admin_sign_in", kept.value, domain="status.example.com", path="/"
    )
    assert admin.get("/admin/").status_code == 303


# --- invitations ---------------------------------------------------------------------------------


def test_a_disabled_account_is_out_in_the_middle_of_its_work(
    admin: Browser, app: Flask, kim: Actor
) -> None:
    with app.app_context():
        with writing() as session:
            session.add(make_account("Sam", "sam@example.com"))
        assert kim.account_id is not None
        account_changes.disable(kim.account_id, actor=acting("Sam"))
    assert admin.get("/admin/").status_code == 303
