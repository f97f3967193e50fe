"""What is going on: open incidents and their promises, the outbox, alarms, troubled components."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.admin import getting_started, live, promises
from statuspage.admin.base import admin, page, revision_number
from statuspage.admin.suggestions import respond_by
from statuspage.configuration import severity
from statuspage.configuration.on_call import planned
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import OUTBOX, ComponentStatus, DeliveryState, Kind
from statuspage.delivery import control
from statuspage.intake import problem_reports, suggestions
from statuspage.models import Component, Delivery, Incident, Message

SOON = timedelta(days=14)
# Of the components in one state, so many are named; the rest is one link away.
MOST_NAMES = 5
MOST_SUGGESTIONS = 5

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
    session = current_session()
    moment = clock.now()
    as_of = revision_number()
    incidents = _open_incidents(session)
    return page(
        "admin/dashboard.html",
        incidents=incidents,
        number=live.number_of_all(as_of, incidents),
        promised_by_no_change=promises.promised_by_no_change,
        form_key=lambda: secrets.token_urlsafe(16),
        maintenances=_coming_maintenances(session, until=moment + SOON),
        troubled=_by_state(_components_in_trouble(session)),
        most_names=MOST_NAMES,
        component_count=session.scalar(
            select(func.count()).select_from(Component).where(Component.removed_at.is_(None))
        ),
        outbox=_outbox_state(session, since=moment - timedelta(days=1)),
        held_up=control.held_up(session),
        suggestions=suggestions.open_suggestions(session, most=MOST_SUGGESTIONS + 1),
        most_suggestions=MOST_SUGGESTIONS,
        visitor_counts=problem_reports.visitor_counts(session),
        respond_by=respond_by,
        levels=severity.severity_levels(session),
        on_call=planned(session),
        setup_items=getting_started.setup_items(session),
        moment=moment,
    )


def _open_incidents(session: Session) -> list[Incident]:
    """Unfinished incidents: those with a promise first, the soonest first; then the newest."""
    found = session.scalars(
        select(Incident)
        .where(Incident.resolved_at.is_(None), Incident.kind == Kind.INCIDENT)
        .order_by(Incident.started_at.desc())
    ).all()
    never = clock.now() + timedelta(days=3650)
    return sorted(found, key=lambda incident: incident.next_update_at or never)


def _coming_maintenances(session: Session, *, until: datetime) -> list[Incident]:
    return list(
        session.scalars(
            select(Incident)
            .where(
                Incident.resolved_at.is_(None),
                Incident.kind == Kind.MAINTENANCE,
                Incident.scheduled_for < until,
            )
            .order_by(Incident.scheduled_for)
        )
    )


def _components_in_trouble(session: Session) -> list[Component]:
    return list(
        session.scalars(
            select(Component)
            .where(Component.removed_at.is_(None), Component.status != ComponentStatus.OPERATIONAL)
            .order_by(Component.position, Component.id)
        )
    )


def _by_state(components: list[Component]) -> list[tuple[ComponentStatus, list[Component]]]:
    """Components by their state, the worst state first."""
    worst_first = reversed(ComponentStatus)
    found = [(state, [one for one in components if one.status is state]) for state in worst_first]
    return [(state, members) for state, members in found if members]


def _outbox_state(session: Session, *, since: datetime) -> OutboxState:
    waiting = {
        state: session.execute(
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
    recent = dict(session.execute(by_state).all())
    return OutboxState(
        waiting=sum(count for count, _ in waiting.values()),
        uncertain=waiting[DeliveryState.UNCERTAIN][0],
        failed=sum(recent.get(state, 0) for state in _FAILED),
        sent=sum(recent.get(state, 0) for state in _SENT),
        oldest=min((oldest for _, oldest in waiting.values() if oldest), default=None),
    )
