"""Setting up an authenticator app, and signing in with it."""

from __future__ import annotations

import re
from urllib.parse import unquote

import lxml.html
import pyotp
import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.core import clock
from tests.browsing import Browser, reasons, said, texts


def set_up(browser: Browser) -> list[str]:
    """Go through the screens; returns the recovery codes that they show."""
    browser.send("/admin/me/second-factor/begin")
    page = browser.get("/admin/me/second-factor")
    [secret] = lxml.html.fromstring(page.text).xpath("//code[@id='secret']/text()")
    app = pyotp.TOTP(secret.replace(" ", ""))
    shown = browser.send("/admin/me/second-factor", {"code": app.at(clock.now())})
    return re.findall(r"<code>([a-z0-9-]+)</code>", shown.text)


def test_an_app_is_set_up_with_a_picture_and_a_key(admin: Browser) -> None:
    assert admin.get("/admin/me/second-factor").status_code == 200
    admin.send("/admin/me/second-factor/begin")
    page = lxml.html.fromstring(admin.get("/admin/me/second-factor").text)
    picture = unquote(page.xpath("//img/@src")[0])
    assert picture.startswith("data:image/svg+xml")
    assert 'fill="#fff"' in picture.replace("'", '"')  # as apps read it, in the dark scheme too
    assert "style=" not in page.xpath("string(//img/@src)").split(",")[0]
    wrong = admin.send("/admin/me/second-factor", {"code": "000000"})
    assert reasons(wrong) == ["Code: This is not the code that the app shows now"]


def test_a_lost_phone_is_replaced_by_a_recovery_code(
    admin: Browser, app: Flask, frozen: Traveller
) -> None:
    admin.sign_in()
    codes = set_up(admin)
    assert len(codes) == 10
    admin.send("/admin/logout")
    asked = admin.sign_in()
    assert asked.headers["Location"] == "/admin/login/code"
    assert admin.get("/admin/").status_code == 303
    wrong = admin.send("/admin/login/code", {"code": "abcde-fghij"})
    assert reasons(wrong) == ["Code: This code is wrong, or was used already"]
    answer = admin.send("/admin/login/code", {"code": codes[0]})
    assert answer.headers["Location"] == "/admin/"
    assert "9 of 10 are left" in admin.get("/admin/me/second-factor").text


def test_the_page_for_the_code_is_nothing_without_the_password(stranger: Browser) -> None:
    assert stranger.get("/admin/login/code").headers["Location"] == "/admin/login"
    assert stranger.send("/admin/login/code", {"code": "1"}).headers["Location"] == "/admin/login"


class TestRequired:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"REQUIRE_SECOND_FACTOR": "all"}

    def test_nothing_else_opens_before_it_is_set_up(self, admin: Browser) -> None:
        assert admin.get("/admin/").headers["Location"] == "/admin/me/second-factor"
        assert said(admin.get("/admin/me/second-factor")) == [
            "Your role needs a second factor: set it up first."
        ]
        assert len(set_up(admin)) == 10
        assert admin.get("/admin/").status_code == 200
        page = admin.get("/admin/me/second-factor")
        assert "it cannot be removed" in page.text
        assert texts(page, "risky") == []
