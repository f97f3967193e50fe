"""Events from the mail provider: kept the moment they come, folded into deliveries afterwards.

Keeping is one insert that a repeated event id does not repeat, so the provider gets its answer at
once.  Folding only ever moves a delivery forward (accepted, delivered, bounced), so events may come
late, twice and in any order.  An event counts only where it names an attempt that was made here at
that very delivery: a delivery's number can be guessed, an attempt's random id cannot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.address import read_address
from statuspage.core.db import count_written, current_session, insert_new, writing
from statuspage.core.enums import OUTBOX, DeliveryState
from statuspage.delivery.bounces import BLOCKED, apply_event
from statuspage.delivery.channels.sendgrid_webhook import Event
from statuspage.delivery.outcomes import count_up
from statuspage.models import Delivery, DeliveryEvent, WebhookEvent
from statuspage.recipients.pseudonyms import pseudonymize

KEEP_AT_ONCE = 500
FOLD_AT_ONCE = 500
FOLDED_KEPT = timedelta(days=30)
FORGET_AT_ONCE = 1_000
# In characters, as our own attempts' ids; a longer one was made elsewhere.
LONGEST_ATTEMPT = 36
UNREADABLE = "unreadable_events"
"""What the events that could not be read are counted under."""


def keep(events: Iterable[Event], *, unreadable: int = 0) -> int:
    """Keep the events that may be about our deliveries and are not yet known; returns how many.

    ``unreadable`` counts those that came with them and could not be read.
    """
    moment = clock.now()
    rows = [
        {
            "event_id": event.event_id,
            "delivery_id": int(event.delivery_id or 0),
            "attempt": event.attempt_id,
            "kind": BLOCKED if event.blocked else event.kind.value,
            "address": event.address,
            "reason": event.reason,
            "at": event.at,
            "received_at": moment,
        }
        for event in events
        if _may_be_ours(event)
    ]
    if not rows and not unreadable:
        return 0
    with writing() as session:
        if unreadable:
            count_up(session, UNREADABLE, unreadable)
        return sum(
            _insert(session, rows[at : at + KEEP_AT_ONCE])
            for at in range(0, len(rows), KEEP_AT_ONCE)
        )


def fold() -> int:
    """Fold what waits into its deliveries, the longest waiting first; returns how many events."""
    if current_session().scalar(_waiting().limit(1)) is None:
        return 0
    with writing() as session:
        events = session.scalars(
            _waiting()
            .order_by(WebhookEvent.received_at)
            .limit(FOLD_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        _fold_events(session, events)
        return len(events)


def forget_folded() -> int:
    """Drop a batch of events that were folded in long ago; how many.  The worker's duty.

    A provider sends an event again for a day or so at most: what is dropped does not come back.
    """
    old = WebhookEvent.folded_at < clock.now() - FOLDED_KEPT
    # Looked for first, so that nobody waits for the database while they are.
    ids = list(
        current_session().scalars(select(WebhookEvent.event_id).where(old).limit(FORGET_AT_ONCE))
    )
    if not ids:
        return 0
    with writing() as session:
        session.execute(delete(WebhookEvent).where(WebhookEvent.event_id.in_(ids)))
    return len(ids)


def _insert(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    statement = insert_new(session, WebhookEvent).values(rows).on_conflict_do_nothing()
    return count_written(session, statement)


def _waiting() -> Select[WebhookEvent]:
    return select(WebhookEvent).where(WebhookEvent.folded_at.is_(None))


def _fold_events(session: Session, events: Sequence[WebhookEvent]) -> None:
    ids = {event.delivery_id for event in events}
    deliveries = {
        delivery.id: delivery
        for delivery in session.scalars(
            select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update()
        )
    }
    made = _attempts_made(session, ids)
    moment = clock.now()
    for event in sorted(events, key=lambda event: event.at):
        delivery = deliveries.get(event.delivery_id or 0)
        if delivery is not None and _is_about(event, delivery, made):
            states = made.get((delivery.id, event.attempt), set())
            has_failed = DeliveryState.FAILED in states
            apply_event(session, delivery, event, of_failed_attempt=has_failed)
        event.folded_at = moment


def _is_about(
    event: WebhookEvent, delivery: Delivery, made: Mapping[tuple[int, str], set[DeliveryState]]
) -> bool:
    """Whether an event is about that very mail, and not one of another system on the account.

    A staging system numbers its mails from 1 too, and may write to the same addresses; the ids of
    its attempts are its own.  Nor is it one that came long ago and may have been forgotten
    since: whoever recorded it then changes nothing by sending it again.
    """
    if event.attempt != delivery.attempt_id and (delivery.id, event.attempt) not in made:
        return False
    if event.at < event.received_at - FOLDED_KEPT and delivery.state not in OUTBOX:
        return False
    try:
        identity = read_address(event.address).identity
    except ValueError:
        return True
    return delivery.address == identity or delivery.address == pseudonymize(identity)


def _attempts_made(
    session: Session, ids: Collection[int | None]
) -> dict[tuple[int, str], set[DeliveryState]]:
    """The attempts made at these deliveries, by delivery and attempt, with what came of each."""
    rows = session.execute(
        select(DeliveryEvent.delivery_id, DeliveryEvent.attempt, DeliveryEvent.state).where(
            DeliveryEvent.delivery_id.in_(ids), DeliveryEvent.attempt != ""
        )
    )
    made: dict[tuple[int, str], set[DeliveryState]] = defaultdict(set)
    for delivery_id, attempt, state in rows:
        made[delivery_id, attempt].add(state)
    return made


def _may_be_ours(event: Event) -> bool:
    """Whether an event has the two ids that every mail of ours carries, in their shapes."""
    number, attempt = event.delivery_id or "", event.attempt_id or ""
    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    return is_number and 0 < len(attempt) <= LONGEST_ATTEMPT
