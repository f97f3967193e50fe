"""Which facts the texts of a status say, and which are older than the update."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from statuspage.admin.fact_notes import (
    CHAT,
    EMAIL,
    NOTICE,
    PAGE,
    Told,
    facts_by_status,
    stored_facts,
)
from statuspage.core.enums import IncidentStatus
from statuspage.models import Incident, IncidentUpdate
from tests.factories import NOON

INVESTIGATING, IDENTIFIED = IncidentStatus.INVESTIGATING, IncidentStatus.IDENTIFIED
RESOLVED = IncidentStatus.RESOLVED
EVERYBODY, COLLEAGUES = Told(outside=True, customers=True), Told(outside=False, customers=False)


def test_customers_are_emailed_a_resolution_even_where_no_update_before(session: Session) -> None:
    silent = Told(outside=True, customers=False)
    at = facts_by_status((IDENTIFIED, RESOLVED), silent)
    channels = {
        status.value: {channel for where in at[status.value].said.values() for channel in where}
        for status in (IDENTIFIED, RESOLVED)
    }
    assert EMAIL in channels["resolved"]
    assert PAGE in channels["identified"]


def test_what_only_colleagues_read_says_nothing_outside(session: Session) -> None:
    found = facts_by_status((IDENTIFIED,), COLLEAGUES)["identified"]
    assert found.said == {}
    assert {channel for where in found.other.values() for channel in where} <= {CHAT}


def test_what_users_notice_is_asked_first_of_whoever_declares(session: Session) -> None:
    for status in (INVESTIGATING, RESOLVED):
        found = facts_by_status((status,), COLLEAGUES, declares=True)[status.value]
        assert next(iter(found.said)) == NOTICE


def test_each_fact_is_said_or_not_and_never_both(session: Session) -> None:
    for found in facts_by_status(IncidentStatus, EVERYBODY).values():
        assert set(found.said) & set(found.other) == set()


def test_a_fact_is_as_old_as_the_newest_post_that_kept_it() -> None:
    updates = [IncidentUpdate(posted_at=NOON - timedelta(hours=hours)) for hours in (0, 2)]
    incident = Incident(
        updates=updates, public_facts={"action": "We restart it.", "workaround": ""},
        internal_facts={},
    )  # fmt: skip
    assert stored_facts(incident) == {"action": NOON}
    assert stored_facts(Incident(updates=[], public_facts={"action": "x"})) == {}
