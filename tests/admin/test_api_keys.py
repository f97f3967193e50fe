"""Keys for tools: made, shown once, and revoked."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import func, select
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.models import ApiKey
from tests.browsing import Browser, actions, said

ONE = "/api/v1/customers/C-1"


def test_a_key_is_made_shown_once_used_and_withdrawn(
    app: Flask, admin: Browser, frozen: Traveller
) -> None:
    admin.sign_in()
    shown = admin.send("/admin/api-keys", {"name": " CRM  sync ", "scopes": "customers"})
    token = shown.text.partition('<code id="token">')[2].partition("<")[0]
    assert token.startswith("statuspage_")
    assert token not in admin.get("/admin/api-keys").text
    assert "Not used yet" in admin.get("/admin/api-keys").text
    tool = app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    assert tool.get(ONE, headers=headers).status_code == 404
    assert "Last used" in admin.get("/admin/api-keys").text
    with app.app_context():
        key = current_session().scalars(select(ApiKey)).one()
        assert (key.name, key.beginning) == ("CRM sync", token[:16])
        assert token not in key.token_hash
    admin.send(f"/admin/api-keys/{key.id}/withdraw")
    assert said(admin.get("/admin/api-keys")) == ["The key is revoked."]
    assert tool.get(ONE, headers=headers).status_code == 401
    assert actions(app)[-2:] == ["api_key.make", "api_key.withdraw"]
    assert admin.send("/admin/api-keys/4711/withdraw").status_code == 404


def test_a_key_needs_a_name_and_a_scope(app: Flask, admin: Browser) -> None:
    for sent in ({"name": " ", "scopes": "read"}, {"name": "CRM"}, {"name": "CRM", "scopes": "x"}):
        assert admin.send("/admin/api-keys", sent).status_code == 422
    with app.app_context():
        assert current_session().scalar(select(func.count(ApiKey.id))) == 0
