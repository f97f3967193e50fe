"""Overtaken: what happened after a delivery was queued and keeps it from being sent.

Publishing and leaving end what waits at that moment.  What was being sent just then can come back
to wait later, so each claim asks here: nobody is sent "investigating" after "resolved", "it is
over" after it was opened again, or anything after they left or their address bounced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, and_, exists, func, select, true
from sqlalchemy.orm import Session, aliased

from statuspage.core.db import among
from statuspage.core.enums import Audience, DeliveryState, Step
from statuspage.delivery.queue import MAILED, close_waiting
from statuspage.models import Delivery, Incident, Message
from statuspage.recipients.suppression import (
    PERSONAL,
    bars,
    owed_by_contract,
    suppression_reason,
    with_suppression,
)

_Told = Row[int | None, int | None, Step, Audience, bool]

_NEWER = "a newer message took its place"
_REOPENED = "the incident was opened again before this was sent"
_FALSE_ALARM = "it was a false alarm, known before this was sent"


def keep_back(session: Session, message_id: int, ids: Sequence[int]) -> frozenset[int]:
    """End those of these waiting deliveries of a message that must not go any more; which ones.

    The caller has locked them.
    """
    told = _told(session, message_id)
    ended: set[int] = set()
    for reason, barred in _barred(session, told, ids).items():
        close_waiting(session, among(Delivery.id, barred), DeliveryState.SUPPRESSED, reason)
        ended.update(barred)
    later = _later(session, told) if told.audience in MAILED else None
    if later is not None:
        left = [id_ for id_ in ids if id_ not in ended]
        untrue = left if later.ends_all else _with_newer(session, left, later.step_keys)
        close_waiting(session, among(Delivery.id, untrue), DeliveryState.SUPERSEDED, later.reason)
        ended.update(untrue)
    return frozenset(ended)


def last_word(session: Session, message_id: int) -> tuple[int | None, bool]:
    """Something that changes with each message about the same incident, and when this is
    cancelled.
    """
    told = aliased(Message)
    row = session.execute(
        select(func.max(Message.id), told.cancelled_at.is_not(None))
        .join(Message, Message.incident_id == told.incident_id, isouter=True)
        .where(told.id == message_id)
        .group_by(told.id)
    ).one()
    return row[0], row[1]


def has_been(session: Session, message_id: int) -> ColumnElement[bool] | None:
    """The condition that a delivery of a message has been overtaken; None where none has."""
    later = _later(session, _told(session, message_id))
    if later is None or later.ends_all:
        return None if later is None else true()
    newer = aliased(Delivery)
    same = and_(newer.channel == Delivery.channel, newer.address == Delivery.address)
    found = select(newer.id).where(same, newer.step_key.in_(later.step_keys))
    return exists(found.correlate(Delivery))


@dataclass(frozen=True, slots=True)
class _Later:
    """What later posts make of a message: untrue for everybody, or for whoever has one of them."""

    reason: str
    step_keys: Sequence[str] = ()

    @property
    def ends_all(self) -> bool:
        return not self.step_keys


def _told(session: Session, message_id: int) -> _Told:
    """What a message is about; not its texts, which are long."""
    return session.execute(
        select(
            Message.incident_id, Message.update_id, Message.step, Message.audience,
            Incident.is_drill,
        )
        .outerjoin(Incident, Incident.id == Message.incident_id)
        .where(Message.id == message_id)
    ).one()  # fmt: skip


def _barred(session: Session, told: _Told, ids: Sequence[int]) -> Mapping[str, list[int]]:
    """Those whose address must not be written to by now, by the reason.

    Who left may still be asked to confirm a new subscription, and is a colleague as before; what is
    owed by contract reaches them too.
    """
    is_notice = told.audience in MAILED and told.incident_id is not None and not told.is_drill
    owed = owed_by_contract() if is_notice else PERSONAL
    chosen = with_suppression(select(suppression_reason(), Delivery.id), Delivery.address)
    rows = session.execute(chosen.where(among(Delivery.id, ids), bars(owed)))
    return _grouped((row[0], row[1]) for row in rows)


def _grouped(rows: Iterable[tuple[str, int]]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for reason, id_ in rows:
        found[reason].append(id_)
    return found


def _later(session: Session, told: _Told) -> _Later | None:
    """What was posted later about the same incident, as far as it makes a message untrue.

    As when it was posted (:func:`~statuspage.delivery.queue.supersede`): a delivery gives way where
    its address has a later one, a resolution to a reopening alone, and everything to a false alarm.
    """
    if told.update_id is None:
        return None
    is_news = told.audience in MAILED
    rows = session.execute(
        select(Message.step, Message.audience, Message.update_id).where(
            Message.incident_id == told.incident_id, Message.update_id > told.update_id
        )
    ).all()
    steps = {row.step for row in rows}
    is_end = told.step in {Step.RESOLVED, Step.FALSE_ALARM}
    if is_news and is_end and Step.REOPENED in steps:
        return _Later(_REOPENED)
    if is_news and Step.FALSE_ALARM in steps:
        return _Later(_FALSE_ALARM)
    alike = MAILED if is_news else (told.audience,)
    keys = {f"update:{row.update_id}" for row in rows if row.audience in alike}
    return _Later(_NEWER, sorted(keys)) if keys and told.step is not Step.RESOLVED else None


def _with_newer(session: Session, ids: Sequence[int], step_keys: Sequence[str]) -> Sequence[int]:
    """Those of these deliveries whose address has one of those steps as well.

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
