"""The password once more, before what is dear."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from time_machine import Traveller

from statuspage.admin.permissions import asks_for_proof
from tests.browsing import PASSWORD, Browser, actions, fields, reasons


def test_an_export_asks_for_the_password_and_then_goes_on(
    admin: Browser, frozen: Traveller
) -> None:
    admin.sign_in()
    assert admin.get("/admin/customers.csv").status_code == 200
    frozen.shift(timedelta(minutes=15))
    asked = admin.get("/admin/customers.csv")
    assert (asked.status_code, "Confirm it’s you" in asked.text) == (403, True)
    form = {**fields(asked.text), "password": PASSWORD}
    before = admin.client.get_cookie("__Host-admin_sign_in", "status.example.com", "/")
    answer = admin.send("/admin/confirm", form)
    assert answer.headers["Location"] == "/admin/customers.csv"
    after = admin.client.get_cookie("__Host-admin_sign_in", "status.example.com", "/")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert admin.get("/admin/customers.csv").status_code == 200


def test_a_form_is_carried_through_the_question(
    admin: Browser, app: Flask, frozen: Traveller
) -> None:
    admin.sign_in()
    frozen.shift(timedelta(minutes=15))
    typed = {"email": "dana@example.com", "role": "viewer"}
    asked = admin.send("/admin/accounts", typed)
    assert asked.status_code == 403
    wrong = admin.send("/admin/confirm", {**fields(asked.text), "password": "wrong"})
    assert reasons(wrong) == ["Password: This is not your password"]
    ready = admin.send("/admin/confirm", {**fields(wrong.text), "password": PASSWORD})
    assert fields(ready.text).items() >= typed.items()
    assert "account.invite" not in actions(app)
    assert admin.send("/admin/accounts", fields(ready.text)).status_code in {200, 303}
    assert actions(app)[-2:] == ["account.prove", "account.invite"]


def test_publishing_asks_only_where_it_is_switched_on() -> None:
    asked = [
        asks_for_proof("admin.hide_incident", "POST", publishing=switch) for switch in (False, True)
    ]
    assert asked == [False, True]
    assert not asks_for_proof("admin.hide_incident", "GET", publishing=True)


def test_ending_sessions_asks() -> None:
    endings = ("admin.end_session", "admin.sign_out_everywhere", "admin.sign_out_account")
    assert all(asks_for_proof(endpoint, "POST", publishing=False) for endpoint in endings)
