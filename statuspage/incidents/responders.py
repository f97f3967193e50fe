"""Who responds to an incident: who is on call, and the owners of what it affects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from statuspage.configuration import incident_templates, on_call, owners
from statuspage.configuration.on_call import OnCall
from statuspage.configuration.owners import Owned
from statuspage.models import Contact, Incident


@dataclass(frozen=True, slots=True)
class Responders:
    """What colleagues see beside an incident; ``emailed`` says why each is at declaration."""

    runbook: str = ""
    owned: list[Owned] = field(default_factory=list)
    on_call: OnCall | None = None
    emailed: dict[Contact, str] = field(default_factory=dict)


def responders(session: Session, component_ids: Collection[int], template_key: str) -> Responders:
    """Who responds to what some components are affected by, declared from a template or not."""
    found = owners.owned(session, component_ids)
    emailed: dict[Contact, str] = {}
    for one in found:
        if one.first is not None:
            emailed.setdefault(one.first, f"Owner of {one.component.name}")
    planned = on_call.planned(session)
    for person in planned.people if planned else ():
        emailed.setdefault(person, "On-call engineer")
    template = incident_templates.find_template(session, template_key) if template_key else None
    return Responders(template.details.runbook if template else "", found, planned, emailed)


def of_incident(session: Session, incident: Incident) -> Responders:
    """The same of an incident as it stands."""
    affected = [row.component_id for row in incident.affected]
    return responders(session, affected, incident.template_key)


def called_at_declaration(session: Session, incident: Incident) -> dict[Contact, str]:
    """Colleagues who are emailed the declaration, each with why."""
    return of_incident(session, incident).emailed
