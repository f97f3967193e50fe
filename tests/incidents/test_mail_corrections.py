"""Corrections of mail: what can be corrected, into what, and once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.core.enums import Audience, DeliveryState
from statuspage.core.errors import Invalid
from statuspage.incidents import mail_corrections
from statuspage.models import AuditEntry, Message
from tests.announcing import ACTOR, messages
from tests.correcting import Sent, addresses, put, send, send_wrong


@pytest.fixture
def sent(app: Flask, frozen: Traveller) -> Iterator[Sent]:
    with app.app_context():
        yield send_wrong(app)


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
