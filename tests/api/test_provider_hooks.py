"""The address that SendGrid's events come to: what it believes, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.api.provider_hooks import MOST_BYTES, TIMESTAMP
from statuspage.core.db import current_session
from statuspage.delivery import provider_events
from statuspage.models import WebhookEvent
from tests.factories import NOON
from tests.fakes.sendgrid import Signer

SIGNER = Signer()
EVENT: Mapping[str, Any] = {
    "event": "delivered",
    "email": "c1@example.com",
    "timestamp": int(NOON.timestamp()),
    "sg_event_id": "first",
    "delivery_id": "1",
    "attempt_id": "one",
}


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "SENDGRID_WEBHOOK_KEY": SIGNER.public_key}


def body_of(*events: Mapping[str, Any]) -> bytes:
    # As SendGrid writes it: what is signed are these bytes, spaces and all.
    return json.dumps(events, indent=1).encode() + b"\r\n"


def announce(
    client: FlaskClient, body: bytes, headers: Mapping[str, str] | None = None
) -> TestResponse:
    return client.post(
        "/hooks/sendgrid", data=body, headers=SIGNER.headers(body) if headers is None else headers
    )


def kept(app: Flask) -> list[str]:
    with app.app_context():
        return list(current_session().scalars(select(WebhookEvent.event_id).order_by("event_id")))


def test_what_sendgrid_signed_is_kept_once(app: Flask, client: FlaskClient) -> None:
    body = body_of(EVENT, {**EVENT, "sg_event_id": "second"})
    assert [announce(client, body).status_code for _ in range(2)] == [204, 204]
    assert kept(app) == ["first", "second"]


@pytest.mark.parametrize("forgery", ["other key", "no signature", "other bytes", "other time"])
def test_what_sendgrid_did_not_sign_is_refused(
    app: Flask, client: FlaskClient, forgery: str
) -> None:
    body = body_of(EVENT)
    signed = SIGNER.headers(body)
    body, headers = {
        "other key": (body, Signer().headers(body)),
        "no signature": (body, {}),
        # The same JSON, and not the same bytes.
        "other bytes": (json.dumps([EVENT]).encode(), signed),
        "other time": (body, {**signed, TIMESTAMP: "1"}),
    }[forgery]
    assert announce(client, body, headers).status_code == 403
    assert kept(app) == []


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b"\xff"])
def test_what_is_signed_and_malformed_is_refused(
    app: Flask, client: FlaskClient, body: bytes
) -> None:
    assert announce(client, body).status_code in {400, 403}
    assert kept(app) == []


def test_events_of_other_systems_on_the_account_do_no_harm(app: Flask, client: FlaskClient) -> None:
    longer = {"delivery_id": "9" * 18, "attempt_id": "x" * 200, "sg_event_id": "y" * 200}
    alike = {"delivery_id": "9" * 18, "attempt_id": "x" * 36, "sg_event_id": "z" * 200}
    posted = body_of({**EVENT, **longer}, {**EVENT, **alike}, EVENT)
    assert announce(client, posted).status_code == 204
    assert kept(app) == ["first", "z" * 200]


def test_an_event_that_cannot_be_read_is_counted_and_costs_no_other(
    app: Flask, client: FlaskClient
) -> None:
    odd = {"email": "x@y.example", "timestamp": 1, "event": "unsubscribe"}
    assert [announce(client, body_of(odd, EVENT)).status_code for _ in range(2)] == [204, 204]
    assert kept(app) == ["first"]
    assert "statuspage_unreadable_events_total 2.0" in client.get("/metrics").text.splitlines()


def test_while_the_database_is_away_sendgrid_is_asked_to_come_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> int:
        raise OperationalError("INSERT", {}, Exception("connection refused"))

    monkeypatch.setattr(provider_events, "keep", away)
    assert announce(client, body_of(EVENT)).status_code == 503


def test_what_is_larger_than_any_of_theirs_is_not_read(client: FlaskClient) -> None:
    assert announce(client, b"x" * (MOST_BYTES + 1)).status_code == 413


class TestWithoutAKey:
    """Where no verification key is set, nothing can be believed."""

    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {**environ, "SENDGRID_WEBHOOK_KEY": ""}

    def test_everything_is_refused(
        self, app: Flask, client: FlaskClient, frozen: Traveller
    ) -> None:
        assert announce(client, body_of(EVENT)).status_code == 403
        assert kept(app) == []
