"""Who calls an API, told from the request's header alone."""

from __future__ import annotations

import pytest
from flask import Flask

from statuspage.access import api_keys
from statuspage.access.audit import Actor
from statuspage.access.permissions import of_scopes
from statuspage.api import callers
from statuspage.core.enums import KeyScope
from tests.actors import acting


def refusal(app: Flask, header: str) -> tuple[int, str, dict[str, str]]:
    headers = {"Authorization": header} if header else {}
    with app.test_request_context(headers=headers), pytest.raises(callers.KeyRefused) as caught:
        callers.admit("pages")
    return caught.value.status, caught.value.reason, caught.value.headers


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "OAuth", "oauth"])
def test_a_key_comes_as_either_kind(app: Flask, kind: str) -> None:
    with app.app_context():
        _, token = api_keys.make_key("CI", actor=acting("Ada"), scopes=[KeyScope.READ])
    with app.test_request_context(headers={"Authorization": f"{kind} {token}"}):
        holder = callers.admit("pages")
        assert callers.caller() == holder
        assert callers.need(KeyScope.READ).actor == Actor(
            "API key “CI”", permissions=of_scopes([KeyScope.READ])
        )
        with pytest.raises(callers.KeyRefused) as caught:
            callers.need(KeyScope.PUBLISH)
    assert (caught.value.status, caught.value.headers) == (
        403,
        {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="publish"'},
    )


def test_nobody_comes_in_without_a_key_that_works(app: Flask) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="pages"'}
    assert refusal(app, "") == (401, "Send an API key: Authorization: Bearer …", challenge)
    invalid = {"WWW-Authenticate": 'Bearer realm="pages", error="invalid_token"'}
    for header in ("Bearer statuspage_wrong", "Basic YTpi", "OAuth", "Bearer a b"):
        assert refusal(app, header) == (401, "This API key does not work.", invalid)
