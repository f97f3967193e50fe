"""Every address of the admin, asked by every role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from statuspage.access.permissions import ROLES
from statuspage.admin.permissions import READING, SENDING, needed
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole
from statuspage.models import Account
from tests.browsing import Browser, actions
from tests.permission_tables import routes

ENDS_THE_SIGN_IN = {"admin.sign_out", "admin.sign_out_everywhere"}


def addresses(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, endpoint and an example of every address; those that sign out come last."""
    adapter = app.url_map.bind("status.example.com")
    rules = {rule.rule: rule for rule in app.url_map.iter_rules()}
    for method, pattern, endpoint in sorted(
        routes(app), key=lambda one: one[2] in ENDS_THE_SIGN_IN
    ):
        rule = rules[pattern]
        examples = {
            name: "x" if type(converter).__name__ == "UnicodeConverter" else 4711
            for name, converter in rule._converters.items()
        }
        yield method, endpoint, adapter.build(endpoint, examples, method=method)


def take_role(app: Flask, role: AccountRole) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Account).values(role=role))


@pytest.mark.parametrize("role", list(AccountRole))
def test_every_address_refuses_each_role_that_lacks_its_permission_and_no_other(
    app: Flask, admin: Browser, role: AccountRole
) -> None:
    take_role(app, role)
    wrong = []
    for method, endpoint, path in addresses(app):
        answer = admin.get(path) if method == "GET" else admin.send(path)
        allowed = needed(endpoint, method) in ROLES[role]
        if (answer.status_code == 403) == allowed or answer.status_code >= 500:
            wrong.append((method, path, answer.status_code))
        if endpoint in ENDS_THE_SIGN_IN:
            admin.sign_in()
    assert wrong == []


def test_every_address_stands_in_the_tables_and_the_tables_name_no_other(app: Flask) -> None:
    asked = {(method, endpoint) for method, _, endpoint in routes(app)}
    named = {("GET", name) for name in READING} | {("POST", name) for name in SENDING}
    assert asked == named


def test_the_refusal_says_which_role_may(app: Flask, admin: Browser) -> None:
    take_role(app, AccountRole.VIEWER)
    before = actions(app)
    answer = admin.send("/admin/maintenances/new", {"title": "Night work"})
    assert answer.status_code == 403
    assert (
        "Your role cannot publish, resolve and correct updates, and schedule maintenance"
        in answer.text
    )
    assert "Your role is Viewer. This needs the role Comms lead or Admin." in answer.text
    assert "Night work" in answer.text
    assert actions(app) == before


def test_the_menu_leads_nowhere_that_the_role_may_not_go(app: Flask, admin: Browser) -> None:
    take_role(app, AccountRole.VIEWER)
    page = admin.get("/admin/").text
    assert 'href="/admin/incidents"' in page
    assert 'href="/admin/accounts"' not in page
    assert "Declare" not in page
