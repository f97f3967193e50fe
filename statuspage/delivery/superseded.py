"""Superseded messages: whether a delivery that waits may still go.

It is asked twice.  Publishing ends what waits at that moment.  A delivery that was being sent just
then can come back to wait later, so each claim asks again: nobody is sent "investigating" after
"resolved", "it is over" after the incident was reopened, or anything after they unsubscribed or
their address bounced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, and_, exists, false, func, select, true
from sqlalchemy.orm import Session, aliased

from statuspage.core.db import among
from statuspage.core.enums import Audience, DeliveryState, Step
from statuspage.delivery import cancellation, corrections
from statuspage.delivery.queue import MAILED, close_waiting
from statuspage.models import Delivery, Incident, Message
from statuspage.models.delivery import in_state
from statuspage.recipients.suppression import (
    PERSONAL,
    bars,
    owed_by_contract,
    suppression_reason,
    with_suppression,
)

REMINDERS = frozenset({Step.UPDATE_DUE, Step.OVERDUE, Step.ESCALATED, Step.NOTE_DUE})
"""What colleagues are sent because time passes, not because an update was published."""

_Sent = Row[int | None, int | None, Step, Audience, bool]

# The rule for everybody: after a step, mails about these steps of the incident are untrue.
_UNTRUE_AFTER: Mapping[Step, Collection[Step]] = {
    Step.REOPENED: (Step.RESOLVED, Step.FALSE_ALARM),
    Step.FALSE_ALARM: tuple(Step),
}
_REASONS = {
    Step.REOPENED: "the incident was opened again before this was sent",
    Step.FALSE_ALARM: "it was a false alarm, known before this was sent",
}
_NEWER = "a newer message took its place"


# --- when an update is published ------------------------------------------------------------------


def end_untrue(session: Session, incident_id: int, step: Step) -> int:
    """End the waiting mails that a step makes untrue, whoever would get them; how many.

    After a reopening these are the mails that it is over, after a false alarm all mails.
    """
    if step not in _UNTRUE_AFTER:
        return 0
    untrue = select(Message.id).where(
        Message.incident_id == incident_id,
        Message.audience.in_(MAILED),
        Message.step.in_(_UNTRUE_AFTER[step]),
    )
    return _supersede(session, untrue, _REASONS[step])


def supersede(session: Session, message: Message, *, step_key: str) -> int:
    """End the waiting mails about earlier steps of the incident; how many.

    A delivery ends only where its address has one of the newer step, so nobody is left without a
    mail; it may be a customers' or a subscribers' mail.  A resolution ends only after a reopening
    or a false alarm (:func:`end_untrue`).
    """
    older = select(Message.id).where(
        Message.incident_id == message.incident_id,
        Message.audience.in_(MAILED),
        Message.step != Step.RESOLVED,
        Message.update_id.is_distinct_from(message.update_id),
    )
    reason = f"{_NEWER}: {message.step.label.lower()}"
    return _supersede(session, older, reason, _has_step(step_key))


def supersede_reminders(session: Session, message: Message, *, step_key: str, about: str) -> int:
    """End the waiting reminders that a newer one replaces; how many.

    A reminder ends only where the same address has the newer one.  ``about`` is how the step keys
    of what it replaces begin.
    """
    older = _reminders(message.incident_id).where(Message.id != message.id)
    is_about = Delivery.step_key.startswith(about, autoescape=True)
    reason = "a newer reminder took its place"
    return _supersede(session, older, reason, is_about, _has_step(step_key))


def end_reminders(session: Session, incident_id: int, *, is_over: bool) -> int:
    """End the waiting reminders that a new update makes untrue; how many.

    An update keeps the promise that colleagues were to be reminded of, and voids the approval that
    was asked for.  The end of an incident calls nobody any more.
    """
    steps = {*REMINDERS, Step.APPROVAL} - (set() if is_over else {Step.ESCALATED})
    reason = "the update was posted before this was sent"
    return _supersede(session, _reminders(incident_id, steps), reason)


def end_note_reminders(session: Session, incident_id: int) -> int:
    """End the waiting reminders that a note makes untrue; how many."""
    reminders = _reminders(incident_id, {Step.NOTE_DUE})
    return _supersede(session, reminders, "a note was added before this was sent")


def _reminders(incident_id: int | None, steps: Collection[Step] = REMINDERS) -> Select[int]:
    return select(Message.id).where(
        Message.incident_id == incident_id, Message.step.in_(sorted(steps))
    )


def _supersede(
    session: Session, messages: Select[int], reason: str, *conditions: ColumnElement[bool]
) -> int:
    waiting = and_(in_state(DeliveryState.PENDING), Delivery.message_id.in_(messages), *conditions)
    return close_waiting(session, waiting, DeliveryState.SUPERSEDED, reason)


def _has_step(step_key: str) -> ColumnElement[bool]:
    """The condition that the address of a delivery has a delivery of that step too."""
    newer = aliased(Delivery)
    return exists(
        select(newer.id)
        .where(
            newer.step_key == step_key,
            newer.channel == Delivery.channel,
            newer.address == Delivery.address,
        )
        .correlate(Delivery)
    )


# --- when a delivery is claimed -------------------------------------------------------------------


def has_given_way(session: Session, message_id: int) -> bool:
    """Whether a message was corrected or cancelled meanwhile; what waits of it is then moved."""
    if corrections.redirect(session, message_id) is not None:
        return True
    return cancellation.keep_back(session, message_id) > 0


def keep_back(session: Session, message_id: int, ids: Sequence[int]) -> frozenset[int]:
    """End those of these waiting deliveries of a message that may not go any more; which ones.

    The caller has locked them.
    """
    sent = _sent(session, message_id)
    ended: set[int] = set()
    for reason, barred in _barred(session, sent, ids).items():
        close_waiting(session, among(Delivery.id, barred), DeliveryState.SUPPRESSED, reason)
        ended.update(barred)
    later = _later(session, sent) if sent.audience in MAILED else None
    if later is not None:
        left = [id_ for id_ in ids if id_ not in ended]
        untrue = left if later.ends_all else _with_newer(session, left, later.step_keys)
        close_waiting(session, among(Delivery.id, untrue), DeliveryState.SUPERSEDED, later.reason)
        ended.update(untrue)
    return frozenset(ended)


def newest_message(session: Session, message_id: int) -> tuple[int | None, bool]:
    """Something that changes with each message about the same incident, and when this is
    cancelled.
    """
    sent = aliased(Message)
    row = session.execute(
        select(func.max(Message.id), sent.cancelled_at.is_not(None))
        .join(Message, Message.incident_id == sent.incident_id, isouter=True)
        .where(sent.id == message_id)
        .group_by(sent.id)
    ).one()
    return row[0], row[1]


def has_been(session: Session, message_id: int) -> ColumnElement[bool] | None:
    """The condition that a delivery of a message has been superseded; None where none has."""
    later = _later(session, _sent(session, message_id))
    if later is None or later.ends_all:
        return None if later is None else true()
    newer = aliased(Delivery)
    same = and_(newer.channel == Delivery.channel, newer.address == Delivery.address)
    found = select(newer.id).where(same, newer.step_key.in_(later.step_keys))
    return exists(found.correlate(Delivery))


@dataclass(frozen=True, slots=True)
class _Later:
    """What makes a message untrue: for everybody, or for whoever has one of the later steps."""

    reason: str
    step_keys: Sequence[str] = ()

    @property
    def ends_all(self) -> bool:
        return not self.step_keys


def _sent(session: Session, message_id: int) -> _Sent:
    """What a message is about; not its texts, which are long."""
    return session.execute(
        select(
            Message.incident_id, Message.update_id, Message.step, Message.audience,
            Incident.is_drill,
        )
        .outerjoin(Incident, Incident.id == Message.incident_id)
        .where(Message.id == message_id)
    ).one()  # fmt: skip


def _barred(session: Session, sent: _Sent, ids: Sequence[int]) -> Mapping[str, list[int]]:
    """The deliveries whose address is suppressed by now, by the reason.

    An address that unsubscribed may still be asked to confirm a new subscription, still gets what
    a colleague gets, and what is owed by contract.
    """
    owed: ColumnElement[bool] = PERSONAL
    if sent.audience in MAILED and sent.step is Step.NOTICE:
        owed = false()
    elif sent.audience in MAILED and sent.incident_id is not None and not sent.is_drill:
        owed = owed_by_contract()
    chosen = with_suppression(select(suppression_reason(), Delivery.id), Delivery.address)
    rows = session.execute(chosen.where(among(Delivery.id, ids), bars(owed)))
    return _grouped((row[0], row[1]) for row in rows)


def _grouped(rows: Iterable[tuple[str, int]]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for reason, id_ in rows:
        found[reason].append(id_)
    return found


def _later(session: Session, sent: _Sent) -> _Later | None:
    """What was published later about the same incident, as far as it makes a message untrue."""
    if sent.update_id is None:
        return None
    is_mailed = sent.audience in MAILED
    rows = session.execute(
        select(Message.step, Message.audience, Message.update_id).where(
            Message.incident_id == sent.incident_id, Message.update_id > sent.update_id
        )
    ).all()
    steps = {row.step for row in rows}
    for step, untrue in _UNTRUE_AFTER.items():
        if is_mailed and step in steps and sent.step in untrue:
            return _Later(_REASONS[step])
    alike = MAILED if is_mailed else (sent.audience,)
    keys = {f"update:{row.update_id}" for row in rows if row.audience in alike}
    return _Later(_NEWER, sorted(keys)) if keys and sent.step is not Step.RESOLVED else None


def _with_newer(session: Session, ids: Sequence[int], step_keys: Sequence[str]) -> Sequence[int]:
    """The deliveries, among these, whose address has one of those steps as well.

    Found by the unique key, one by one: asked with EXISTS, PostgreSQL goes through all of both.
    """
    newer = aliased(Delivery)
    same = and_(newer.address == Delivery.address, newer.channel == Delivery.channel)
    return session.scalars(
        select(Delivery.id)
        .distinct()
        .join(newer, and_(same, newer.step_key.in_(step_keys)))
        .where(among(Delivery.id, ids))
    ).all()
