"""Approval: of the exact texts, facts and audiences, and never of one's own."""

from __future__ import annotations

from dataclasses import replace

from statuspage.core.enums import Audience, IncidentStatus
from statuspage.incidents.announcement import of_update
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.resolution.approval import state
from statuspage.recipients.who_receives import AudienceChoice
from tests.announcing import Scenario, declare


def test_an_approval_is_of_the_audiences_too(scenario: Scenario) -> None:
    incident = declare(scenario)
    update = NewUpdate(IncidentStatus.RESOLVED)
    asked = of_update(incident, update)
    quiet = replace(asked, choice=AudienceChoice(frozenset({Audience.SUBSCRIBER}), "Quiet"))
    assert (
        state(incident, update, asked, drafts(asked)).fingerprint
        != state(incident, update, quiet, drafts(quiet)).fingerprint
    )
