"""Drafts of declarations: one for each sheet, of its author alone, gone with the declaration."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access.audit import Actor
from statuspage.core.db import writing
from statuspage.core.enums import AccountRole
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle
from statuspage.incidents.declaration_drafts import (
    KEPT_FOR,
    discard_declaration,
    kept_drafts,
    save_declaration,
)
from statuspage.incidents.publish import Submission
from statuspage.incidents.saved_drafts import MOST_CHARACTERS
from statuspage.models import Account
from tests.actors import acting
from tests.announcing import Scenario, declaration

TYPED = [("title", "Payments fail"), ("users_notice", "Cards are declined.")]


@pytest.fixture
def people(scenario: Scenario) -> tuple[Actor, Actor]:
    with writing() as session:
        accounts = [
            Account(
                email=f"{name.lower()}@example.com", name=name, password_hash="x",
                role=AccountRole.ADMIN,
            )
            for name in ("Kim", "Sam")
        ]  # fmt: skip
        session.add_all(accounts)
        session.flush()
        kim, sam = (acting(one.name, account_id=one.id) for one in accounts)
    return kim, sam


def kept(session: Session, reader: Actor | None = None) -> list[tuple[str, str, str]]:
    found = kept_drafts(session, reader.account_id if reader else None)
    return [(one.form_key, dict(one.form)["title"], author) for one, author in found]


def test_colleagues_drafts_never_hide_ones_own(
    people: tuple[Actor, Actor], session: Session, frozen: Traveller
) -> None:
    kim, sam = people
    for key, actor in (("kims", kim), *((f"sams {number}", sam) for number in range(5))):
        save_declaration(TYPED, form_key=key, actor=actor)
        frozen.shift(timedelta(minutes=1))
    assert [key for key, *_ in kept(session, kim)] == ["kims", "sams 4", "sams 3", "sams 2"]
    assert [key for key, *_ in kept(session, sam)] == ["sams 4", "sams 3", "sams 2", "kims"]


def test_each_sheet_has_its_own_and_nobody_writes_into_anothers(
    people: tuple[Actor, Actor], session: Session
) -> None:
    kim, sam = people
    assert save_declaration([("title", "Pay")], form_key="one", actor=kim)
    save_declaration(TYPED, form_key="one", actor=kim)
    save_declaration(TYPED, form_key="two", actor=sam)
    save_declaration([("title", "Written over")], form_key="one", actor=sam)
    discard_declaration("one", actor=sam)
    assert sorted(kept(session)) == [
        ("one", "Payments fail", "Kim"), ("two", "Payments fail", "Sam"),
    ]  # fmt: skip
    discard_declaration("one", actor=kim)
    assert kept(session) == [("two", "Payments fail", "Sam")]


def test_it_goes_with_the_declaration_and_does_not_come_back(
    people: tuple[Actor, Actor], scenario: Scenario, session: Session
) -> None:
    kim, _ = people
    save_declaration(TYPED, form_key="sheet", actor=kim)
    lifecycle.declare(declaration(scenario), Submission(kim, "sheet"))
    # The browser's last save may come after that.
    assert not save_declaration(TYPED, form_key="sheet", actor=kim)
    assert kept(session) == []


def test_it_is_kept_for_a_week(
    people: tuple[Actor, Actor], session: Session, frozen: Traveller
) -> None:
    kim, _ = people
    save_declaration(TYPED, form_key="old", actor=kim)
    frozen.shift(KEPT_FOR + timedelta(minutes=1))
    assert kept(session) == []
    with pytest.raises(Invalid):
        save_declaration([("title", "x" * MOST_CHARACTERS)], form_key="long", actor=kim)
