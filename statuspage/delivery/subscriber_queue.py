"""Queueing for subscribers: whom a public update reaches by mail, and why; and their sign-ups.

Customers are queued first: the unique key of step, channel and address then gives somebody who is
both one mail, the customers'.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import insert_new
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery.queue import (
    new_row,
    queue_listed,
    queue_reached,
)
from statuspage.models import (
    Delivery,
    Message,
    Subscriber,
)
from statuspage.models.delivery import LANE_URGENT
from statuspage.recipients import who_receives
from statuspage.recipients.drill_recipients import drill_recipients_of
from statuspage.recipients.pseudonyms import pseudonymize
from statuspage.recipients.suppression import barring_reason

_SIGN_UP = "signup:"


def queue_subscribers(
    session: Session, message: Message, topic: who_receives.Topic, *, step_key: str
) -> int:
    """Queue a message to the subscribers whom it concerns; returns how many rows that added."""
    if (drill := drill_recipients_of(session, message)) is not None:
        return queue_listed(session, message, drill, step_key=step_key)
    reached = who_receives.reached_subscribers(topic)
    return queue_reached(session, message, reached, step_key=step_key, why=reached.c.why)


def queue_notice(session: Session, message: Message, *, step_key: str) -> int:
    """Queue the mail about a notice to whom it reaches; returns how many rows that added."""
    reached = who_receives.notice_readers()
    return queue_reached(session, message, reached, step_key=step_key, why=reached.c.why)


def sign_ups(session: Session, address: str) -> list[datetime]:
    """When each mail about its own subscription was queued to an address, oldest first.

    Those count too whose address was forgotten since.
    """
    chosen = select(Delivery.queued_at).where(
        Delivery.address.in_((address, pseudonymize(address))),
        Delivery.channel == Channel.EMAIL,
        Delivery.step_key.startswith(_SIGN_UP),
    )
    return list(session.scalars(chosen.order_by(Delivery.queued_at)))


def queue_sign_up(
    session: Session, message: Message, subscriber: Subscriber, *, number: int, lasts: timedelta
) -> int:
    """Queue the ``number``th mail about an own subscription, ahead of all updates; its id.

    Who only left may be asked; to an address that bounced or complained it is not sent.
    """
    moment = clock.now()
    barred = barring_reason(session, subscriber.address, though_erased=True)
    state = DeliveryState.PENDING if barred is None else DeliveryState.SUPPRESSED
    row = new_row(message.id, f"{_SIGN_UP}{number}", moment, moment + lasts, moment) | {
        "address": subscriber.address,
        "email": subscriber.email,
        "time_zone": subscriber.time_zone,
        "language": message.language,
        "why": "Subscribed on the page",
        "state": state,
        "reason": barred or "",
        "lane": LANE_URGENT,
    }
    added = insert_new(session, Delivery).values(row)
    return int(session.execute(added.returning(Delivery.id)).scalar_one())
