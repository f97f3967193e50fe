"""Facts of an incident, saved or not, and the words that each audience has."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import pytest

from statuspage.core.enums import Audience, ComponentStatus, Role, Step, Visibility
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts, TimelineEntry
from statuspage.messages.incident_facts import Slip, facts_of, slips_of, with_slip
from statuspage.messages.sample_incident import sample_facts
from statuspage.messages.template_variables import VARIABLES, values_for, variables_for
from statuspage.messages.wording import STEPS
from statuspage.models import Contact, Incident, Page
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


def test_an_incident_that_is_not_saved_has_facts_too() -> None:
    known = facts(incident())

    assert known == Facts(
        PublicFacts(
            service="Acme",
            page_url="https://status.example.com/",
            title="Payments fail",
            incident_url="https://status.example.com/",
            support_email="help@example.com",
            status="Investigating",
            started=NOON,
            zone=known.public.zone,
        ),
        InternalFacts(page_state="shown"),
    )


def test_what_the_row_knows_comes_from_its_columns() -> None:
    known = facts(
        incident(
            code="abc123abc123",
            status="resolved",
            severity_name="SEV1",
            users_notice="Cards are refused.",
            resolved_at=NOON + minutes(90),
            next_update_at=NOON + minutes(30),
            public_facts={
                "workaround": "Pay by invoice.",
                "action": "We roll back.",
                "resolution": "We rolled back.",
                "cause": "A wrong setting.",
                "cause_confirmed": True,
                "expected_back": "2026-03-04T13:00:00+00:00",
                "prevention": "We test it.",
                "watch_minutes": 30,
            },
            internal_facts={"technical_cause": "Key 7 expired.", "users_affected": 1900},
        )
    )

    public = known.public
    assert public.incident_url == "https://status.example.com/incidents/abc123abc123"
    assert (public.status, public.users_notice) == ("Resolved", "Cards are refused.")
    assert (public.workaround, public.action) == ("Pay by invoice.", "We roll back.")
    assert (public.cause, public.prevention) == ("A wrong setting.", "We test it.")
    assert (public.resolution, public.watch_minutes) == ("We rolled back.", 30)
    assert (public.ended, public.expected_back) == (NOON + minutes(90), NOON + minutes(60))
    assert (known.internal.severity, known.internal.users_affected) == ("SEV1", "1900")
    assert known.internal.technical_cause == "Key 7 expired."


@pytest.mark.parametrize("confirmed", [False, None, "yes", 1])
def test_a_cause_that_is_not_confirmed_is_an_internal_fact(confirmed: object) -> None:
    known = facts(incident(public_facts={"cause": "A setting.", "cause_confirmed": confirmed}))

    assert (known.public.cause, known.internal.suspected_cause) == ("", "A setting.")


def test_work_in_progress_is_never_told_as_what_was_done() -> None:
    assert facts(incident(public_facts={"action": "Reverting."})).public.resolution == ""


@pytest.mark.parametrize(
    ("status", "resolutions", "again"),
    [
        ("investigating", 0, False),
        ("resolved", 1, False),
        ("investigating", 1, True),
        ("resolved", 2, True),
        ("postmortem", 1, False),
    ],
)
def test_an_incident_that_came_back_says_so(status: str, resolutions: int, again: bool) -> None:
    assert facts(incident(status=status, resolutions=resolutions)).public.again is again


def test_people_are_called_by_name_and_handle() -> None:
    alice = Contact(name="Alice Moreau", chat_handle="@alice")
    bob = Contact(name="Bob Okafor", chat_handle="")
    known = facts(
        incident(), people={Role.COMMANDER: alice, Role.SCRIBE: bob, Role.COMMS_LEAD: None}
    )

    roles = (known.internal.commander, known.internal.scribe, known.internal.comms_lead)
    assert roles == ("Alice Moreau (@alice)", "Bob Okafor", "")


def test_an_internal_incident_says_that_the_page_does_not_show_it() -> None:
    known = facts(incident(visibility=Visibility.INTERNAL))

    assert known.internal.page_state == "not shown, this incident is internal"


def test_the_public_and_customers_have_no_internal_word() -> None:
    internal = {variable.name for variable in VARIABLES.values() if variable.internal}

    assert internal & variables_for(Audience.PUBLIC).keys() == set()
    assert internal & variables_for(Audience.CUSTOMER).keys() == set()
    assert internal - variables_for(Audience.INTERNAL).keys() == set()


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


def expected(moment: datetime | None) -> dict[str, Any]:
    return {"expected_back": moment.isoformat() if moment else ""}


@pytest.mark.parametrize(
    ("before", "after", "slips"),
    [
        (NOON, NOON + minutes(60), [Slip(NOON, NOON + minutes(60), NOON)]),
        (NOON, None, [Slip(NOON, None, NOON)]),
        (NOON, NOON, []),
        (NOON, NOON - minutes(10), []),
        (None, NOON, []),
    ],
)
def test_only_a_later_time_or_none_is_a_slip(
    before: datetime | None, after: datetime | None, slips: list[Slip]
) -> None:
    kept = with_slip(expected(before), expected(after), NOON)
    assert slips_of(Incident(public_facts=kept)) == slips


def test_slips_are_counted_and_only_the_update_that_slips_owns_it() -> None:
    first = with_slip(expected(NOON), expected(NOON + minutes(30)), NOON - minutes(30))
    again = with_slip(first, {**first, **expected(NOON + minutes(60))}, NOON)
    row = incident(public_facts=again, updated_at=NOON)
    assert [slip.was for slip in slips_of(row)] == [NOON, NOON + minutes(30)]
    assert facts(row).public.expected_before == NOON + minutes(30)
    row.updated_at = NOON + minutes(5)
    assert facts(row).public.expected_before is None
