"""The log of a component's states, and rewriting it where the past is changed.

A component shows the worst of what the public incidents about it say at a time.  Mostly each change
follows the last one and is simply added.  An incident that is declared late, gets another start or
is taken back changes what was shown before, and with it what follows: then the part that it touches
is made again from the updates, so that the log always agrees with the incidents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from statuspage.core import clock
from statuspage.core.enums import CLOSED, ComponentStatus, Kind, Visibility
from statuspage.models import (
    Component,
    ComponentChange,
    Incident,
    IncidentComponent,
    IncidentUpdate,
)

OPERATIONAL = ComponentStatus.OPERATIONAL
_OTHER = aliased(IncidentUpdate)

BACKFILLED: Final = "backfill"
"""The origin of incidents that were told by form when they were over."""


@dataclass(frozen=True, slots=True)
class StatusClaim:
    """From ``at`` on an incident says that a component is ``status``."""

    at: datetime
    status: ComponentStatus
    incident_id: int
    update_id: int | None


def settle_log(claims: Sequence[StatusClaim]) -> Iterator[StatusClaim]:
    """The changes of one component: the worst of what its incidents say, whenever that changes."""
    current: dict[int, ComponentStatus] = {}
    shown = OPERATIONAL
    for _, moment in groupby(sorted(claims, key=attrgetter("at")), key=attrgetter("at")):
        together = list(moment)
        for claim in together:
            current.pop(claim.incident_id, None)
            if claim.status is not OPERATIONAL:
                current[claim.incident_id] = claim.status
        worst = ComponentStatus.worst(current.values(), OPERATIONAL)
        if worst is not shown:
            last = together[-1]
            yield StatusClaim(last.at, worst, last.incident_id, last.update_id)
            shown = worst


def goes_on_after(session: Session, component_id: int, at: datetime) -> bool:
    """Whether the component's log, or an incident about it that is over, has a change after
    ``at``.

    The log alone would not do: a graver incident may have covered another one's end.
    """
    changed = select(ComponentChange.id).where(
        ComponentChange.component_id == component_id, ComponentChange.at > at
    )
    ended = (
        select(Incident.id)
        .join(IncidentComponent)
        .where(
            IncidentComponent.component_id == component_id,
            Incident.visibility == Visibility.PUBLIC,
            Incident.resolved_at > at,
        )
    )
    return any(session.scalar(found.limit(1)) is not None for found in (changed, ended))


def rewrite(session: Session, component_ids: Iterable[int], *, since: datetime) -> None:
    """Make these components' logs again from the public incidents, as far as ``since`` touches
    them.

    What ended before is left alone, and so is that a component was there.  A log ends with the
    state that its component shows.
    """
    session.flush()
    for component_id in sorted(component_ids):
        _rewrite(session, component_id, since)
    session.flush()


def _rewrite(session: Session, component_id: int, since: datetime) -> None:
    component = session.get_one(Component, component_id)
    start, incidents = _touched(session, component_id, since)
    claims = read_claims(session, {component.code: component_id}, incidents)
    changes = list(settle_log(claims.get(component_id, [])))
    _forget(session, component_id, start, changes)
    shown = changes[-1].status if changes else OPERATIONAL
    if shown is not component.status:
        changes.append(StatusClaim(clock.now(), component.status, 0, None))
    session.add_all(
        ComponentChange(
            component_id=component_id,
            at=change.at,
            status=change.status,
            incident_id=change.incident_id or None,
            update_id=change.update_id,
        )
        for change in changes
    )


def _touched(
    session: Session, component_id: int, since: datetime
) -> tuple[datetime, dict[int, Incident]]:
    """The incidents that go on after ``since``, or overlap those; when the first of them began."""
    start = since
    while True:
        rows = session.scalars(
            select(Incident)
            .join(IncidentComponent)
            .where(IncidentComponent.component_id == component_id, counts_for_log(), _lasts(start))
        )
        incidents = {incident.id: incident for incident in rows}
        first = min([start, *(_begin(incident) for incident in incidents.values())])
        if first == start:
            return start, incidents
        start = first


def counts_for_log() -> ColumnElement[bool]:
    """The condition that an incident counts for components: it is public and no false alarm."""
    is_true = or_(Incident.kind != Kind.INCIDENT, Incident.cancelled_at.is_(None))
    return (Incident.visibility == Visibility.PUBLIC) & is_true


def _lasts(start: datetime) -> ColumnElement[bool]:
    return or_(Incident.resolved_at.is_(None), Incident.resolved_at >= start)


def _begin(incident: Incident) -> datetime:
    return min(incident.started_at, incident.scheduled_for or incident.started_at)


def read_claims(
    session: Session, codes: Mapping[str, int], incidents: Collection[int]
) -> dict[int, list[StatusClaim]]:
    """What the public updates of these incidents say of components, and that the incidents ended.

    ``codes`` are the components' keys by their codes; what is said is given by their keys.
    """
    first = select(func.min(_OTHER.id)).where(_OTHER.incident_id == Incident.id)
    rows = session.execute(
        select(
            Incident.id,
            Incident.kind,
            Incident.origin,
            Incident.status,
            Incident.started_at,
            Incident.resolved_at,
            IncidentUpdate.id.label("post_id"),
            IncidentUpdate.happened_at,
            IncidentUpdate.affected,
            (first.correlate(Incident).scalar_subquery() == IncidentUpdate.id).label("is_first"),
        )
        .join(IncidentUpdate, IncidentUpdate.incident_id == Incident.id)
        .where(
            Incident.id.in_(incidents),
            IncidentUpdate.visibility == Visibility.PUBLIC,
            counts_for_log(),
        )
        .order_by(IncidentUpdate.happened_at, IncidentUpdate.id)
    )
    claims: dict[tuple[int, int], list[StatusClaim]] = defaultdict(list)
    ends: dict[int, datetime] = {}
    for row in rows:
        # An incident is declared after it began, and counts from its start.
        is_own = row.origin in {None, BACKFILLED}
        is_late = row.is_first and row.kind is Kind.INCIDENT and is_own
        at = row.started_at if is_late else row.happened_at
        for effect in row.affected:
            if effect["code"] in codes:
                status = ComponentStatus(effect["new_status"])
                claim = StatusClaim(at, status, row.id, row.post_id)
                claims[codes[effect["code"]], row.id].append(claim)
        if row.status in CLOSED and row.resolved_at is not None:
            ends[row.id] = row.resolved_at
    found: dict[int, list[StatusClaim]] = defaultdict(list)
    for (component_id, incident_id), made in claims.items():
        found[component_id] += made
        last = made[-1]
        if incident_id in ends and last.status is not OPERATIONAL:
            # A resolved incident counts no longer, even where none of its updates said so.
            end = max(ends[incident_id], last.at)
            found[component_id].append(StatusClaim(end, OPERATIONAL, incident_id, None))
    return found


def _forget(
    session: Session, component_id: int, start: datetime, changes: Sequence[StatusClaim]
) -> None:
    """Take out what is rewritten; that a component was there stays where it contradicts nothing."""
    claims = select(ComponentChange).where(
        ComponentChange.component_id == component_id,
        ComponentChange.at >= start,
        ComponentChange.incident_id.is_(None),
    )
    stored_ids = [0]
    for row in session.scalars(claims):
        before = [change.status for change in changes if change.at <= row.at]
        if row.status is (before[-1] if before else OPERATIONAL):
            stored_ids.append(row.id)
    session.execute(
        delete(ComponentChange).where(
            ComponentChange.component_id == component_id,
            ComponentChange.at >= start,
            ComponentChange.id.not_in(stored_ids),
        ),
    )
