"""An incident's title, start and roles: changed without notifying anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, require
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged
from statuspage.core.db import writing
from statuspage.core.enums import IncidentRole, Kind
from statuspage.core.errors import Invalid
from statuspage.incidents import component_log
from statuspage.incidents.apply_update import permission_to_change
from statuspage.incidents.check_texts import let_title_pass
from statuspage.incidents.inputs import check_start, check_title
from statuspage.models import Contact, Incident, revision


@dataclass(frozen=True, slots=True)
class Details:
    """The part of an incident that nobody is notified of; roles are contacts by their ids."""

    title: str
    started_at: datetime
    roles: Mapping[IncidentRole, int | None] = field(default_factory=dict)
    chat_channel: str = ""
    war_room: str = ""


@needs(Permission.DRAFT)
def change_details(
    incident_code: str,
    details: Details,
    *,
    actor: Actor,
    seen_version: int | None = None,
    because: str = "",
) -> Incident:
    """Correct an incident's details; the page shows a new title or start, nobody is notified.

    ``because`` says why a title that everybody can read stays although it would leak.
    Raises :class:`Invalid`, :class:`~statuspage.core.conflict.Conflict`.
    """
    check_title(details.title)
    check_start(details.started_at)
    with writing() as session:
        incident = session.scalars(
            select(Incident)
            .filter_by(code=incident_code, kind=Kind.INCIDENT)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()
        require(actor, permission_to_change(incident))
        check_unchanged(seen_version, incident.version, incident)
        if incident.resolved_at is not None and details.started_at > incident.resolved_at:
            raise Invalid("started_at", "This is after it was resolved.")
        wanted = _columns(details)
        changed = [name for name, value in wanted.items() if getattr(incident, name) != value]
        if not changed:
            return incident
        if "title" in changed and not incident.is_internal:
            let_title_pass(session, incident, details.title, reason=because, actor=actor)
        before = {name: getattr(incident, name) for name in changed}
        for name in changed:
            setattr(incident, name, wanted[name])
        if "started_at" in changed and not incident.is_internal:
            since = min(before["started_at"], incident.started_at)
            affected = [row.component_id for row in incident.affected]
            component_log.rewrite(session, affected, since=since)
        incident.updated_at = clock.now()
        names = _names(session.scalars(select(Contact)).all())
        audit.record(
            session, actor, "incident.change", subject_kind="incident", subject=incident.code,
            before={name: _shown(name, before[name], names) for name in changed},
            after={name: _shown(name, wanted[name], names) for name in changed},
        )  # fmt: skip
        if not incident.is_internal:
            revision.bump(session)
        return incident


def _columns(details: Details) -> dict[str, Any]:
    return {
        "title": details.title,
        "started_at": details.started_at,
        "chat_channel": details.chat_channel,
        "war_room": details.war_room,
        **{f"{role.value}_id": details.roles.get(role) for role in IncidentRole},
    }


def _names(contacts: Any) -> dict[int | None, str]:
    return {contact.id: contact.name for contact in contacts}


def _shown(name: str, value: Any, names: Mapping[int | None, str]) -> Any:
    return names.get(value) if name.endswith("_id") else value
