"""How a drill went, in a few figures: read from what was published and queued, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.enums import Audience, Step
from statuspage.delivery.superseded import REMINDERS
from statuspage.incidents.promises import Record, record_of
from statuspage.models import Delivery, Incident, Message

AUDIENCES: Final = {
    Audience.PUBLIC: "visitors",
    Audience.INTERNAL: "colleagues",
    Audience.CUSTOMER: "customers",
    Audience.SUBSCRIBER: "subscribers",
}


@dataclass(frozen=True, slots=True)
class Score:
    """``covered`` audiences had a text, and the list was sent it where it goes by mail or chat.

    ``overridden`` are the reasons why something went on although a check held it back.
    """

    first_update: timedelta
    first_update_allowed: timedelta | None
    record: Record
    covered: tuple[str, ...]
    left_out: tuple[str, ...]
    overridden: tuple[str, ...]
    resolved_after: timedelta | None


def score_of(session: Session, drill: Incident) -> Score:
    """The score of a drill so far."""
    updates = sorted(drill.updates, key=lambda update: (update.posted_at, update.id))
    level = severity.level_of(session, drill.worst_rank)
    respond = level.respond_minutes if level else None
    reached = _reached(session, drill)
    overrides = session.scalars(select(Message.override).filter_by(incident_id=drill.id))
    return Score(
        first_update=updates[0].posted_at - drill.started_at,
        first_update_allowed=timedelta(minutes=respond) if respond else None,
        record=record_of(drill, clock.now()),
        covered=tuple(name for one, name in AUDIENCES.items() if one in reached),
        left_out=tuple(name for one, name in AUDIENCES.items() if one not in reached),
        overridden=(
            *(one["reason"] for one in overrides if one),
            *(why for each in updates for why in each.gate.values() if why),
        ),
        resolved_after=drill.resolved_at - drill.started_at if drill.resolved_at else None,
    )


def _reached(session: Session, drill: Incident) -> set[Audience]:
    """Who was sent something; a public update reaches everybody who looks."""
    was_queued = exists().where(Delivery.message_id == Message.id)
    return set(
        session.scalars(
            select(Message.audience).where(
                Message.incident_id == drill.id,
                Message.step.not_in(sorted({*REMINDERS, Step.TEST})),
                was_queued | (Message.audience == Audience.PUBLIC),
            )
        )
    )
