"""Drafts: what each audience would read, an edited text as it was edited."""

from __future__ import annotations

from statuspage.core.enums import Audience, IncidentStatus
from statuspage.incidents.announcement import of_update
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import NewUpdate
from statuspage.messages.compose import Text
from tests.announcing import Scenario, declare


def test_an_edited_text_keeps_the_composed_subject(scenario: Scenario) -> None:
    announcement = of_update(declare(scenario), NewUpdate(IncidentStatus.RESOLVED))
    edited = {audience: Text("", "All is well again.") for audience in Audience}
    assert [draft.text.body for draft in drafts(announcement, edited)] == (
        ["All is well again."] * len(announcement.audiences)
    )
    assert [draft.text.subject for draft in drafts(announcement, edited)] == (
        [draft.made.subject for draft in drafts(announcement)]
    )
