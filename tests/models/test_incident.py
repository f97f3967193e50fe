from __future__ import annotations

import pytest

from statuspage.core.enums import IncidentRole, IncidentStatus, Kind, MaintenanceStatus, Visibility
from statuspage.models import Contact, Incident, IncidentUpdate


@pytest.mark.parametrize(
    ("kind", "status", "step", "is_open"),
    [
        (Kind.INCIDENT, "monitoring", IncidentStatus.MONITORING, True),
        (Kind.INCIDENT, "resolved", IncidentStatus.RESOLVED, False),
        (Kind.MAINTENANCE, "scheduled", MaintenanceStatus.SCHEDULED, True),
        (Kind.MAINTENANCE, "completed", MaintenanceStatus.COMPLETED, False),
    ],
)
def test_an_incident_is_open_until_its_last_step(
    kind: Kind, status: str, step: object, is_open: bool
) -> None:
    incident = Incident(kind=kind, status=status)
    assert (incident.step, incident.is_open) == (step, is_open)
    assert IncidentUpdate(incident=incident, status=status).step == step


@pytest.mark.parametrize(
    ("visibility", "is_drill", "is_internal", "tells_outsiders"),
    [
        (Visibility.PUBLIC, False, False, True),
        (Visibility.INTERNAL, False, True, False),
        (Visibility.INTERNAL, True, True, True),
    ],
)
def test_a_drill_is_internal_and_has_texts_for_outsiders(
    visibility: Visibility, is_drill: bool, is_internal: bool, tells_outsiders: bool
) -> None:
    incident = Incident(visibility=visibility, is_drill=is_drill)
    assert (incident.is_internal, incident.tells_outsiders) == (is_internal, tells_outsiders)


def test_a_role_is_held_by_one_contact_or_none() -> None:
    kim = Contact(name="Kim")
    incident = Incident(commander=kim, worst_rank=1)
    assert (incident.person(IncidentRole.COMMANDER), incident.person(IncidentRole.SCRIBE)) == (
        kim,
        None,
    )
    assert incident.was_rank_one
