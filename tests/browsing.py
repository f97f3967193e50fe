"""Browsers for the tests of Flask's side: a stranger's, and one that is signed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import lxml.html
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from werkzeug.http import parse_cookie
from werkzeug.test import TestResponse

from statuspage.access import accounts, passwords
from statuspage.core.db import current_session as database
from statuspage.core.enums import AccountRole
from statuspage.models import Account, AuditEntry

PASSWORD = "correct horse battery staple"
KIM = "kim@example.com"

# What a browser says when a page of our own sends a form.
OWN_FORM = {"Sec-Fetch-Site": "same-origin"}

Values = Mapping[str, Any] | Iterable[tuple[str, Any]]


class Browser:
    """Asks for pages and sends forms as a browser would, with the token of the form."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        # Read to its end, as a browser does: an export holds its request until then.
        options.setdefault("buffered", True)
        return self.client.get(path, **options)

    def send(self, path: str, values: Values = (), **options: Any) -> TestResponse:
        """Send a form with the token that the browser was given, and ``values``."""
        options.setdefault("headers", OWN_FORM)
        options.setdefault("buffered", True)
        return self.client.post(path, data={"csrf_token": self.token(), **dict(values)}, **options)

    def send_shown(self, path: str, values: Values = (), **options: Any) -> TestResponse:
        """Open the page at ``path``, fill in ``values`` and send its first form whole."""
        page = self.get(path)
        return self.send(path, {**fields(page.text), **dict(values)}, **options)

    def token(self) -> str:
        """The token: from a page that this browser may see, and then as that page would sign it."""
        raw = self._session().get("csrf_token")
        if raw is None:
            page = self.get("/admin/login?again=1")
            return fields(page.text)["csrf_token"]
        secret = self.client.application.secret_key
        return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(raw))

    def _session(self) -> dict[str, Any]:
        """What the browser's session cookie holds; nothing, where it has none."""
        app = self.client.application
        name, path = app.config["SESSION_COOKIE_NAME"], app.config["SESSION_COOKIE_PATH"]
        cookie = self.client.get_cookie(name, "status.example.com", path)
        if cookie is None:
            return {}
        signer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        return dict(signer.loads(cookie.value))

    def sign_in(self, email: str = KIM, password: str = PASSWORD) -> TestResponse:
        return self.send("/admin/login", {"email": email, "password": password})


def first_browser(app: Flask) -> Browser:
    """The browser of the first account, which has replaced the password that was printed."""
    with app.app_context():
        email, password = accounts.create_first(KIM)
    browser = Browser(app)
    browser.sign_in(email, password)
    browser.send("/admin/me/password", {"present": password, "new": PASSWORD})
    return browser


def fields(html: str, *, having: str = "csrf_token") -> dict[str, str]:
    """What a browser would send of the page's main form, untouched: its largest with that field."""
    found = lxml.html.fromstring(html).forms
    forms = [form for form in found if having in form.fields] or found
    form = max(forms, key=lambda form: len(form.fields))
    # HTML drops the line end that a textarea begins with; the parser keeps it.
    return {name: value.removeprefix("\n") for name, value in form.form_values()}


def reasons(response: TestResponse) -> list[str]:
    """The reasons that the summary at the top of a refused form gives."""
    return texts(response, "problems", "//li")


def said(response: TestResponse) -> list[str]:
    """The notices on a page."""
    return texts(response, "notice", "/div")


def texts(response: TestResponse, css_class: str, below: str = "") -> list[str]:
    """The texts of all elements of a class, or of what lies ``below`` them, outside dialogs."""
    path = f"//*[contains(concat(' ', @class, ' '), ' {css_class} ')]{below}"
    tree = lxml.html.fromstring(response.text)
    for dialog in tree.xpath("//dialog[not(@open)]"):
        dialog.drop_tree()
    found = tree.xpath(path)
    return [" ".join(element.text_content().split()) for element in found]


def actions(app: Flask) -> list[str]:
    """The audit trail's actions, in order."""
    with app.app_context():
        return list(database().scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def make_account(name: str = "Kim", email: str = KIM, **columns: Any) -> Account:
    """An account with the password of all test accounts."""
    return Account(
        **{
            "email": email,
            "name": name,
            "role": AccountRole.ADMIN,
            "password_hash": passwords.HASHER.hash(PASSWORD),
            **columns,
        }
    )


def cookie(response: TestResponse, name: str) -> list[str]:
    """The attributes of a cookie that an answer sets, its value left out."""
    for header in response.headers.getlist("Set-Cookie"):
        if name in parse_cookie(header):
            return sorted(part.strip() for part in header.split(";")[1:])
    return []
