"""Corrections: exactly those who were sent the wrong text hear of it, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import DeliveryState, IncidentStatus
from statuspage.delivery import control, privacy
from statuspage.delivery.corrections import WHY
from statuspage.incidents import inputs, lifecycle
from statuspage.incidents.publish import Submission
from statuspage.models import Customer, Delivery, Message, Suppression
from tests.announcing import ACTOR
from tests.correcting import ADDRESSES, RIGHT, Sent, addresses, put, send, send_wrong


@pytest.fixture
def sent(app: Flask, frozen: Traveller) -> Iterator[Sent]:
    with app.app_context():
        yield send_wrong(app)


def put_each() -> dict[str, DeliveryState]:
    """Every state once; then two that wait."""
    states = dict(zip(ADDRESSES, DeliveryState, strict=False))
    for address, state in states.items():
        put(address, state)
    return states


def right_text(sent: Sent) -> Message:
    return current_session().scalars(select(Message).filter_by(replaces_id=sent.message_id)).one()


def test_exactly_those_who_were_sent_the_wrong_text_get_the_correction(sent: Sent) -> None:
    states = put_each()
    told = {
        DeliveryState.SENDING, DeliveryState.UNCERTAIN,
        DeliveryState.ACCEPTED, DeliveryState.DELIVERED,
    }  # fmt: skip
    draft = sent.preview()
    correction = sent.correct()
    expected = sorted(address for address, state in states.items() if state in told)
    assert addresses(correction.id) == expected
    assert (draft.sent, draft.suppressed) == (4, 0)
    keys = select(Delivery.step_key, Delivery.why).where(Delivery.message_id == correction.id)
    assert set(current_session().execute(keys)) == {(f"correction:{sent.message_id}", WHY)}


def test_whoever_still_waits_gets_the_right_text_instead(sent: Sent) -> None:
    put("c1@example.com", DeliveryState.DELIVERED)
    assert sent.preview().waiting == 11
    sent.correct()
    read = send()
    assert sorted(read) == sorted(ADDRESSES)
    assert [address for address, text in read.items() if "It was not Monday." in text] == [
        "c1@example.com"
    ]
    assert all("It was Tuesday." in text for text in read.values())


def test_what_comes_back_to_wait_is_not_sent_wrong(sent: Sent) -> None:
    for address in ADDRESSES[2:]:
        put(address, DeliveryState.DELIVERED)
    put("c1@example.com", DeliveryState.SENDING)
    put("c2@example.com", DeliveryState.FAILED)
    sent.correct()
    with writing() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.message_id == sent.message_id, Delivery.address == "c1@example.com")
            .values(state=DeliveryState.PENDING)
        )
    assert control.resend_failed(sent.message_id, actor=ACTOR) == 1
    read = send()
    assert "It was not Monday." in read["c1@example.com"]
    assert "It was not Monday." not in read["c2@example.com"]
    assert "It was Tuesday." in read["c2@example.com"]
    wrong = select(Delivery.address, Delivery.state).where(
        Delivery.message_id == sent.message_id, Delivery.state != DeliveryState.DELIVERED
    )
    assert [tuple(row) for row in current_session().execute(wrong)] == [
        ("c1@example.com", DeliveryState.SUPERSEDED)
    ]


@pytest.mark.parametrize(
    "became", [DeliveryState.PENDING, DeliveryState.SUPERSEDED, DeliveryState.EXPIRED]
)
def test_what_may_have_been_sent_counts_as_sent_whatever_became_of_it(
    sent: Sent, became: DeliveryState
) -> None:
    put("c1@example.com", DeliveryState.UNCERTAIN)
    put("c1@example.com", became)
    correction = sent.correct()
    assert addresses(correction.id) == ["c1@example.com"]
    read = send()
    assert "It was not Monday." in read["c1@example.com"]


def test_a_correction_says_what_was_wrong_after_the_greeting(sent: Sent) -> None:
    put("c1@example.com", DeliveryState.DELIVERED)
    correction = sent.correct()
    assert correction.subject.startswith("Correction: ")
    assert correction.body == "Hello [[name]],\n\nIt was not Monday.\n\nIt was Tuesday."
    assert right_text(sent).body == RIGHT
    assert not right_text(sent).subject.startswith("Correction")


def test_whoever_left_meanwhile_is_not_written_to_unless_it_is_owed(sent: Sent) -> None:
    for address in ADDRESSES[:3]:
        put(address, DeliveryState.DELIVERED)
    with writing() as session:
        for address in ADDRESSES[:2]:
            session.add(Suppression(address=address, kind="unsubscribed", reason="left"))
        session.execute(
            update(Customer).where(Customer.address == ADDRESSES[1]).values(contractual=True)
        )
    assert (sent.preview().sent, sent.preview().suppressed) == (2, 1)
    correction = sent.correct()
    rows = select(Delivery.address, Delivery.state, Delivery.reason).where(
        Delivery.message_id == correction.id
    )
    assert [tuple(row) for row in current_session().execute(rows.order_by(Delivery.address))] == [
        (ADDRESSES[0], DeliveryState.SUPPRESSED, "left"),
        (ADDRESSES[1], DeliveryState.PENDING, ""),
        (ADDRESSES[2], DeliveryState.PENDING, ""),
    ]


def test_whoever_was_erased_is_not_written_to(sent: Sent) -> None:
    for address in ADDRESSES[:2]:
        put(address, DeliveryState.DELIVERED)
    privacy.erase(ADDRESSES[0], actor=ACTOR)
    assert addresses(sent.correct().id) == [ADDRESSES[1]]


def test_a_reopening_ends_a_correction_that_waits(sent: Sent) -> None:
    put("c1@example.com", DeliveryState.DELIVERED)
    correction = sent.correct()
    again = inputs.NewUpdate(IncidentStatus.INVESTIGATING)
    lifecycle.reopen(sent.code, again, Submission(ACTOR, "again"))
    chosen = select(Delivery.state).where(Delivery.message_id == correction.id)
    assert list(current_session().scalars(chosen)) == [DeliveryState.SUPERSEDED]
