"""What an event of the mail provider makes of a delivery, and of its address."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery.bounces import BLOCKED, apply_event
from statuspage.delivery.channels.sendgrid_webhook import EventKind
from statuspage.models import Delivery, WebhookEvent
from statuspage.recipients import suppression
from statuspage.recipients.suppression import SuppressionKind
from tests.announcing import declare, resolve, set_up_scenario
from tests.factories import NOON


@pytest.fixture
def delivery(app: Flask, session: Session, frozen: Traveller) -> Delivery:
    """A mail that the provider accepted."""
    resolve(declare(set_up_scenario(app)).code)
    found = session.scalars(select(Delivery).filter_by(channel=Channel.EMAIL).limit(1)).one()
    found.state = DeliveryState.ACCEPTED
    return found


def apply(session: Session, delivery: Delivery, kind: str, reason: str = "") -> None:
    event = WebhookEvent(
        event_id="1", delivery_id=delivery.id, attempt="a", kind=kind,
        address=delivery.email, reason=reason, at=NOON, received_at=NOON,
    )  # fmt: skip
    apply_event(session, delivery, event, of_failed_attempt=False)
    session.flush()


@pytest.mark.parametrize(
    ("kind", "state", "suppressed"),
    [
        (EventKind.BOUNCE, DeliveryState.BOUNCED, SuppressionKind.BOUNCED),
        (BLOCKED, DeliveryState.BOUNCED, None),
        (EventKind.DELIVERED, DeliveryState.DELIVERED, None),
        (EventKind.SPAM_REPORT, DeliveryState.ACCEPTED, SuppressionKind.COMPLAINED),
        (EventKind.GROUP_UNSUBSCRIBE, DeliveryState.ACCEPTED, SuppressionKind.UNSUBSCRIBED),
    ],
)
def test_an_event_moves_the_delivery_and_suppresses_its_address(
    session: Session,
    delivery: Delivery,
    kind: str,
    state: DeliveryState,
    suppressed: SuppressionKind | None,
) -> None:
    apply(session, delivery, kind)
    assert delivery.state is state
    assert suppression.suppression_kind(session, delivery.address) == suppressed


def test_mail_that_was_dropped_suppresses_the_address_by_the_reason(
    session: Session, delivery: Delivery
) -> None:
    apply(session, delivery, EventKind.DROPPED, "Bounced Address")
    assert delivery.state is DeliveryState.FAILED
    assert suppression.suppression_kind(session, delivery.address) == SuppressionKind.BOUNCED


def test_an_earlier_stage_that_is_reported_late_takes_nothing_back(
    session: Session, delivery: Delivery
) -> None:
    apply(session, delivery, EventKind.DELIVERED)
    apply(session, delivery, EventKind.PROCESSED)
    assert delivery.state is DeliveryState.DELIVERED
