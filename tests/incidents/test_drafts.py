"""Drafts: what each audience would read, an edited text as it was edited."""

from __future__ import annotations

from sqlalchemy.orm import Session

from statuspage.core.enums import Audience, IncidentStatus, Visibility
from statuspage.incidents.announcement import of_declaration, of_update
from statuspage.incidents.drafts import copy_texts, drafts
from statuspage.incidents.inputs import NewUpdate
from statuspage.messages.compose import Text
from tests.announcing import Scenario, declaration, declare


def test_an_edited_text_keeps_the_composed_subject(scenario: Scenario) -> None:
    announcement = of_update(declare(scenario), NewUpdate(IncidentStatus.RESOLVED))
    edited = {audience: Text("", "All is well again.") for audience in Audience}
    assert [draft.text.body for draft in drafts(announcement, edited)] == (
        ["All is well again."] * len(announcement.audiences)
    )
    assert [draft.text.subject for draft in drafts(announcement, edited)] == (
        [draft.made.subject for draft in drafts(announcement)]
    )


INTERNAL = {"users_affected": "Nine of ten orders.", "technical_cause": "pgbouncer ran dry"}


def test_executives_get_one_line_and_support_a_reply(scenario: Scenario, session: Session) -> None:
    line, reply = copy_texts(of_declaration(declaration(scenario, internal_facts=INTERNAL)))
    assert (line.audience, reply.audience) == (Audience.EXECUTIVE, Audience.SUPPORT)
    assert line.text.body == (
        "SEV1, investigating: Payments fail. Started Mar 4, 2026, 11:50 UTC. "
        "Nine of ten orders. We can’t say yet when it will be resolved. "
        "Next update by Mar 5, 2026, 12:00 UTC."
    )
    assert reply.text.body.startswith("Hello,\n\nWe’re aware of the problem with Checkout")
    assert "Nine of ten" not in reply.text.body
    assert line.findings == reply.findings == ()


def test_once_it_is_over_they_say_so(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    line, reply = copy_texts(of_update(incident, NewUpdate(IncidentStatus.RESOLVED)))
    assert line.text.body.startswith("SEV1 resolved after 10 minutes")
    assert "The problem with Checkout is resolved." in reply.text.body


def test_what_would_leak_is_told_of_the_reply_too(scenario: Scenario, session: Session) -> None:
    _, reply = copy_texts(
        of_declaration(declaration(scenario, users_notice="Payments on db-01 fail."))
    )
    assert [one.excerpt for one in reply.findings if one.blocks] == ["db-01"]


def test_support_has_nothing_to_say_of_what_is_internal(
    scenario: Scenario, session: Session
) -> None:
    copies_to_paste = copy_texts(
        of_declaration(declaration(scenario, visibility=Visibility.INTERNAL))
    )
    assert [one.audience for one in copies_to_paste] == [Audience.EXECUTIVE]
