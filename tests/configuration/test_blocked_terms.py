"""Blocked terms: kept once, and never over what somebody else saved."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.configuration import blocked_terms
from statuspage.configuration.blocked_terms import TermLists
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.core.errors import Invalid
from statuspage.models import AuditEntry, Page
from tests.announcing import ACTOR, Scenario, set_up_scenario


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


def test_word_lists_are_kept_once_and_never_blindly(scenario: Scenario, session: Session) -> None:
    before = blocked_terms.term_lists(session)
    blocked_terms.change_blocked_terms(TermLists(code_names="Falcon\nFALCON\n\nOtter"), actor=ACTOR)
    assert blocked_terms.term_lists(session) == TermLists(code_names="FALCON\nOtter")
    with pytest.raises(Conflict):
        blocked_terms.change_blocked_terms(
            TermLists(people="Kim"), actor=ACTOR, seen=fingerprint(before)
        )
    with pytest.raises(Invalid, match="“x” has not 2 to 100 characters"):
        blocked_terms.change_blocked_terms(TermLists(people="x"), actor=ACTOR)
    (entry,) = session.scalars(select(AuditEntry).filter_by(action="words.change"))
    assert entry.after == {
        "people": [],
        "vendors": [],
        "code_names": ["FALCON", "Otter"],
        "allowed": [],
    }
    assert session.get_one(Page, 1).blocked_terms == entry.after
