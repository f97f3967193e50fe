"""What tests of the configuration share: who acts, what is refused, and what the trail says."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.configuration import components
from statuspage.configuration.editing import ComponentDetails
from statuspage.core.errors import Invalid
from statuspage.models import (
    AuditEntry,
    ComponentGroup,
)
from tests.actors import acting

ACTOR = acting("Kim")


def refusal(*, field: str, reason: str) -> pytest.RaisesExc[Invalid]:
    return pytest.RaisesExc(
        Invalid, check=lambda error: (error.field, error.reason) == (field, reason)
    )


def last_entry(session: Session) -> AuditEntry:
    return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


def count_entries(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def names(session: Session) -> list[str | list[str]]:
    """The page's order: names, and under the name of each group those of its components."""
    listed: list[str | list[str]] = []
    for item in components.top_level(session):
        listed.append(item.name)
        if isinstance(item, ComponentGroup):
            listed.append([component.name for component in components.present(item)])
    return listed


def add(name: str, group: ComponentGroup | None = None) -> int:
    details = ComponentDetails(name, group_id=group.id if group else None)
    return components.add_component(details, actor=ACTOR).id
