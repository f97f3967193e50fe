"""Drafts: kept for each incident and account, and gone once they are published."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access.audit import Actor
from statuspage.core.db import writing
from statuspage.core.enums import IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.saved_drafts import discard_draft, drafts_on, save_draft
from statuspage.models import Account, Incident
from tests.announcing import ACTOR, Scenario, declare


@pytest.fixture
def people(scenario: Scenario) -> tuple[Actor, Actor]:
    with writing() as session:
        accounts = [
            Account(email=f"{name.lower()}@example.com", name=name, password_hash="x")
            for name in ("Kim", "Sam")
        ]
        session.add_all(accounts)
        session.flush()
        kim, sam = (replace(ACTOR, name=one.name, account_id=one.id) for one in accounts)
        return kim, sam


def save(code: str, text: str, actor: Actor, form_key: str = "sheet") -> bool:
    typed = [("users_notice", text)]
    return save_draft(code, typed, form_key=form_key, seen_version=1, actor=actor)


def test_each_account_has_a_draft_of_its_own(
    scenario: Scenario, session: Session, people: tuple[Actor, Actor], frozen: Traveller
) -> None:
    kim, sam = people
    code = declare(scenario).code
    save(code, "Half", kim)
    frozen.shift(1)
    save(code, "Sam's words", sam)
    frozen.shift(1)
    save(code, "Half of it fails", kim)
    kept = [(name, draft.form) for draft, name in drafts_on(session, declared(session, code))]
    assert kept == [
        ("Kim", [["users_notice", "Half of it fails"]]),
        ("Sam", [["users_notice", "Sam's words"]]),
    ]


def declared(session: Session, code: str) -> Incident:
    session.expire_all()
    return session.scalars(select(Incident).filter_by(code=code)).one()


def test_what_was_published_is_no_draft_any_more(
    scenario: Scenario, session: Session, people: tuple[Actor, Actor]
) -> None:
    kim, _ = people
    code = declare(scenario).code
    save(code, "Half of it fails", kim)
    lifecycle.post_update(code, NewUpdate(IncidentStatus.IDENTIFIED), Submission(kim, "sheet"))
    discard_draft(code, actor=kim)
    assert not save(code, "A late save of the same sheet", kim)
    assert drafts_on(session, declared(session, code)) == []


def test_nobody_discards_a_draft_of_somebody_else(
    scenario: Scenario, session: Session, people: tuple[Actor, Actor]
) -> None:
    kim, sam = people
    code = declare(scenario).code
    save(code, "Kim's words", kim)
    discard_draft(code, actor=sam)
    assert [name for _, name in drafts_on(session, declared(session, code))] == ["Kim"]


def test_a_draft_without_end_is_refused(scenario: Scenario, people: tuple[Actor, Actor]) -> None:
    with pytest.raises(Invalid, match="too long"):
        save(declare(scenario).code, "x" * 200_001, people[0])
