"""The variables that templates know, and their values for each audience."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest

from statuspage.core.enums import Audience, ComponentStatus, Step
from statuspage.messages.facts import Facts, InternalFacts, TimelineEntry
from statuspage.messages.incident_facts import facts_of
from statuspage.messages.sample_incident import sample_facts
from statuspage.messages.template_variables import values_for, variables_for
from statuspage.messages.wording import STEPS
from statuspage.models import Incident, Page
from tests.factories import LINKS, NOON, minutes


def page(**columns: object) -> Page:
    given = {"name": "Acme", "time_zone": "Europe/Berlin", "support_email": "help@example.com"}
    return Page(**(given | columns))


def incident(**columns: object) -> Incident:
    """A row that no session has seen, with no more than a declaration fills in."""
    given = {"title": "Payments fail", "status": "investigating", "started_at": NOON}
    return Incident(**(given | columns))


def facts(row: Incident, **told: object) -> Facts:
    return facts_of(page(), row, links=LINKS, **told)  # type: ignore[arg-type]


def test_internal_facts_are_absent_from_what_public_templates_are_given() -> None:
    known = sample_facts(Audience.INTERNAL, Step.UPDATE)
    internal = {field.name for field in fields(InternalFacts)}

    for audience in (Audience.PUBLIC, Audience.CUSTOMER):
        assert values_for(known, audience).keys() & internal == set()


@pytest.mark.parametrize("audience", Audience)
def test_every_word_has_a_plain_value_and_every_value_is_a_word(audience: Audience) -> None:
    values = values_for(sample_facts(audience, STEPS[audience][0]), audience)

    assert values.keys() == variables_for(audience).keys()
    plain = {str, bool, list}
    assert {type(value) for value in values.values()} <= plain


def test_the_public_reads_times_in_the_pages_zone_and_customers_in_their_own() -> None:
    known = facts(incident(status="resolved", resolved_at=NOON + minutes(90)))

    assert values_for(known, Audience.PUBLIC)["span"] == "Mar 4, 2026, 13:00 – 14:30 CET"
    assert values_for(known, Audience.CUSTOMER)["span"] == "[[span]]"
    assert values_for(known, Audience.CUSTOMER)["duration"] == "1 hour 30 minutes"


@pytest.mark.parametrize(
    ("names", "phrase"),
    [
        ([], "Acme"),
        (["Auth"], "Auth"),
        (["Auth", "Shop"], "Auth and Shop"),
        (["Auth", "Cart", "Shop"], "Auth, Cart and Shop"),
        (list("ABCDEFGH"), "A, B, C, D, E and 3 more"),
    ],
)
def test_affected_components_make_one_phrase(names: list[str], phrase: str) -> None:
    known = facts(incident(), components=[(name, ComponentStatus.MAJOR_OUTAGE) for name in names])

    assert values_for(known, Audience.PUBLIC)["affected"] == phrase


def test_the_timeline_names_the_day_only_where_it_is_another_one() -> None:
    known = facts(
        incident(),
        timeline=[
            TimelineEntry(NOON + minutes(5), "Identified", "Found **it**.\n\nMore."),
            TimelineEntry(NOON + timedelta(days=1), "Resolved", "Over."),
        ],
    )

    assert values_for(known, Audience.INTERNAL)["timeline"] == [
        {"time": "13:05 CET", "status": "Identified", "text": "Found it."},
        {"time": "Mar 5, 2026, 13:00 CET", "status": "Resolved", "text": "Over."},
    ]
