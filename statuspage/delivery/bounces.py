"""Bounces: what an event of the mail provider makes of a delivery, and of its address.

A bounce, a report as spam and an unsubscription at the provider suppress the address.  Events come
late, twice and in any order, so a delivery is only ever moved forward.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import OUTBOX, DeliveryState
from statuspage.delivery.channels.sendgrid_webhook import EventKind
from statuspage.models import Delivery, DeliveryEvent, WebhookEvent
from statuspage.recipients.pseudonyms import is_pseudonym
from statuspage.recipients.suppression import SuppressionKind, suppress

BLOCKED = "blocked"
"""The kind that a bounce is stored under where only this mail was refused, not the address."""

_STATES: dict[str, DeliveryState] = {
    EventKind.PROCESSED: DeliveryState.ACCEPTED,
    EventKind.DEFERRED: DeliveryState.ACCEPTED,
    EventKind.DELIVERED: DeliveryState.DELIVERED,
    EventKind.BOUNCE: DeliveryState.BOUNCED,
    BLOCKED: DeliveryState.BOUNCED,
    EventKind.DROPPED: DeliveryState.FAILED,
}
_SUPPRESSIONS: dict[str, SuppressionKind] = {
    EventKind.BOUNCE: SuppressionKind.BOUNCED,
    EventKind.SPAM_REPORT: SuppressionKind.COMPLAINED,
    EventKind.UNSUBSCRIBE: SuppressionKind.UNSUBSCRIBED,
    EventKind.GROUP_UNSUBSCRIBE: SuppressionKind.UNSUBSCRIBED,
}
# Why SendGrid dropped a mail unsent: the address is on a list of its own already.
_DROPPED = {
    "bounced address": SuppressionKind.BOUNCED,
    "spam reporting address": SuppressionKind.COMPLAINED,
    "unsubscribed address": SuppressionKind.UNSUBSCRIBED,
}
# A later stage is never taken back by an earlier one that comes late.  What was given up while it
# was uncertain may turn out to have arrived.
_GIVEN_UP = {DeliveryState.SUPERSEDED, DeliveryState.EXPIRED, DeliveryState.SUPPRESSED}
_STAGES = {
    **dict.fromkeys(OUTBOX | _GIVEN_UP, 0),
    DeliveryState.ACCEPTED: 1,
    DeliveryState.DELIVERED: 2,
    DeliveryState.FAILED: 3,
    DeliveryState.BOUNCED: 3,
}


def apply_event(
    session: Session, delivery: Delivery, event: WebhookEvent, *, of_failed_attempt: bool
) -> None:
    """Move a delivery forward by an event about it, and suppress its address where it must be.

    ``of_failed_attempt`` says that the event is about an attempt that is known to have failed.
    """
    if is_pseudonym(delivery.address):
        # Its owner was forgotten meanwhile: what comes late must not bring the address back.
        event.address = event.reason = ""
    kind = _SUPPRESSIONS.get(event.kind)
    if event.kind == EventKind.DROPPED:
        kind = _DROPPED.get(event.reason.lower())
    if kind is not None:
        suppress(session, delivery.address, kind)
    state = _STATES.get(event.kind)
    became = state or delivery.state
    session.add(
        DeliveryEvent(
            delivery_id=delivery.id,
            at=event.at,
            state=became,
            reason=f"{event.kind}: {event.reason}".removesuffix(": ")[:500],
            attempt=event.attempt,
        )
    )
    if state is None or _STAGES[state] <= _STAGES.get(delivery.state, 9):
        return
    if of_failed_attempt and delivery.state in OUTBOX:
        # It is being sent once more, and this is about the time before.
        return
    delivery.state = state
    delivery.reason = event.reason[:500]
    # A worker that still has it has lost it: its outcome is known.
    delivery.attempt_id = None
    delivery.changed_at = clock.now()
