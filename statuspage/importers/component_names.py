"""The components that imported incidents name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import ComponentStatus
from statuspage.importers.published import Effect, PublishedIncident
from statuspage.models import Component, ComponentChange


class Components:
    """The components that incidents name, by code or by name; missing ones are made."""

    def __init__(self) -> None:
        self._by_code: dict[str, tuple[int, str]] = {}
        self._by_name: dict[str, tuple[int, str]] = {}
        self.added_ids: list[int] = []

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

    @property
    def added(self) -> int:
        """How many were made."""
        return len(self.added_ids)

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
        made: list[Component] = []
        named: set[str] = set()
        for (code, name), at in sorted(since.items(), key=lambda item: item[0][1].casefold()):
            if (code or name.casefold()) in named:
                continue
            named |= {code or "", name.casefold()}
            position += 1
            # A code that nobody lists any more is a component that is gone.
            made.append(
                Component(
                    name=name,
                    position=position,
                    created_at=at,
                    updated_at=at,
                    removed_at=clock.now() if code else None,
                    **({"code": code} if code else {}),
                )
            )
        # Saved together: one by one, two hundred would hold the database's lock for long.
        session.add_all(made)
        session.flush()
        for component in made:
            self.added_ids.append(component.id)
            self._by_code[component.code] = (component.id, component.code)
            self._by_name.setdefault(component.name.casefold(), (component.id, component.code))
        session.add_all(
            ComponentChange(
                component_id=component.id,
                at=component.created_at,
                status=ComponentStatus.OPERATIONAL,
            )
            for component in made
        )

    def id_of(self, effect: Effect) -> int:
        """The id of the component that an effect names."""
        return self._known(effect)[0]

    def stored_form(self, effect: Effect) -> dict[str, str]:
        """An effect as a post's ``affected`` has it."""
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
