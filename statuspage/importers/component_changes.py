"""The log of components' states, told by imported incidents.

A component shows the worst of what the incidents about it say at a time, as it does when they are
told here.  The log of a component is made anew from all its imported incidents whenever one of them
changes, so it does not matter in which order or how often they come in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import CLOSED, ComponentStatus, MaintenanceStatus, Visibility
from statuspage.incidents.component_log import (
    OPERATIONAL,
    StatusClaim,
    counts_for_log,
    read_claims,
    settle_log,
)
from statuspage.models import Component, ComponentChange, Incident, IncidentComponent

_CHUNK = 2_000


def log_changes(
    session: Session, incident_ids: Collection[int], *, component_ids: Collection[int]
) -> None:
    """Write the log of components anew; what nobody told in an incident stays.

    A component shows the worst of all incidents about it, so beside those of ``incident_ids`` the
    ones that were told here count too.
    """
    codes = {
        row.code: row.id
        for row in session.execute(
            select(Component.id, Component.code).where(Component.id.in_(component_ids))
        )
    }
    about = (
        select(Incident.id)
        .join(IncidentComponent)
        .where(IncidentComponent.component_id.in_(component_ids), counts_for_log())
    )
    incidents = sorted({*incident_ids, *session.scalars(about)})
    claims: dict[int, list[StatusClaim]] = defaultdict(list)
    for start in range(0, len(incidents), _CHUNK):
        chunk = incidents[start : start + _CHUNK]
        session.execute(
            delete(ComponentChange).where(
                ComponentChange.incident_id.in_(chunk),
                ComponentChange.component_id.in_(codes.values()),
            ),
            execution_options={"synchronize_session": False},
        )
        for component_id, words in read_claims(session, codes, chunk).items():
            claims[component_id] += words
    rows = [
        {
            "component_id": component_id,
            "at": change.at,
            "status": change.status,
            "incident_id": change.incident_id,
            "update_id": change.update_id,
        }
        for component_id, claims_of_one in claims.items()
        for change in settle_log(claims_of_one)
    ]
    if rows:
        session.execute(insert(ComponentChange), rows)


def show_current_states(session: Session, component_ids: Collection[int]) -> None:
    """Have each component show the worst of what the open public incidents say of it."""
    worst = dict.fromkeys(component_ids, OPERATIONAL)
    states = session.execute(
        select(IncidentComponent.component_id, IncidentComponent.status)
        .join(Incident, Incident.id == IncidentComponent.incident_id)
        .where(
            IncidentComponent.component_id.in_(component_ids),
            Incident.visibility == Visibility.PUBLIC,
            Incident.status.not_in(CLOSED),
            Incident.status != MaintenanceStatus.SCHEDULED,
        )
    )
    for component_id, status in states:
        worst[component_id] = ComponentStatus.worst([worst[component_id], status], OPERATIONAL)
    for component in session.scalars(select(Component).where(Component.id.in_(component_ids))):
        if component.status is not worst[component.id]:
            component.status = worst[component.id]
            component.updated_at = clock.now()
