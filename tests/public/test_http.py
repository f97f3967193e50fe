from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from statuspage.core.config import load_settings
from statuspage.public.http import trusted_hosts


def ask(client: FlaskClient, host: str, path: str = "/admin/login") -> int:
    return client.get(path, headers={"Host": host}).status_code


@pytest.mark.parametrize(
    "host",
    ["status.example.com", "STATUS.example.com", "localhost", "localhost:8000", "127.0.0.1:8000"],
)
def test_the_service_answers_under_its_own_names(client: FlaskClient, host: str) -> None:
    assert ask(client, host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "status.example.com.evil.example", "evilstatus.example.com", "a b", "[::"],
)
def test_other_names_are_refused(client: FlaskClient, host: str) -> None:
    assert ask(client, host) == 400


def test_a_refused_name_says_which_setting_to_look_at(client: FlaskClient) -> None:
    answer = client.get("/admin/", headers={"Host": "192.168.1.5:8000"})
    assert "<h1>The service does not know this address</h1>" in answer.text
    assert "PUBLIC_URL" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_probe_may_ask_by_whatever_address_it_has(client: FlaskClient, path: str) -> None:
    assert ask(client, "10.1.2.3:8000", path) != 400


@pytest.mark.parametrize(
    ("public_url", "host", "names"),
    [
        ("https://Status.Example.com/", "0.0.0.0", {"status.example.com", "0.0.0.0"}),
        ("https://störung.example", "127.0.0.1", {"xn--strung-xxa.example"}),
        ("http://[2001:db8::1]:8000", "::", {"2001:db8::1", "::"}),
    ],
)
def test_names_come_from_the_settings_as_browsers_send_them(
    tmp_path: object, public_url: str, host: str, names: set[str]
) -> None:
    settings = load_settings({"PUBLIC_URL": public_url, "HOST": host, "DATA_DIR": str(tmp_path)})
    assert trusted_hosts(settings) == names | {"localhost", "127.0.0.1", "::1"}


def test_a_view_may_say_more_about_itself_than_the_rule(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def framed() -> tuple[str, dict[str, str]]:
        return "", {"Content-Security-Policy": "default-src 'self'"}

    monkeypatch.setitem(app.view_functions, "health.readyz", framed)
    headers = app.test_client().get("/readyz").headers
    assert headers["Content-Security-Policy"] == "default-src 'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"
