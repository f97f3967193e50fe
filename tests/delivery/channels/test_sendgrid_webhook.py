"""SendGrid's event webhook: what is signed is believed, what is malformed is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuspage.delivery.channels.sendgrid_webhook import (
    Event,
    EventKind,
    parse_events,
    verify_webhook,
)
from tests.fakes.sendgrid import Signer

SIGNER = Signer()
BODY = b'[{"event": "delivered", "name": "Zo\xc3\xab"}]\r\n'
TIMESTAMP = "1700000000"
SIGNATURE = SIGNER.sign(BODY, TIMESTAMP)
EVENT: dict[str, Any] = {
    "email": "zoe@example.com",
    "timestamp": 1700000000,
    "event": "delivered",
    "sg_event_id": "ZGVsaXZlcmVk",
    "sg_message_id": "m",
    "delivery_id": "17",
    "attempt_id": "attempt-1",
    "response": "250 OK",
}
ANYTHING = st.characters(categories=None)  # halves of surrogate pairs too


def parse_one(**changes: Any) -> Event:
    entry = {key: value for key, value in (EVENT | changes).items() if value is not ...}
    (event,), unreadable = parse_events(json.dumps([entry]).encode())
    assert unreadable == []
    return event


def test_what_sendgrid_signed_is_believed() -> None:
    assert verify_webhook(SIGNER.public_key, BODY, SIGNATURE, TIMESTAMP) is True


def test_the_key_may_come_in_its_pem_frame() -> None:
    lines = "\n".join(SIGNER.public_key[i : i + 64] for i in range(0, 200, 64))
    pem = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    assert verify_webhook(pem, BODY, SIGNATURE, TIMESTAMP) is True


FORGERIES = {
    "another body": (SIGNER.public_key, BODY + b" ", SIGNATURE, TIMESTAMP),
    "another time": (SIGNER.public_key, BODY, SIGNATURE, "1700000001"),
    "a body that begins in the time": (SIGNER.public_key, BODY[1:], SIGNATURE, TIMESTAMP + "["),
    "another signer": (SIGNER.public_key, BODY, Signer().sign(BODY, TIMESTAMP), TIMESTAMP),
    "another key": (Signer().public_key, BODY, SIGNATURE, TIMESTAMP),
    "no signature": (SIGNER.public_key, BODY, "", TIMESTAMP),
    "a short signature": (SIGNER.public_key, BODY, "AAAA", TIMESTAMP),
    "no base64": (SIGNER.public_key, BODY, "not base64 ü", TIMESTAMP),
    "no text": (SIGNER.public_key, b"\xff", SIGNER.sign(b"\xff", TIMESTAMP), TIMESTAMP),
    "no time": (SIGNER.public_key, BODY, SIGNATURE, "\ud800"),
    "no key": ("", BODY, SIGNATURE, TIMESTAMP),
    "nonsense for a key": ("not a key", BODY, SIGNATURE, TIMESTAMP),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_nothing_else_is_believed(forgery: str) -> None:
    assert verify_webhook(*FORGERIES[forgery]) is False


@settings(deadline=None)
@given(st.text(), st.binary(), st.text(), st.text())
def test_garbage_is_refused_and_never_raises(
    key: str, body: bytes, signature: str, timestamp: str
) -> None:
    assert verify_webhook(key, body, signature, timestamp) is False
    assert verify_webhook(SIGNER.public_key, body, signature, timestamp) is False


def test_an_event_is_read_into_its_facts() -> None:
    assert parse_one() == Event(
        event_id="ZGVsaXZlcmVk",
        kind=EventKind.DELIVERED,
        at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        address="zoe@example.com",
        delivery_id="17",
        attempt_id="attempt-1",
        reason="250 OK",
    )


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind is not EventKind.OTHER])
def test_every_kind_that_matters_is_known_by_sendgrid_s_name(kind: EventKind) -> None:
    assert parse_one(event=kind.value).kind is kind


def test_an_event_of_another_kind_is_other_and_needs_no_address() -> None:
    event = parse_one(event="account_status_change", email=..., delivery_id=..., attempt_id=...)
    assert (event.kind, event.address, event.delivery_id) == (EventKind.OTHER, "", None)


def test_a_bounce_brings_its_reason_and_its_class() -> None:
    event = parse_one(
        event="bounce", type="bounce", reason="550 no\r\nsuch user", response=...,
        bounce_classification="Invalid Address",
    )  # fmt: skip
    assert (event.reason, event.bounce_class, event.blocked) == (
        "550 no such user",
        "Invalid Address",
        False,
    )


def test_a_block_says_nothing_against_the_address() -> None:
    assert parse_one(event="bounce", type="blocked").blocked is True


def test_mail_that_is_not_ours_has_no_delivery() -> None:
    event = parse_one(delivery_id=..., attempt_id=...)
    assert (event.delivery_id, event.attempt_id) == (None, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b"{}", "not a list of events"),
        (b"null", "not a list of events"),
    ],
)
def test_a_malformed_body_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_events(body)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("sg_event_id", ..., "sg_event_id is missing"),
        ("sg_event_id", 7, "sg_event_id is missing or no text"),
        ("sg_event_id", "x" * 201, "sg_event_id is too long"),
        ("sg_event_id", "a\x00b", "sg_event_id is too long or holds control characters"),
        ("email", ..., "email is missing"),
        ("email", "a@b\r\n", "email is too long or holds control characters"),
        ("timestamp", ..., "timestamp is not a number"),
        ("timestamp", True, "timestamp is not a number"),
        ("timestamp", "1700000000", "timestamp is not a number"),
        ("timestamp", 1e300, "timestamp is out of range"),
        ("delivery_id", 17, "delivery_id is missing or no text"),
        ("attempt_id", "", "attempt_id is missing or no text"),
    ],
)
def test_an_event_with_a_wrong_field_is_left_out_and_named(
    field: str, value: object, reason: str
) -> None:
    odd = {key: each for key, each in (EVENT | {field: value}).items() if each is not ...}
    events, unreadable = parse_events(json.dumps([EVENT, odd, EVENT]).encode())
    assert [event.event_id for event in events] == [EVENT["sg_event_id"]] * 2
    assert [text.startswith(f"event 2: {reason}") for text in unreadable] == [True]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (1, "it is not an object"),
        ({}, "event is missing or no text"),
        ({"event": "\ud800"}, "event is too long or holds control characters"),
        (EVENT | {"timestamp": float("nan")}, "timestamp is out of range"),
        (
            {"email": "x@y.example", "timestamp": 1, "event": "unsubscribe"},
            "sg_event_id is missing or no text",
        ),
    ],
)
def test_an_event_of_another_shape_costs_only_itself(odd: object, reason: str) -> None:
    events, unreadable = parse_events(json.dumps([odd, EVENT]).encode())
    assert events == [parse_one()]
    assert unreadable == [f"event 1: {reason}"]


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(ANYTHING, max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*EVENT, "reason", "type"]), inner, max_size=9),
    max_leaves=20,
))  # fmt: skip
def test_any_json_gives_an_event_or_a_sentence_and_costs_no_other(content: Any) -> None:
    events, unreadable = parse_events(json.dumps([EVENT, content, EVENT]).encode())
    assert len(events) + len(unreadable) == 3
    assert [events[0], events[-1]] == [parse_one()] * 2
