"""The components that imported incidents name, and the log of their states.

A component shows the worst of what the incidents about it say at a time, as it does when they are
published here.  The log of a component is rewritten from all its imported incidents whenever one of
them changes, so it does not matter in which order or how often they come in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import CLOSED, ComponentStatus, MaintenanceStatus, Visibility
from statuspage.importers.published import Effect, PublishedIncident
from statuspage.incidents.component_log import (
    OPERATIONAL,
    StatusClaim,
    counts_for_log,
    read_claims,
    settle_log,
)
from statuspage.models import Component, ComponentChange, Incident, IncidentComponent
from statuspage.models.columns import new_code


class Components:
    """The components that incidents name, by code or by name; ``added`` are those made for them."""

    def __init__(self) -> None:
        self._by_code: dict[str, tuple[int, str]] = {}
        self._by_name: dict[str, tuple[int, str]] = {}
        self.added = 0

    def load(self, session: Session) -> None:
        """Read those that are there."""
        rows = session.execute(
            select(Component.id, Component.code, Component.name, Component.removed_at).order_by(
                Component.id.desc()
            )
        ).all()
        for row in sorted(rows, key=lambda row: row.removed_at is None):
            # Of several with one name the oldest that is not removed is meant.
            self._by_code[row.code] = (row.id, row.code)
            self._by_name[row.name.casefold()] = (row.id, row.code)

    def add_missing(self, session: Session, incidents: Sequence[PublishedIncident]) -> None:
        """Make the components that are named and not there, since the first incident about them."""
        since: dict[tuple[str | None, str], datetime] = {}
        for incident in incidents:
            for update in incident.updates:
                for effect in update.effects:
                    if self._find(effect) is None:
                        key = (effect.code, effect.name)
                        since[key] = min(since.get(key, incident.started_at), incident.started_at)
        highest = session.scalar(
            select(func.max(Component.position)).where(Component.group_id.is_(None))
        )
        position = -1 if highest is None else highest
        # By their codes, so that all are written in a few statements: one by one, two hundred would
        # hold the database's lock for long.
        rows: dict[str, dict[str, Any]] = {}
        named: set[str] = set()
        for (code, name), at in sorted(since.items(), key=lambda item: item[0][1].casefold()):
            if (code or name.casefold()) in named:
                continue
            named |= {code or "", name.casefold()}
            position += 1
            own_code = code or new_code()
            rows[own_code] = {
                "code": own_code,
                "name": name,
                "position": position,
                "created_at": at,
                "updated_at": at,
                # A code that nobody lists any more is a component that is gone.
                "removed_at": clock.now() if code else None,
            }
        if rows:
            self._insert(session, rows)

    def _insert(self, session: Session, rows: Mapping[str, Mapping[str, Any]]) -> None:
        session.execute(insert(cast(Table, Component.__table__)), list(rows.values()))
        made = select(Component.id, Component.code).where(Component.code.in_(rows))
        changes = []
        for key, code in session.execute(made.order_by(Component.position)):
            self.added += 1
            self._by_code[code] = (key, code)
            self._by_name.setdefault(rows[code]["name"].casefold(), (key, code))
            changes.append(
                {
                    "component_id": key,
                    "at": rows[code]["created_at"],
                    "status": ComponentStatus.OPERATIONAL,
                }
            )
        session.execute(insert(ComponentChange), changes)

    def id_of(self, effect: Effect) -> int:
        """The id of the component that an effect names."""
        return self._known(effect)[0]

    def stored_form(self, effect: Effect) -> dict[str, str]:
        """An effect as an update's ``affected`` has it."""
        return {
            "code": self._known(effect)[1],
            "name": effect.name,
            "old_status": effect.old_status.value,
            "new_status": effect.new_status.value,
        }

    def _find(self, effect: Effect) -> tuple[int, str] | None:
        if effect.code is not None:
            return self._by_code.get(effect.code)
        return self._by_name.get(effect.name.casefold())

    def _known(self, effect: Effect) -> tuple[int, str]:
        found = self._find(effect)
        if found is None:
            raise LookupError(effect.name)
        return found


_CHUNK = 2_000


def log_changes(
    session: Session, incident_ids: Collection[int], *, component_ids: Collection[int]
) -> None:
    """Rewrite the log of components; what comes of no incident stays.

    A component shows the worst of all incidents about it, so beside those of ``incident_ids`` the
    ones that were published here count too.
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
