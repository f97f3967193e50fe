"""Correcting a mail: who was sent the wrong text, and what becomes of those who still wait.

A message that was wrong gets two others.  Its replacement has the right text and goes to those who
still waited; its correction says that something was wrong and goes to exactly those who were sent
the wrong text, or may have been.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from statuspage.core import clock
from statuspage.core.db import count_written
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery.queue import CUSTOMER_MAIL_AGE, close_waiting, insert_chosen, new_row
from statuspage.models import Delivery, Message
from statuspage.models.delivery import in_state, was_sent
from statuspage.recipients.suppression import (
    bars,
    is_suppressed,
    owed_by_contract,
    state_and_reason,
    suppression_reason,
    with_suppression,
)

WHY = "Got the text that is corrected"

# What was cancelled may yet be sent after all, with the right text then.
_NOT_GONE = (DeliveryState.PENDING, DeliveryState.CANCELLED)


def count_sent(session: Session, message_id: int) -> tuple[int, int, int]:
    """How many a correction would go to, how many of them are kept from mail, how many wait."""
    sent, suppressed = was_sent(), is_suppressed(Delivery.address)
    waiting = and_(Delivery.state.in_(_NOT_GONE), ~sent)
    row = session.execute(
        select(
            func.count().filter(sent, ~suppressed),
            func.count().filter(sent, suppressed),
            func.count().filter(waiting),
        ).where(_mails_of(message_id))
    ).one()
    return row[0], row[1], row[2]


def first_reader(session: Session, message_id: int, *, sent: bool) -> Delivery | None:
    """One of those who were sent it, or of those who wait, so that their mail can be looked at."""
    condition = was_sent() if sent else Delivery.state.in_(_NOT_GONE)
    chosen = select(Delivery).where(_mails_of(message_id), condition).order_by(Delivery.id)
    return session.scalars(chosen.limit(1)).one_or_none()


def correction_of(session: Session, message_id: int) -> Message | None:
    """The correction that was made of a message, if any."""
    return session.scalars(select(Message).filter_by(corrects_id=message_id)).one_or_none()


def queue_correction(session: Session, *, wrong: Message, correction: Message) -> tuple[int, int]:
    """Queue the correction to whoever was sent the wrong text; give the others the right one.

    Call it in the transaction that keeps both messages.  Returns how many rows were added, and how
    many that waited were given the right text.
    """
    # Nobody may claim a row between the two steps: it would be sent wrong and not corrected.
    session.scalars(
        select(Delivery.id)
        .where(Delivery.message_id == wrong.id, Delivery.state.in_(_NOT_GONE))
        .with_for_update()
    ).all()
    added = insert_chosen(session, correction, *_for_recipients(wrong.id, correction.id))
    return added, redirect(session, wrong.id) or 0


def redirect(session: Session, message_id: int) -> int | None:
    """Keep what waits of a corrected message from going out as it was.

    Returns how many got the right text, None where the message was never corrected.  Whoever has
    the correction is sent nothing else.  Called for each claim too: what was being sent when the
    correction was made may come back to wait.
    """
    right = session.scalar(select(Message.id).where(Message.replaces_id == message_id))
    if right is None:
        return None
    waiting = and_(Delivery.message_id == message_id, in_state(DeliveryState.PENDING))
    corrected = exists(_rows_of_correction(message_id))
    close_waiting(
        session, and_(waiting, corrected), DeliveryState.SUPERSEDED, "a correction took its place"
    )
    return count_written(
        session,
        update(Delivery)
        .where(Delivery.message_id == message_id, Delivery.state.in_(_NOT_GONE))
        .values(message_id=right, changed_at=clock.now())
        .execution_options(synchronize_session=False),
    )


def _mails_of(message_id: int) -> ColumnElement[bool]:
    # Whose address was forgotten cannot be written to.
    return and_(
        Delivery.message_id == message_id, Delivery.channel == Channel.EMAIL, Delivery.email != ""
    )


def _rows_of_correction(message_id: int) -> Select[Any]:
    theirs = aliased(Delivery)
    correction = select(Message.id).where(Message.corrects_id == message_id).scalar_subquery()
    return (
        select(theirs.id)
        .where(
            theirs.message_id == correction,
            theirs.channel == Delivery.channel,
            theirs.address == Delivery.address,
        )
        .correlate(Delivery)
    )


def _for_recipients(message_id: int, correction_id: int) -> tuple[dict[str, Any], Any]:
    """The columns of the corrections, and who gets one."""
    moment = clock.now()
    columns = new_row(
        correction_id, f"correction:{message_id}", moment, moment + CUSTOMER_MAIL_AGE, moment
    )
    columns |= {
        "channel": Delivery.channel,
        "address": Delivery.address,
        "email": Delivery.email,
        "name": Delivery.name,
        "time_zone": Delivery.time_zone,
        "language": Delivery.language,
        "customer_id": Delivery.customer_id,
        "why": WHY,
        **state_and_reason(bars(owed_by_contract()), suppression_reason()),
    }

    def choose(chosen: Select[Any]) -> Select[Any]:
        sent = chosen.select_from(Delivery).where(_mails_of(message_id), was_sent())
        sent = sent.order_by(Delivery.language, Delivery.address)
        return with_suppression(sent, Delivery.address)

    return columns, choose
