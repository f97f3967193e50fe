"""Cancelling: a resolution's mails wait a moment, and what still waits can be ended.

What may have been sent is never called cancelled.  A row that was being sent when its message was
cancelled, and comes back unsent, is ended by the next claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import DeliveryState, Step
from statuspage.delivery.queue import CUSTOMER_MAIL_AGE, MAILED, close_waiting, queue_again
from statuspage.models import Delivery, Message
from statuspage.models.delivery import in_state, was_uncertain
from statuspage.recipients.suppression import is_suppressed

_GONE = (
    DeliveryState.SENDING,
    DeliveryState.UNCERTAIN,
    DeliveryState.ACCEPTED,
    DeliveryState.DELIVERED,
    DeliveryState.BOUNCED,
)


@dataclass(frozen=True, slots=True)
class CancellationState:
    """How the mails about a resolution stand.

    They wait to be cancelled until ``due_at``; None where that time is over, or nothing waits.
    """

    waiting: int = 0
    cancelled: int = 0
    gone: int = 0
    due_at: datetime | None = None


def resolution_mails(
    session: Session, incident_id: int, *, for_update: bool = False
) -> Sequence[Message]:
    """The mails about an incident's newest resolution, and what replaced them; no corrections.

    None where the incident was opened again since, however it ended then.
    """
    newest = select(func.max(Message.update_id)).where(
        Message.incident_id == incident_id,
        Message.step.in_((Step.RESOLVED, Step.REOPENED, Step.FALSE_ALARM)),
    )
    chosen = (
        select(Message)
        .where(
            Message.update_id == newest.scalar_subquery(),
            Message.step == Step.RESOLVED,
            Message.audience.in_(MAILED),
            Message.corrects_id.is_(None),
        )
        .order_by(Message.id)
    )
    if for_update:
        chosen = chosen.with_for_update().execution_options(populate_existing=True)
    return session.scalars(chosen).all()


def stand(session: Session, messages: Sequence[Message]) -> CancellationState:
    """How the deliveries of these messages stand, together."""
    ids = [message.id for message in messages]
    rows = session.execute(
        select(Delivery.state, func.count())
        .where(Delivery.message_id.in_(ids))
        .group_by(Delivery.state)
    )
    counts = {row[0]: row[1] for row in rows}
    waiting = counts.get(DeliveryState.PENDING, 0)
    due_at = None
    if waiting:
        # What was tried and failed is due later too, says why, and waits for nobody.
        is_untried = Delivery.reason == ""
        pending = and_(Delivery.message_id.in_(ids), in_state(DeliveryState.PENDING), is_untried)
        due_at = session.scalar(select(func.min(Delivery.due_at)).where(pending))
    return CancellationState(
        waiting=waiting,
        cancelled=counts.get(DeliveryState.CANCELLED, 0),
        gone=sum(counts.get(state, 0) for state in _GONE),
        due_at=due_at,
    )


def cancel(session: Session, messages: Sequence[Message], *, reason: str) -> int:
    """End what waits of these messages, and what comes back to wait; how many so far.

    The messages were read ``for_update``.
    """
    for message in messages:
        message.cancelled_at = clock.now()
    session.flush()
    return sum(keep_back(session, message.id, reason=reason) for message in messages)


def keep_back(
    session: Session, message_id: int, *, reason: str = "cancelled before it was sent"
) -> int:
    """End what waits of a cancelled message; how many, 0 where it was not cancelled.

    The rows are locked, so no claim takes one meanwhile.
    """
    cancelled_at = session.scalar(select(Message.cancelled_at).where(Message.id == message_id))
    if cancelled_at is None:
        return 0
    waiting = and_(
        Delivery.message_id == message_id, in_state(DeliveryState.PENDING), ~was_uncertain()
    )
    return close_waiting(session, waiting, DeliveryState.CANCELLED, reason)


def send_after_all(session: Session, messages: Sequence[Message], *, reason: str) -> int:
    """Have what was cancelled of these messages go out at once; how many.

    The rows are the same ones, so nobody gets two.  Suppressed addresses are left
    out.  The messages were read ``for_update``.
    """
    for message in messages:
        message.cancelled_at = None
    session.flush()
    cancelled = and_(
        Delivery.message_id.in_([message.id for message in messages]),
        Delivery.state == DeliveryState.CANCELLED,
        Delivery.email != "",
        ~is_suppressed(Delivery.address),
    )
    return queue_again(session, cancelled, reason=reason, age=CUSTOMER_MAIL_AGE)
