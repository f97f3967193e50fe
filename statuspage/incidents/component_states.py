"""Component states: what an incident sets, what the page then shows, and the log of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.enums import CLOSED, ComponentStatus, MaintenanceStatus, Visibility
from statuspage.core.errors import Invalid
from statuspage.incidents import component_log
from statuspage.models import (
    Component,
    ComponentChange,
    Incident,
    IncidentComponent,
    IncidentUpdate,
)

OPERATIONAL = ComponentStatus.OPERATIONAL


def affect(
    session: Session,
    incident: Incident,
    states: Mapping[int, ComponentStatus],
    *,
    update: IncidentUpdate,
    at: datetime,
) -> list[dict[str, Any]]:
    """Set what an update says of components, settle what the page shows, and log each change.

    Returns the update's ``affected`` list for every component of the incident, as the public JSON
    has it.  An internal incident keeps its states to itself.
    """
    before = {row.component_id: row.status for row in incident.affected}
    for component_id, status in states.items():
        set_state(session, incident, component_id, status)
    session.flush()
    late: list[int] = []
    if not incident.is_internal:
        late = settle(session, states, incident=incident, update=update, at=at)
    rows = session.scalars(
        select(IncidentComponent)
        .filter_by(incident_id=incident.id)
        .join(Component)
        .order_by(Component.position, Component.id)
    )
    update.affected = [
        {
            "code": row.component.code,
            "name": row.component.name,
            "old_status": before.get(row.component_id, OPERATIONAL).value,
            "new_status": row.status.value,
        }
        for row in rows
    ]
    component_log.rewrite(session, late, since=at)
    return update.affected


def settle(
    session: Session,
    states: Mapping[int, ComponentStatus],
    *,
    incident: Incident,
    update: IncidentUpdate | None,
    at: datetime,
) -> list[int]:
    """Have each component show the worst of what is said here and by any open public incident.

    So a resolution may leave a component degraded, and never turns one green that another incident
    still holds.  Returns the components whose log has a later change already: that log is for the
    caller to rewrite, once everything is saved.
    """
    late: list[int] = []
    for component_id, status in sorted(states.items()):
        component = session.get_one(Component, component_id)
        is_late = component_log.goes_on_after(session, component_id, at)
        settled = ComponentStatus.worst(
            [status, *_states_by_open_incidents(session, component_id)], OPERATIONAL
        )
        if is_late:
            late.append(component_id)
        if component.status is settled:
            continue
        component.status = settled
        component.updated_at = at
        if is_late:
            continue
        session.add(
            ComponentChange(
                component_id=component_id,
                at=at,
                status=settled,
                incident_id=incident.id,
                update_id=update.id if update else None,
            )
        )
    return late


def at_the_end(
    incident: Incident, states: Mapping[int, ComponentStatus]
) -> dict[int, ComponentStatus]:
    """What a resolution says of every affected component: operational, unless it says otherwise."""
    return {
        row.component_id: states.get(row.component_id, OPERATIONAL) for row in incident.affected
    }


def set_state(
    session: Session, incident: Incident, component_id: int, status: ComponentStatus
) -> None:
    """Note on an incident what it says of a component; :class:`Invalid` for one that is gone."""
    row = session.get(IncidentComponent, (incident.id, component_id))
    if row is not None:
        row.status = status
        return
    component = session.get(Component, component_id)
    if component is None or component.removed_at is not None:
        raise Invalid("components", "One of these components no longer exists.")
    incident.affected.append(IncidentComponent(component_id=component_id, status=status))


def _states_by_open_incidents(session: Session, component_id: int) -> list[ComponentStatus]:
    return list(
        session.scalars(
            select(IncidentComponent.status)
            .join(Incident, Incident.id == IncidentComponent.incident_id)
            .where(
                IncidentComponent.component_id == component_id,
                Incident.visibility == Visibility.PUBLIC,
                Incident.status.not_in(CLOSED),
                Incident.status != MaintenanceStatus.SCHEDULED,
            )
        )
    )
