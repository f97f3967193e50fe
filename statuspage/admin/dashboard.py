"""What is going on: open incidents and their promises, the outbox, alarms, troubled components."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.admin.base import admin, page
from statuspage.core import clock
from statuspage.core.db import session
from statuspage.core.enums import OUTBOX, ComponentStatus, DeliveryState, Kind
from statuspage.delivery import control
from statuspage.models import Component, Delivery, Incident, Message

SOON = timedelta(days=14)

_FAILED = (DeliveryState.FAILED, DeliveryState.BOUNCED, DeliveryState.EXPIRED)
_SENT = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How much waits and since when; what became of the messages of the last day."""

    waiting: int
    uncertain: int
    failed: int
    sent: int
    oldest: datetime | None


@admin.get("/")
def dashboard() -> ResponseReturnValue:
    """All that somebody who is woken at three needs to see first."""
    current = session()
    moment = clock.now()
    return page(
        "admin/dashboard.html",
        incidents=_open_incidents(current),
        maintenances=_coming_maintenances(current, until=moment + SOON),
        components=_components_in_trouble(current),
        component_count=current.scalar(
            select(func.count()).select_from(Component).where(Component.removed_at.is_(None))
        ),
        outbox=_outbox_state(current, since=moment - timedelta(days=1)),
        held_up=control.held_up(current),
        moment=moment,
    )


def _open_incidents(current: Session) -> list[Incident]:
    """Unfinished incidents: those with a promise first, the soonest first; then the newest."""
    found = current.scalars(
        select(Incident)
        .where(Incident.resolved_at.is_(None), Incident.kind == Kind.INCIDENT)
        .order_by(Incident.started_at.desc())
    ).all()
    never = clock.now() + timedelta(days=3650)
    return sorted(found, key=lambda incident: incident.next_update_at or never)


def _coming_maintenances(current: Session, *, until: datetime) -> list[Incident]:
    return list(
        current.scalars(
            select(Incident)
            .where(
                Incident.resolved_at.is_(None),
                Incident.kind == Kind.MAINTENANCE,
                Incident.scheduled_for < until,
            )
            .order_by(Incident.scheduled_for)
        )
    )


def _components_in_trouble(current: Session) -> list[Component]:
    return list(
        current.scalars(
            select(Component)
            .where(Component.removed_at.is_(None), Component.status != ComponentStatus.OPERATIONAL)
            .order_by(Component.position, Component.id)
        )
    )


def _outbox_state(current: Session, *, since: datetime) -> OutboxState:
    waiting = {
        state: current.execute(
            select(func.count(), func.min(Delivery.queued_at)).where(Delivery.state == state)
        ).one()
        for state in OUTBOX
    }
    # By message, because deliveries are many and have no index by time.
    of_late = select(Message.id).where(Message.created_at >= since)
    by_state = (
        select(Delivery.state, func.count())
        .where(Delivery.message_id.in_(of_late))
        .group_by(Delivery.state)
    )
    recent = dict(current.execute(by_state).all())
    return OutboxState(
        waiting=sum(count for count, _ in waiting.values()),
        uncertain=waiting[DeliveryState.UNCERTAIN][0],
        failed=sum(recent.get(state, 0) for state in _FAILED),
        sent=sum(recent.get(state, 0) for state in _SENT),
        oldest=min((oldest for _, oldest in waiting.values() if oldest), default=None),
    )
