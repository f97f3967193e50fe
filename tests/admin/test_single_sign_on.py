"""To the provider and back, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import lxml.html
import pyotp
import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.core import clock
from tests.browsing import KIM, PASSWORD, Browser, actions, fields, reasons, said
from tests.fakes.oidc import CLIENT, SECRET, FakeProvider

AWAY = "The lab can’t be reached right now. Try again later."
UNPROVEN = "The lab didn’t confirm who you are. Try again."


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def provider(running: FakeProvider) -> FakeProvider:
    running.claims["email"], running.said = KIM, {}
    running.claims.pop("sid", None)
    running.forge = running.sign
    return running


@pytest.fixture
def environ(environ: dict[str, str], provider: FakeProvider) -> dict[str, str]:
    return environ | {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_NAME": "the lab",
    }


def go(browser: Browser, provider: FakeProvider, url: str) -> Any:
    """Sign in at the provider, and come back."""
    back = provider.authorize(dict(parse_qsl(urlsplit(url).query)))
    return browser.get(back.removeprefix("https://status.example.com"))


def enter(browser: Browser, provider: FakeProvider, then: str = "") -> Any:
    left = browser.get("/admin/sso" + (f"?next={then}" if then else ""))
    return go(browser, provider, left.headers["Location"])


def test_the_provider_leads_to_where_one_wanted_to_go(
    stranger: Browser, provider: FakeProvider, app: Flask, frozen: Traveller
) -> None:
    page = stranger.get("/admin/login?next=/admin/audit")
    [link] = lxml.html.fromstring(page.text).xpath("//a[contains(., 'Continue with')]/@href")
    left = stranger.get(link)
    assert left.headers["Location"].startswith(f"{provider.issuer}/authorize?")
    answer = go(stranger, provider, left.headers["Location"])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/audit")
    assert stranger.get("/admin/audit").status_code == 200
    assert actions(app) == ["account.link", "account.sign_in"]
    assert "You sign in with the lab" in stranger.get("/admin/me").text


def test_an_answer_is_taken_once(
    stranger: Browser, provider: FakeProvider, frozen: Traveller
) -> None:
    left = stranger.get("/admin/sso").headers["Location"]
    query = dict(parse_qsl(urlsplit(left).query))
    path = provider.authorize(query).removeprefix("https://status.example.com")
    assert stranger.get(path).headers["Location"] == "/admin/"
    stranger.send("/admin/logout")
    assert stranger.get(path).headers["Location"] == "/admin/login"
    assert stranger.get("/admin/").status_code == 303


def test_no_other_site_starts_a_sign_in(stranger: Browser, provider: FakeProvider) -> None:
    answer = stranger.get("/admin/sso", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.headers["Location"] == "/admin/login"


def test_a_token_that_proves_nothing_lets_nobody_in(
    stranger: Browser, provider: FakeProvider, app: Flask, frozen: Traveller
) -> None:
    provider.forge = lambda claims: provider.sign(claims | {"aud": "another"})
    assert enter(stranger, provider).headers["Location"] == "/admin/login"
    assert said(stranger.get("/admin/login")) == [UNPROVEN]
    assert actions(app) == []


def test_somebody_without_an_account_learns_whom_to_ask(
    stranger: Browser, provider: FakeProvider, frozen: Traveller
) -> None:
    provider.claims["email"] = "dana@example.com"
    assert enter(stranger, provider).headers["Location"] == "/admin/login"
    assert said(stranger.get("/admin/login")) == [
        "There is no account for you here. Ask an admin to invite you."
    ]


def test_the_provider_is_asked_again_before_what_is_dear(
    stranger: Browser, provider: FakeProvider, app: Flask, frozen: Traveller
) -> None:
    enter(stranger, provider)
    frozen.shift(timedelta(minutes=15))
    typed = {"email": "dana@example.com", "role": "viewer"}
    asked = stranger.send("/admin/accounts", typed)
    assert "Continue with the lab" in asked.text
    left = stranger.send("/admin/confirm/sso", fields(asked.text))
    [url] = lxml.html.fromstring(left.text).xpath("//main//a/@href")
    assert f"url={url}" in lxml.html.fromstring(left.text).xpath(
        "string(//meta[@http-equiv]/@content)"
    )
    ready = go(stranger, provider, url)
    assert fields(ready.text).items() >= typed.items()
    assert stranger.send("/admin/accounts", fields(ready.text)).status_code == 200
    assert actions(app)[-2:] == ["account.prove", "account.invite"]
    long = {"next": "/admin/accounts", "waiting": "x" * 2_001}
    assert stranger.send("/admin/confirm/sso", long).headers["Location"] == "/admin/confirm"


def test_signing_out_goes_on_to_the_provider(
    stranger: Browser, provider: FakeProvider, frozen: Traveller
) -> None:
    enter(stranger, provider)
    left = stranger.send("/admin/logout")
    [url] = lxml.html.fromstring(left.text).xpath("//main//a/@href")
    asked = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith(f"{provider.issuer}/end?")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", asked["id_token_hint"])
    assert asked["post_logout_redirect_uri"] == "https://status.example.com/admin/login"
    assert stranger.get("/admin/").status_code == 303


def test_a_session_ends_when_the_provider_says_so(
    stranger: Browser, provider: FakeProvider, frozen: Traveller
) -> None:
    provider.claims["sid"] = provider.logout_claims()["sid"]
    enter(stranger, provider)
    forged = provider.sign_logout(provider.logout_claims() | {"aud": "another"})
    refused = stranger.client.post("/hooks/oidc-logout", data={"logout_token": forged})
    assert (refused.status_code, refused.get_json()) == (
        400, {"error": "invalid_request", "error_description": UNPROVEN},
    )  # fmt: skip
    assert stranger.get("/admin/").status_code == 200
    proven = provider.sign_logout(provider.logout_claims())
    answer = stranger.client.post("/hooks/oidc-logout", data={"logout_token": proven})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert stranger.get("/admin/").headers["Location"].startswith("/admin/login")


def test_a_new_factor_leaves_a_session_the_provider_s(
    stranger: Browser, provider: FakeProvider, frozen: Traveller
) -> None:
    enter(stranger, provider)
    stranger.send("/admin/me/second-factor/begin")
    page = stranger.get("/admin/me/second-factor")
    [secret] = lxml.html.fromstring(page.text).xpath("//code[@id='secret']/text()")
    code = pyotp.TOTP(secret.replace(" ", "")).at(clock.now())
    assert stranger.send("/admin/me/second-factor", {"code": code}).status_code == 200
    assert "You sign in with the lab" in stranger.get("/admin/me").text


class TestWithoutOne:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in environ.items() if not name.startswith("OIDC_")}

    def test_there_is_no_single_sign_on(self, stranger: Browser, admin: Browser) -> None:
        assert "Continue with" not in stranger.get("/admin/login").text
        assert stranger.get("/admin/sso").status_code == 404
        assert stranger.get("/admin/sso/callback").status_code == 404
        assert admin.send("/admin/confirm/sso").status_code == 404
        assert stranger.client.post("/hooks/oidc-logout").status_code == 404


class TestProviderIsDown:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {
            "OIDC_ISSUER": "http://127.0.0.1:9",
            "OIDC_REQUIRED": "yes",
            "EMERGENCY_ACCOUNT": KIM,
        }

    def test_nobody_gets_in_but_the_emergency_account(self, stranger: Browser, app: Flask) -> None:
        assert stranger.get("/admin/sso").headers["Location"] == "/admin/login"
        page = stranger.get("/admin/login")
        assert said(page) == [AWAY]
        assert "Emergency account" in page.text
        wrong = stranger.sign_in(email="sam@example.com", password=PASSWORD)
        assert reasons(wrong) == ["Password: Wrong email or password"]
        assert stranger.sign_in().headers["Location"] == "/admin/"
        assert "The emergency account signed in" in stranger.get("/admin/").text
