"""Outcomes: what became of each recipient, written only by who still owns the delivery.

Four are known (:class:`~.channels.provider.Outcome`).  Accepted and refused are the end of the
sending; not sent waits for another try; unknown waits for the provider's event, where one
can be expected, and is then sent once more: losing nothing comes before doubling nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Integer, String, bindparam, insert, select, update
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import among, insert_new
from statuspage.core.enums import DeliveryState
from statuspage.delivery.channels.provider import Fault, Outcome, Result
from statuspage.delivery.claims import Claim
from statuspage.delivery.control import note_results
from statuspage.delivery.retry import event_wait, postpone, set_due
from statuspage.models import Counter, Delivery, DeliveryEvent
from statuspage.models.delivery import in_state

_ATTEMPTS = "attempts"
_PROVIDER_ERRORS = "provider_errors"

# The conditions are the token: a worker that lost the claim, or a delivery that an event ended, is
# skipped.
_OURS = (
    among(Delivery.id, "ids"),
    Delivery.attempt_id == bindparam("attempt"),
    in_state(DeliveryState.SENDING),
)
# Built once: over SMTP they run for each mail, and building them would take longer than sending it.
_NOTE = (
    insert(DeliveryEvent)
    .from_select(
        ["delivery_id", "at", "state", "reason", "attempt"],
        select(
            Delivery.id,
            bindparam("moment", type_=DeliveryEvent.at.type),
            bindparam("became", type_=DeliveryEvent.state.type),
            bindparam("because", type_=String),
            bindparam("attempt", type_=String),
        )
        .where(*_OURS)
        .order_by(Delivery.id)
        # So that what is noted and what is settled are the same rows.
        .with_for_update(of=Delivery),
    )
    .execution_options(dml_strategy="raw")
)
_SETTLE = (
    update(Delivery)
    .where(*_OURS)
    .values(
        state=bindparam("became"),
        reason=bindparam("because"),
        provider_id=bindparam("named"),
        attempts=Delivery.attempts + bindparam("burnt", type_=Integer),
        attempt_id=None,
        changed_at=bindparam("moment"),
    )
    .execution_options(synchronize_session=False)
)

_STATES = {
    Outcome.ACCEPTED: DeliveryState.ACCEPTED,
    Outcome.REFUSED: DeliveryState.FAILED,
    Outcome.NOT_SENT: DeliveryState.PENDING,
    Outcome.UNKNOWN: DeliveryState.UNCERTAIN,
}


def record_outcomes(
    session: Session, claim: Claim, results: Sequence[Result], *, uncertain_wait: float
) -> None:
    """Write what became of these recipients of a claim, and let the breaker learn from it."""
    alike: dict[tuple[Outcome, Fault, str, str, float | None], list[int]] = defaultdict(list)
    for result in results:
        key = (
            result.outcome,
            result.fault,
            result.reason,
            result.provider_id or "",
            result.retry_after,
        )
        alike[key].append(int(result.recipient.delivery_id))
    for (outcome, fault, reason, provider_id, retry_after), ids in alike.items():
        state = _STATES[outcome]
        burns = not (outcome is Outcome.NOT_SENT and fault in {Fault.RATE, Fault.CREDENTIALS})
        _write(
            session,
            claim,
            ids,
            state=state,
            reason=reason[:500],
            provider_id=provider_id[:500],
            burns_attempt=burns,
        )
        if state is DeliveryState.PENDING:
            postpone(session, ids, fault=fault, retry_after=retry_after)
        if state is DeliveryState.UNCERTAIN:
            wait = event_wait(claim.channel, uncertain_wait)
            set_due(session, ids, clock.now() + wait)
        count_up(session, f"{_ATTEMPTS}:{claim.channel.value}", len(ids))
        if fault in {Fault.RATE, Fault.CREDENTIALS, Fault.PROVIDER}:
            count_up(session, f"{_PROVIDER_ERRORS}:{claim.channel.value}:{fault.value}", 1)
    note_results(session, claim.channel, results)


def counted(session: Session) -> dict[str, int]:
    """What has been counted since the beginning, by name: attempts and providers' errors."""
    return {row.name: row.value for row in session.scalars(select(Counter))}


def count_up(session: Session, name: str, much: int) -> None:
    """Add to what is counted under a name; see :func:`counted`."""
    statement = insert_new(session, Counter).values(name=name, value=much)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": Counter.value + much}
        )
    )


def _write(
    session: Session,
    claim: Claim,
    ids: list[int],
    *,
    state: DeliveryState,
    reason: str,
    provider_id: str,
    burns_attempt: bool,
) -> None:
    became = {
        "ids": ids,
        "attempt": claim.attempt_id,
        "moment": clock.now(),
        "became": state,
        "because": reason,
        "named": provider_id,
        "burnt": int(burns_attempt),
    }
    session.execute(_NOTE, became)
    session.execute(_SETTLE, became)
