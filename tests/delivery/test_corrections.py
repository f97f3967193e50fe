"""Corrections: exactly those who were sent the wrong text hear of it, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, DeliveryState, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.delivery import claims, control, privacy
from statuspage.delivery.corrections import WHY
from statuspage.incidents import inputs, lifecycle, mail_corrections
from statuspage.incidents.mail_corrections import Correction
from statuspage.incidents.publish import Submission
from statuspage.models import AuditEntry, Customer, Delivery, DeliveryEvent, Message, Suppression
from tests.announcing import ACTOR, declare, messages, resolve, set_up_scenario

RIGHT = "Hello [[name]],\n\nIt was Tuesday."
ADDRESSES = [f"c{number}@example.com" for number in range(1, 13)]


@dataclass
class Sent:
    """A mail that went out wrong."""

    code: str
    message_id: int

    def correction(self) -> Correction:
        message = current_session().get_one(Message, self.message_id)
        return replace(
            mail_corrections.as_sent(current_session(), message),
            body=RIGHT,
            note="It was not Monday.",
        )

    def correct(self) -> Message:
        return mail_corrections.send_correction(self.message_id, self.correction(), actor=ACTOR)

    def preview(self) -> mail_corrections.CorrectionDraft:
        message = current_session().get_one(Message, self.message_id)
        return mail_corrections.preview_correction(message, self.correction())


@pytest.fixture
def sent(app: Flask, frozen: Traveller) -> Iterator[Sent]:
    """A resolution to twelve customers, each mail in a state of its own; shopper is left out."""
    scenario = set_up_scenario(app, customers=12)
    with app.app_context():
        with writing() as session:
            only = Customer.address == "shopper@example.com"
            session.delete(session.scalars(select(Customer).where(only)).one())
        code = declare(scenario).code
        resolve(code)
        yield Sent(code, messages(Audience.CUSTOMER)[0].id)


def put(address: str, state: DeliveryState) -> None:
    with writing() as session:
        delivery = session.scalars(select(Delivery).filter_by(address=address)).one()
        delivery.state = state
        session.add(
            DeliveryEvent(delivery_id=delivery.id, at=delivery.queued_at, state=state, reason="")
        )


def put_each() -> dict[str, DeliveryState]:
    """Every state once; then two that wait."""
    states = dict(zip(ADDRESSES, DeliveryState, strict=False))
    for address, state in states.items():
        put(address, state)
    return states


def addresses(message_id: int) -> list[str]:
    chosen = select(Delivery.address).where(Delivery.message_id == message_id)
    return sorted(current_session().scalars(chosen))


def right_text(sent: Sent) -> Message:
    return current_session().scalars(select(Message).filter_by(replaces_id=sent.message_id)).one()


def send() -> dict[str, str]:
    """Have everything that waits claimed and taken; what each address read at last."""
    read = {}
    while (claim := claims.claim(1, Channel.EMAIL, size=100)) is not None:
        message = current_session().get_one(Message, claim.message_id)
        read.update(dict.fromkeys((one.address for one in claim.deliveries), message.text))
        with writing() as session:
            session.execute(
                update(Delivery).where(Delivery.attempt_id == claim.attempt_id)
                .values(state=DeliveryState.ACCEPTED, attempt_id=None)
            )  # fmt: skip
    return read


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


def test_a_message_is_corrected_once(sent: Sent) -> None:
    put("c1@example.com", DeliveryState.DELIVERED)
    first = sent.correct()
    with pytest.raises(Invalid, match="corrected already"):
        sent.correct()
    assert not mail_corrections.may_be_corrected(
        current_session(), current_session().get_one(Message, sent.message_id)
    )
    send()
    again = mail_corrections.send_correction(
        first.id, replace(sent.correction(), body="It was Wednesday."), actor=ACTOR
    )
    assert addresses(again.id) == ["c1@example.com"]
    assert again.subject.count("Correction: ") == 1


def test_nothing_goes_out_unchanged_or_empty(sent: Sent) -> None:
    message = current_session().get_one(Message, sent.message_id)
    as_sent = mail_corrections.as_sent(current_session(), message)
    for correction, field in (
        (as_sent, "body"),
        (replace(as_sent, body=""), "body"),
        (replace(as_sent, body="Right.", note=""), "note"),
        (replace(as_sent, body="Right.", subject=""), "subject"),
        (replace(as_sent, body="Right.", subject="x" * 201), "subject"),
        (replace(as_sent, body="It ended [[soon]]."), "body"),
    ):
        with pytest.raises(Invalid) as refusal:
            mail_corrections.send_correction(sent.message_id, correction, actor=ACTOR)
        assert refusal.value.field == field
    assert (
        current_session().scalar(select(func.count(Message.id)).where(Message.corrects_id > 0)) == 0
    )


def test_only_mail_about_a_incident_can_be_corrected(sent: Sent) -> None:
    internal = messages(Audience.INTERNAL)[0]
    assert not mail_corrections.may_be_corrected(current_session(), internal)
    with pytest.raises(Invalid, match="Only emails"):
        mail_corrections.send_correction(internal.id, sent.correction(), actor=ACTOR)


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


def test_the_audit_trail_keeps_both_texts(sent: Sent) -> None:
    put("c1@example.com", DeliveryState.DELIVERED)
    sent.correct()
    entry = current_session().scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject) == ("message.correct", sent.code)
    assert entry.before is not None
    assert entry.after is not None
    assert "It was Tuesday." in entry.after["body"]
    assert (entry.after["sent to"], entry.after["given the right text"]) == (1, 11)
