"""What cannot be typed of an incident: the first thing that is wrong, at its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from statuspage.core.enums import IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.incidents.inputs import (
    CLOCK_TOLERANCE,
    Declaration,
    Drill,
    NewUpdate,
    check_body,
    check_declaration,
    check_title,
    check_update,
)
from statuspage.models import Incident
from statuspage.models.columns import BODY_LIMIT, TITLE_LIMIT
from tests.factories import NOON

pytestmark = pytest.mark.usefixtures("frozen")

HOUR = timedelta(hours=1)
GOOD = Declaration("Payments fail", 1, started_at=NOON, next_update_at=NOON + HOUR)


def of_status(status: IncidentStatus) -> Incident:
    return Incident(status=status.value, started_at=NOON - HOUR)


OPEN, OVER = of_status(IncidentStatus.IDENTIFIED), of_status(IncidentStatus.RESOLVED)


def test_what_is_right_is_let_through() -> None:
    check_declaration(GOOD)
    check_update(OPEN, NewUpdate(IncidentStatus.RESOLVED), reopens=False)
    check_update(OVER, NewUpdate(IncidentStatus.POSTMORTEM), reopens=False)
    check_update(OVER, NewUpdate(IncidentStatus.INVESTIGATING), reopens=True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * (TITLE_LIMIT + 1)}, "title"),
        ({"users_notice": "x" * (BODY_LIMIT + 1)}, "users_notice"),
        ({"public_facts": {"cause": "x" * (BODY_LIMIT + 1)}}, "cause"),
        ({"internal_facts": {"progress": "x" * (BODY_LIMIT + 1)}}, "progress"),
        ({"started_at": NOON + CLOCK_TOLERANCE + timedelta(seconds=1)}, "started_at"),
        ({"drill": Drill(people=[("nobody", "Nobody")])}, "drill_addresses"),
        ({"next_update_at": NOON}, "next_update_at"),
        ({"next_update_at": None, "no_promise_because": " "}, "no_promise_because"),
    ],
)
def test_a_declaration_that_is_wrong_is_refused_at_its_field(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_declaration(replace(GOOD, **change))
    assert refused.value.field == field


def test_a_browsers_clock_may_be_a_little_ahead() -> None:
    check_declaration(replace(GOOD, started_at=NOON + CLOCK_TOLERANCE))


@pytest.mark.parametrize(
    ("incident", "status", "change", "reopens", "field"),
    [
        (OPEN, IncidentStatus.IDENTIFIED, {}, True, "status"),
        (OVER, IncidentStatus.RESOLVED, {}, True, "status"),
        (OVER, IncidentStatus.IDENTIFIED, {}, False, "status"),
        (OPEN, IncidentStatus.POSTMORTEM, {}, False, "status"),
        (OPEN, IncidentStatus.MONITORING, {"false_alarm": True}, False, "false_alarm"),
        (OPEN, IncidentStatus.MONITORING, {"no_change": True}, False, "status"),
        (OPEN, IncidentStatus.IDENTIFIED, {"title": ""}, False, "title"),
        (
            OPEN, IncidentStatus.IDENTIFIED, {"happened_at": NOON - 2 * HOUR}, False,
            "happened_at",
        ),
        (OPEN, IncidentStatus.IDENTIFIED, {"happened_at": NOON + HOUR}, False, "happened_at"),
        (OPEN, IncidentStatus.IDENTIFIED, {"next_update_at": NOON}, False, "next_update_at"),
    ],
)  # fmt: skip
def test_an_update_that_does_not_fit_how_it_stands_is_refused_at_its_field(
    incident: Incident, status: IncidentStatus, change: dict[str, Any], reopens: bool, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_update(incident, NewUpdate(status, **change), reopens=reopens)
    assert refused.value.field == field


def test_what_ends_an_incident_promises_nothing_that_could_be_wrong() -> None:
    check_update(OPEN, NewUpdate(IncidentStatus.RESOLVED, next_update_at=NOON), reopens=False)


def test_a_limit_is_said_with_what_there_is() -> None:
    with pytest.raises(Invalid, match=f"The title has {TITLE_LIMIT + 1:,} characters"):
        check_title("x" * (TITLE_LIMIT + 1))
    with pytest.raises(Invalid, match="Write what people should read"):
        check_body("body", "", needed=True)
    check_body("body", "x" * (BODY_LIMIT + 1), limited=False)
