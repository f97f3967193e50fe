from __future__ import annotations

import pytest

from statuspage.core.enums import (
    ComponentStatus,
    Impact,
    IncidentStatus,
    Kind,
    MaintenanceStatus,
    overall_indicator,
    status_of,
)


def test_members_stand_in_the_order_of_their_gravity() -> None:
    assert Impact.worst([Impact.MINOR, Impact.CRITICAL, Impact.MAJOR], Impact.NONE) == "critical"
    assert Impact.worst([], Impact.NONE) is Impact.NONE


def test_a_status_is_read_by_the_kind_of_its_incident() -> None:
    assert status_of(Kind.INCIDENT, "resolved") is IncidentStatus.RESOLVED
    assert status_of(Kind.MAINTENANCE, "scheduled") is MaintenanceStatus.SCHEDULED
    with pytest.raises(ValueError, match="scheduled"):
        status_of(Kind.INCIDENT, "scheduled")


def test_the_page_is_as_bad_as_its_worst_component_or_incident() -> None:
    fine, down = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE
    assert overall_indicator([fine], []) is Impact.NONE
    assert overall_indicator([fine], [Impact.MINOR]) is Impact.MINOR
    assert overall_indicator([fine, down], [Impact.MINOR]).gravity > Impact.MINOR.gravity
