"""Tests of a channel: to one recipient, through the whole outbox, once for each form."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.permissions import Forbidden
from statuspage.core.config import Settings
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole, Audience, Channel, DeliveryState, Step
from statuspage.core.errors import Invalid
from statuspage.delivery import channel_trial, report
from statuspage.delivery.dispatch import Dispatcher
from statuspage.models import AuditEntry, Delivery, Message
from statuspage.recipients import suppression
from statuspage.recipients.suppression import SuppressionKind
from tests.actors import acting
from tests.announcing import Scenario
from tests.delivery.conftest import Provider

ADA = acting("Ada")


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "CHAT_URLS": "json://chat.example/hook"}


def send(session: Session, *, form_key: str = "one") -> int:
    return channel_trial.send_test_mail(
        Audience.CUSTOMER, email="Ada@Example.com", name="Ada", form_key=form_key, actor=ADA
    )


def test_a_test_is_marked_and_goes_to_one_address_through_the_outbox(
    scenario: Scenario, session: Session, dispatcher: Dispatcher, provider: Provider
) -> None:
    message_id = send(session)
    dispatcher.send_all()
    assert provider.addresses == ["Ada@Example.com"]
    outgoing, recipient = provider.sent[0]
    assert outgoing.subject == "[Test] Email from Acme works"
    assert outgoing.text == (
        "This is a test of the Acme status page. It was requested by Ada Mar 4, 2026, 12:00 UTC. "
        "Nothing has happened, and you don’t need to do anything.\n"
    )
    assert recipient.unsubscribe_url is None
    session.rollback()
    message = session.get_one(Message, message_id)
    assert (message.step, message.audience, message.incident_id) == (
        Step.TEST, Audience.CUSTOMER, None,
    )  # fmt: skip
    assert report.tally(session, message_id).counts == {DeliveryState.ACCEPTED: 1}


def test_the_same_form_sends_one_test_and_another_form_another(
    scenario: Scenario, session: Session
) -> None:
    first = send(session)
    assert send(session) == first
    assert send(session, form_key="two") != first
    entries = session.scalars(select(AuditEntry).filter_by(action="channel.test")).all()
    assert [(entry.subject, entry.after) for entry in entries] == [
        ("customer", {"to": "Ada@Example.com"})
    ] * 2


def test_an_address_that_bounced_is_refused_with_the_reason(
    scenario: Scenario, session: Session
) -> None:
    with writing():
        suppression.suppress(session, "ada@example.com", SuppressionKind.BOUNCED)
    with pytest.raises(Invalid) as refused:
        send(session)
    assert refused.value.reason == (
        "Ada@Example.com can’t be emailed: email to this address bounced"
    )
    assert session.scalars(select(Message)).all() == []


def test_a_test_to_a_room_goes_to_that_room_alone(
    scenario: Scenario, session: Session, settings: Settings
) -> None:
    [room] = settings.chat_rooms
    message_id = channel_trial.send_test_to_room(room, form_key="one", actor=ADA)
    assert channel_trial.send_test_to_room(room, form_key="one", actor=ADA) == message_id
    [delivery] = session.scalars(select(Delivery)).all()
    assert (delivery.channel, delivery.address) == (Channel.CHAT, room)
    assert delivery.message.subject == "[Test] Chat from Acme works"


def test_a_room_that_is_not_set_any_more_is_refused(scenario: Scenario, session: Session) -> None:
    with pytest.raises(Invalid):
        channel_trial.send_test_to_room("gone", form_key="one", actor=ADA)


def test_a_responder_may_not_send_tests(scenario: Scenario, session: Session) -> None:
    with pytest.raises(Forbidden):
        channel_trial.send_test_to_room(
            "gone", form_key="one", actor=acting("Rae", role=AccountRole.RESPONDER)
        )
