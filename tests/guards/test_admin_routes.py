"""Every address of the admin, guarded: who may come in, and that forms are our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle

import lxml.html
import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter

from tests.browsing import OWN_FORM, Browser, actions, first_browser

OPEN = {
    "admin.sign_in", "admin.sign_in_code", "admin.forgotten_password", "admin.invitation",
    # To who has the link: its end is a secret.
    "admin.report_by_link",
}  # fmt: skip
# To an identity provider and back; not there without one.
TO_THE_PROVIDER = {"admin.single_sign_on", "admin.single_sign_on_callback"}
# A form alone; the page it stands on is that of the password.
OPEN_FORMS = OPEN | {"admin.sign_in_with_passkey"}
# What our own screens show in a frame.
FRAMED = {"admin.preview_branding"}


def routes(app: Flask, method: str) -> Iterator[tuple[str, str]]:
    """Endpoint and an address of every route of the admin that takes the method."""
    adapter = app.url_map.bind("status.example.com")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin.") and method in (rule.methods or ()):
            examples = {
                name: "x" if type(converter).__name__ == "UnicodeConverter" else 1
                for name, converter in rule._converters.items()
            }
            yield rule.endpoint, adapter.build(rule.endpoint, examples, method=method)


def test_only_signing_in_and_invitations_are_open(stranger: Browser, app: Flask) -> None:
    answered = {
        endpoint
        for endpoint, path in routes(app, "GET")
        if not stranger.get(path).headers.get("Location", "").startswith("/admin/login?next=")
    }
    assert answered == OPEN | TO_THE_PROVIDER


def test_no_form_is_taken_from_a_stranger(stranger: Browser, app: Flask) -> None:
    taken = {
        endpoint for endpoint, path in routes(app, "POST") if stranger.send(path).status_code != 401
    }
    assert taken == OPEN_FORMS
    assert actions(app) == []


def test_no_form_is_taken_without_its_token(admin: Browser, app: Flask) -> None:
    before = actions(app)
    answers = {
        path: admin.client.post(path, headers=OWN_FORM).status_code
        for _, path in routes(app, "POST")
    }
    assert set(answers.values()) == {400}
    assert len(answers) > 20
    assert actions(app) == before


def test_no_form_is_taken_that_another_site_sends(admin: Browser, app: Flask) -> None:
    before = actions(app)
    sites = cycle(("cross-site", "same-site"))
    answers = {
        admin.send(path, headers={"Sec-Fetch-Site": site}).status_code
        for (_, path), site in zip(routes(app, "POST"), sites, strict=False)
    }
    assert answers == {400}
    assert actions(app) == before


def test_a_token_of_another_browser_is_not_taken(admin: Browser, stranger: Browser) -> None:
    answer = admin.client.post(
        "/admin/contacts/new", data={"name": "Eve", "csrf_token": stranger.token()}
    )
    assert answer.status_code == 400


def test_every_answer_may_be_kept_by_nobody_and_runs_nothing_inline(
    admin: Browser, app: Flask
) -> None:
    for endpoint, path in routes(app, "GET"):
        answer = admin.get(path)
        headers, html = answer.headers, answer.text
        framers, frames = ("'self'", "SAMEORIGIN") if endpoint in FRAMED else ("'none'", "DENY")
        assert headers["Cache-Control"] == "no-store", path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert f"frame-ancestors {framers}" in headers["Content-Security-Policy"], path
        assert headers["X-Frame-Options"] == frames, path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert "<style" not in html, path
        assert "style=" not in html, path
        assert "<script>" not in html, path
        assert " onclick=" not in html, path


def test_a_screen_that_nobody_has_is_not_found(admin: Browser) -> None:
    answer = admin.get("/admin/nothing")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
    assert "<h1>Page not found</h1>" in answer.text


@pytest.mark.parametrize("path", ["components", "groups", "contacts", "severity"])
def test_a_row_that_is_gone_is_not_found(admin: Browser, path: str) -> None:
    assert admin.get(f"/admin/{path}/4711").status_code == 404


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/admin/", ["Dashboard"]),
        ("/admin/components/new", ["Components"]),
        ("/admin/groups/new", ["Components"]),
        ("/admin/severity/1", ["Severity scheme"]),
        ("/admin/me", []),
    ],
)
def test_the_menu_says_where_one_is(admin: Browser, path: str, here: list[str]) -> None:
    document = lxml.html.fromstring(admin.get(path).text)
    assert document.xpath("//nav[@aria-label='Admin']//a[@aria-current='page']/text()") == here


def test_an_id_that_no_table_can_hold_is_not_found(admin: Browser, app: Flask) -> None:
    numbered = [
        rule
        for rule in app.url_map.iter_rules()
        if any(isinstance(one, IntegerConverter) for one in rule._converters.values())
    ]
    assert len(numbered) > 10
    for rule in numbered:
        path = re.sub(r"<[^>]+>", str(2**31), rule.rule)
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        assert admin.client.open(path, method=method).status_code == 404, path


def test_before_set_up_every_screen_leads_to_it(app: Flask) -> None:
    browser = first_browser(app)
    elsewhere = {
        endpoint
        for endpoint, path in routes(app, "GET")
        if browser.get(path).headers.get("Location") != "/admin/setup"
    }
    assert elsewhere == {"admin.first_steps", "admin.sign_in"}
