"""Owners of components: who answers now, and that the page never hears of a change."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from statuspage.configuration import contacts, owners
from statuspage.configuration.editing import ContactDetails, Ownership, read_as
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import Page, revision
from tests.configuration_edits import ACTOR, last_entry
from tests.factories import make_component


def test_the_owner_answers_and_the_stand_in_where_the_owner_left(
    session: Session, page: Page
) -> None:
    with writing() as transaction:
        shop = make_component(transaction, "Shop").id
        search = make_component(transaction, "Search", position=1).id
        plain = make_component(transaction, "Plain", position=2).id
    dana, kim = (
        contacts.add_contact(ContactDetails(name), actor=ACTOR).id for name in ("Dana", "Kim")
    )
    owners.change_owners(search, Ownership(dana, kim), actor=ACTOR)
    owners.change_owners(shop, Ownership(runbook="https://wiki.example.com/shop"), actor=ACTOR)
    assert (last_entry(session).action, revision.current_number(session)) == (
        "component.change_owners", 0,
    )  # fmt: skip
    found = owners.owned(session, [search, shop, plain])
    assert [one.component.name for one in found] == ["Shop", "Search"]
    first = owners.first_owner(found)
    assert first is not None
    assert first.name == "Dana"
    contacts.remove_contact(dana, actor=ACTOR)
    (left,) = owners.owned(session, [search])
    assert (left.owner, left.first and left.first.name) == (None, "Kim")
    assert owners.first_owner(owners.owned(session, [])) is None


def test_what_cannot_be_is_refused_and_what_others_saved_is_not_lost(
    session: Session, page: Page
) -> None:
    with writing() as transaction:
        shop = make_component(transaction, "Shop")
        seen = fingerprint(read_as(Ownership, shop))
    kim = contacts.add_contact(ContactDetails("Kim"), actor=ACTOR).id
    with pytest.raises(Invalid, match="one of the contacts"):
        owners.change_owners(shop.id, Ownership(kim + 1), actor=ACTOR)
    with pytest.raises(Invalid, match="other than the owner"):
        owners.change_owners(shop.id, Ownership(kim, kim), actor=ACTOR)
    owners.change_owners(shop.id, Ownership(kim), actor=ACTOR, seen=seen)
    other = Ownership(team_channel="#shop")
    with pytest.raises(Conflict):
        owners.change_owners(shop.id, other, actor=ACTOR, seen=seen)
