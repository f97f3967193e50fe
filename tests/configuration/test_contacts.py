"""Contacts, and the accounts that belong to them."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.configuration import contacts
from statuspage.configuration.editing import (
    ContactDetails,
)
from statuspage.core.db import writing
from statuspage.models import (
    Account,
    Contact,
    Page,
    revision,
)
from tests.configuration_edits import ACTOR, last_entry


def test_contacts_are_listed_by_name_without_the_removed(session: Session, page: Page) -> None:
    for name in ("robin", "Kim", "Sam"):
        contacts.add_contact(ContactDetails(name), actor=ACTOR)
    sam = session.scalars(select(Contact).filter_by(name="Sam")).one()
    contacts.remove_contact(sam.id, actor=ACTOR)
    contacts.remove_contact(sam.id, actor=ACTOR)
    assert [contact.name for contact in contacts.contacts(session)] == ["Kim", "robin"]
    assert last_entry(session).action == "contact.remove"
    assert revision.current_number(session) == 0


def test_an_account_belongs_to_the_contact_with_its_address(session: Session, page: Page) -> None:
    with writing() as session:
        account = Account(email="kim@example.com", name="Kim", password_hash="x")
        session.add(account)
    details = ContactDetails("Kim", email="Kim@Example.com")
    contact = contacts.add_contact(details, actor=ACTOR)
    assert account.contact_id == contact.id
    contacts.change_contact(contact.id, replace(details, email="other@example.com"), actor=ACTOR)
    session.refresh(account)
    assert account.contact_id is None
    contacts.change_contact(contact.id, details, actor=ACTOR)
    session.refresh(account)
    assert account.contact_id == contact.id
    contacts.remove_contact(contact.id, actor=ACTOR)
    session.refresh(account)
    assert account.contact_id is None


def test_a_contact_without_an_address_belongs_to_no_account(session: Session, page: Page) -> None:
    with writing() as session:
        account = Account(email="kim@example.com", name="Kim", password_hash="x")
        session.add(account)
    contacts.add_contact(ContactDetails("Kim"), actor=ACTOR)
    session.refresh(account)
    assert account.contact_id is None
