"""Passkeys, by an authenticator in software."""

from __future__ import annotations

import re
from datetime import timedelta

import lxml.html
import pytest
from flask import Flask
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.core.db import current_session, writing
from tests.accounts import account_mails
from tests.browsing import Browser, actions, fields, make_account, reasons, said
from tests.fakes.authenticator import Authenticator

PASSKEYS = "/admin/me/passkeys"
NOT_TAKEN = "That passkey wasn’t accepted. Try again, or sign in another way."
COULD_NOT = "That passkey couldn’t be added. Try again."


def options(page: TestResponse) -> str:
    """What the page asks the browser's authenticator."""
    [found] = lxml.html.fromstring(page.text).xpath("//form[@data-passkey]/@data-options")
    return str(found)


def add(browser: Browser, key: Authenticator, name: str = "Blue key") -> TestResponse:
    made = key.create(options(browser.get(PASSKEYS)))
    return browser.send(PASSKEYS, {"credential": made, "name": name})


def enter(browser: Browser, key: Authenticator, page: str = "/admin/login?again=1") -> TestResponse:
    proof = key.get(options(browser.get(page)))
    return browser.send("/admin/login/passkey", {"credential": proof})


def proof(page: TestResponse, key: Authenticator) -> dict[str, str]:
    """The form of a page that asks for a passkey, with what that one proves."""
    [form] = [one for one in lxml.html.fromstring(page.text).forms if "data-passkey" in one.attrib]
    return dict(form.form_values()) | {"credential": key.get(options(page))}


@pytest.fixture
def key(admin: Browser, frozen: Traveller) -> Authenticator:
    """A passkey of Kim's, who is signed out."""
    made = Authenticator()
    admin.sign_in()
    assert add(admin, made).status_code == 200
    admin.send("/admin/logout")
    return made


def test_the_first_passkey_brings_recovery_codes_and_a_mail(
    admin: Browser, app: Flask, frozen: Traveller
) -> None:
    admin.sign_in()
    shown = add(admin, Authenticator())
    assert len(re.findall(r"<code>([a-z0-9-]+)</code>", shown.text)) == 10
    assert add(admin, Authenticator(), name="").status_code == 303
    page = admin.get(PASSKEYS).text
    assert ["Blue key" in page, "Werkzeug" in page, page.count("Not used yet")] == [True, True, 2]
    assert actions(app)[-2:] == ["account.add_passkey"] * 2
    with app.app_context():
        [(_, message), _] = account_mails(current_session())
    assert "has a new passkey" in message.text


def test_a_passkey_signs_in_alone(admin: Browser, key: Authenticator, app: Flask) -> None:
    answer = enter(admin, key)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/")
    assert admin.get("/admin/").status_code == 200
    assert "Last used" in admin.get(PASSKEYS).text
    assert actions(app)[-1] == "account.sign_in"


def test_a_passkey_is_the_second_factor_after_the_password(
    admin: Browser, key: Authenticator
) -> None:
    assert admin.sign_in().headers["Location"] == "/admin/login/code"
    assert admin.get("/admin/").status_code == 303
    assert enter(admin, key, "/admin/login/code").headers["Location"] == "/admin/"


@pytest.mark.parametrize("flaw", ["copied", "unknown", "nonsense"])
def test_what_proves_nothing_lets_nobody_in(admin: Browser, key: Authenticator, flaw: str) -> None:
    if flaw == "copied":
        enter(admin, key)
        admin.send("/admin/logout")
        key.uses = 0
    asked = options(admin.get("/admin/login"))
    proof = Authenticator().get(asked) if flaw == "unknown" else key.get(asked)
    admin.send("/admin/login/passkey", {"credential": "{]" if flaw == "nonsense" else proof})
    assert said(admin.get("/admin/login")) == [NOT_TAKEN]
    assert admin.get("/admin/").status_code == 303


def test_a_proof_is_taken_once(admin: Browser, key: Authenticator) -> None:
    proof = key.get(options(admin.get("/admin/login")))
    taken = admin.send("/admin/login/passkey", {"credential": proof})
    assert taken.headers["Location"] == "/admin/"
    admin.send("/admin/logout")
    admin.send("/admin/login/passkey", {"credential": proof})
    assert said(admin.get("/admin/login")) == [NOT_TAKEN]


def test_a_passkey_confirms_who_sits_there(
    admin: Browser, key: Authenticator, app: Flask, frozen: Traveller
) -> None:
    enter(admin, key)
    frozen.shift(timedelta(minutes=15))
    typed = {"email": "dana@example.com", "role": "viewer"}
    asked = admin.send("/admin/accounts", typed)
    assert (asked.status_code, "Continue with a passkey" in asked.text) == (403, True)
    with app.app_context(), writing() as database:
        database.add(make_account("Sam", "sam@example.com"))
    sam, other = Browser(app), Authenticator()
    sam.sign_in("sam@example.com")
    add(sam, other)
    wrong = admin.send("/admin/confirm/passkey", proof(asked, other))
    assert reasons(wrong) == [NOT_TAKEN]
    ready = admin.send("/admin/confirm/passkey", proof(wrong, key))
    assert fields(ready.text).items() >= typed.items()
    assert admin.send("/admin/accounts", fields(ready.text)).status_code == 200
    assert actions(app)[-2:] == ["account.prove", "account.invite"]
    assert admin.send("/admin/confirm/passkey", proof(wrong, key)).status_code == 422


@pytest.mark.parametrize("flaw", ["elsewhere", "taken"])
def test_a_passkey_that_is_none_is_not_added(admin: Browser, key: Authenticator, flaw: str) -> None:
    enter(admin, key)
    new = key if flaw == "taken" else Authenticator()
    new.origin = "https://evil.example.com" if flaw == "elsewhere" else new.origin
    assert add(admin, new).headers["Location"] == PASSKEYS
    reason = "That passkey belongs to an account already." if flaw == "taken" else COULD_NOT
    assert said(admin.get(PASSKEYS)) == [reason]


def test_a_passkey_is_renamed_and_removed_by_its_owner(
    admin: Browser, key: Authenticator, app: Flask
) -> None:
    enter(admin, key)
    admin.send(f"{PASSKEYS}/1/name", {"name": "Grey key"})
    assert "Grey key" in admin.get(PASSKEYS).text
    admin.send(f"{PASSKEYS}/1/name", {"name": " "})
    assert said(admin.get(PASSKEYS)) == ["Enter a name."]
    admin.send(f"{PASSKEYS}/9/remove")
    admin.send(f"{PASSKEYS}/1/remove")
    assert "Grey key" not in admin.get(PASSKEYS).text
    assert actions(app)[-2:] == ["account.rename_passkey", "account.remove_passkey"]
    admin.send("/admin/logout")
    assert admin.sign_in().headers["Location"] == "/admin/"


class TestRequired:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"REQUIRE_SECOND_FACTOR": "all"}

    def test_a_passkey_counts_and_the_last_one_stays(
        self, admin: Browser, frozen: Traveller
    ) -> None:
        assert admin.get("/admin/").headers["Location"] == "/admin/me/second-factor"
        assert add(admin, Authenticator()).status_code == 200
        assert admin.get("/admin/").status_code == 200
        admin.send(f"{PASSKEYS}/1/remove")
        reason = "Your role needs a second factor: add another first."
        assert said(admin.get(PASSKEYS)) == [reason]
