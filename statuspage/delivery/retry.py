"""Retries: when a delivery is tried again, and when it is too late for it.

A delivery that was certainly not sent is tried again after a back-off.  One that may have been sent
waits for the provider's event, where one can come, and is then sent once more with the same
Message-ID: losing nothing comes before doubling nothing.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, insert, or_, select, update
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import among, current_session, writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery.channels.provider import Fault
from statuspage.delivery.queue import close_waiting
from statuspage.models import Delivery, DeliveryEvent, WebhookEvent
from statuspage.models.delivery import in_state

FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 30.0
LONGEST_RECIPIENT_BACKOFF_SECONDS = 900.0


def backoff_seconds(attempts: int, fault: Fault) -> float:
    """How long to wait before the next try: a second at least, exponential, with full jitter.

    A provider's trouble is capped low, because the breaker protects the provider and what waits
    must leave within a minute of its recovery; a recipient's own (greylisting) is given longer.
    """
    longest = (
        LONGEST_RECIPIENT_BACKOFF_SECONDS if fault is Fault.RECIPIENT else LONGEST_BACKOFF_SECONDS
    )
    return random.uniform(1, min(longest, FIRST_BACKOFF_SECONDS * 2.0 ** min(attempts, 16)))


def event_wait(channel: Channel, uncertain_wait: float) -> timedelta:
    """How long to wait for an event about what may have been sent: only mail has events."""
    return timedelta(seconds=uncertain_wait if channel is Channel.EMAIL else 0)


def settle_due(*, limit: int = 5000) -> int:
    """Send once more what has been uncertain long enough, and end what is too old; how many.

    A delivery is left alone where an event about it is stored and not yet folded in.
    """
    moment = clock.now()
    reported = select(WebhookEvent.delivery_id).where(
        WebhookEvent.folded_at.is_(None), WebhookEvent.delivery_id.is_not(None)
    )
    is_waiting = and_(
        in_state(DeliveryState.UNCERTAIN),
        Delivery.due_at <= moment,
        Delivery.id.not_in(reported),
    )
    too_old = [
        in_state(state) & (Delivery.expires_at <= moment)
        for state in (DeliveryState.PENDING, DeliveryState.UNCERTAIN)
    ]
    found = [exists().where(condition) for condition in (is_waiting, *too_old)]
    if not current_session().scalar(select(or_(*found))):
        return 0
    with writing() as session:
        reason = "it couldn’t be sent in time"
        ended = [close_waiting(session, old, DeliveryState.EXPIRED, reason) for old in too_old]
        ids = list(
            session.scalars(
                select(Delivery.id).where(is_waiting).limit(limit).with_for_update(skip_locked=True)
            )
        )
        put_off(
            session,
            ids,
            DeliveryState.PENDING,
            "no answer from the provider; sent once more with the same Message-ID",
            due_at=moment,
        )
        return sum(ended) + len(ids)


def postpone(session: Session, ids: list[int], *, fault: Fault, retry_after: float | None) -> None:
    """Give each delivery its own time for the next try, so that they do not come back together.

    ``retry_after`` is the wait in seconds that the provider asked for, if it did.
    """
    moment = clock.now()
    rows = session.execute(
        select(Delivery.id, Delivery.attempts).where(
            among(Delivery.id, ids), in_state(DeliveryState.PENDING)
        )
    ).all()
    buckets: dict[datetime, list[int]] = defaultdict(list)
    for id_, attempts in rows:
        wait = backoff_seconds(attempts, fault) if retry_after is None else retry_after
        # Whole seconds, so that a thousand rows are a few statements.
        buckets[moment + timedelta(seconds=round(wait))].append(id_)
    for due_at, bucket in buckets.items():
        set_due(session, bucket, due_at)


def set_due(session: Session, ids: list[int], due_at: datetime) -> None:
    """Say when these deliveries, which nobody has claimed, are due again."""
    session.execute(
        update(Delivery)
        .where(among(Delivery.id, ids), Delivery.attempt_id.is_(None))
        .values(due_at=due_at)
        .execution_options(synchronize_session=False)
    )


def put_off(
    session: Session,
    ids: list[int],
    state: DeliveryState,
    reason: str,
    *,
    due_at: datetime,
    attempt: str = "",
) -> None:
    """Have these deliveries wait in a state until they are due again.

    ``attempt`` is kept where the provider may report on it.
    """
    if not ids:
        return
    moment = clock.now()
    noted = {"at": moment, "state": state, "reason": reason, "attempt": attempt}
    session.execute(insert(DeliveryEvent), [{"delivery_id": id_, **noted} for id_ in ids])
    session.execute(
        update(Delivery)
        .where(among(Delivery.id, ids))
        .values(state=state, reason=reason, due_at=due_at, attempt_id=None, changed_at=moment)
        .execution_options(synchronize_session=False)
    )
