"""Facts of an incident, saved or not, and the words that each audience has."""

from __future__ import annotations

import pytest

from statuspage.core.enums import Audience, IncidentRole, Visibility
from statuspage.messages.facts import Facts, InternalFacts, PublicFacts
from statuspage.messages.incident_facts import facts_of
from statuspage.messages.template_variables import VARIABLES, variables_for
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
        incident(),
        people={
            IncidentRole.COMMANDER: alice,
            IncidentRole.SCRIBE: bob,
            IncidentRole.COMMS_LEAD: None,
        },
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
