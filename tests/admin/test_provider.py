"""What people are told where the identity provider is away or proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from statuspage.access.identity import Refused, Unavailable
from statuspage.admin import provider
from statuspage.core.errors import Invalid

TOKEN = "a.b.c"


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return environ | {
        "OIDC_ISSUER": "https://id.example.com",
        "OIDC_CLIENT_ID": "status",
        "OIDC_CLIENT_SECRET": "secret",
        "OIDC_NAME": "company account",
    }


def speaks(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., Any]) -> None:
    """Have what speaks with the provider answer everything like that."""
    spoken = SimpleNamespace(
        begin=answer, finish=answer, read_logout=answer, sign_out_address=answer
    )
    monkeypatch.setattr(provider, "_oidc", lambda: spoken)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("timed out"), "Company account can’t be reached right now. Try again later."),
        (Refused("wrong nonce"), "Company account didn’t confirm who you are. Try again."),
    ],
)
def test_trouble_is_told_in_words_that_say_nothing_of_its_cause(
    app: Flask, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    speaks(monkeypatch, fail)
    with app.app_context(), pytest.raises(Invalid) as refused:
        provider.read_logout(TOKEN)
    assert (refused.value.field, refused.value.reason) == ("form", reason)


def test_the_browser_comes_back_to_this_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    speaks(monkeypatch, lambda settings, *args, **options: options)
    with app.app_context():
        begun, left = provider.begin(hint="kim@example.com"), provider.sign_out_address(TOKEN)
    base = app.extensions["settings"].public_url
    assert begun == {
        "redirect_to": f"{base}/admin/sso/callback", "is_proof": False, "hint": "kim@example.com",
    }  # fmt: skip
    assert left == {"back_to": f"{base}/admin/login"}


class TestWithout:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in environ.items() if not name.startswith("OIDC")}

    def test_nobody_signs_out_at_a_provider_that_there_is_not(self, app: Flask) -> None:
        with app.app_context():
            assert provider.sign_out_address(TOKEN) is None
