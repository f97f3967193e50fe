"""Colleagues who can be named on an incident."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import ContactDetails, change_row, record
from statuspage.core import clock
from statuspage.core.address import identity_of
from statuspage.core.db import writing
from statuspage.models import Account, Contact

BY_ROLE: Final = {
    "on_call": re.compile(r"\bon[ -]?call\b"),
    "management": re.compile("management"),
}
"""Those outside the roles of an incident: contacts whose own role says so."""


def contacts(session: Session) -> list[Contact]:
    """The colleagues who can be named, by name."""
    return list(
        session.scalars(
            select(Contact)
            .where(Contact.removed_at.is_(None))
            .order_by(func.lower(Contact.name), Contact.id)
        )
    )


def contacts_by_role(session: Session, name: str) -> list[Contact]:
    """The colleagues whose own role says that they are that, by the names of :data:`BY_ROLE`."""
    chosen = select(Contact).where(Contact.removed_at.is_(None)).order_by(Contact.id)
    return [one for one in session.scalars(chosen) if BY_ROLE[name].search(one.role.lower())]


@needs(Permission.SETTINGS)
def add_contact(details: ContactDetails, *, actor: Actor) -> Contact:
    """Add a colleague; an account with the same mail address becomes theirs."""
    with writing() as session:
        contact = Contact(**asdict(details))
        session.add(contact)
        session.flush()
        _link_account(session, contact)
        record(
            session,
            actor,
            "contact.add",
            contact.name,
            after=asdict(details),
        )
    return contact


@needs(Permission.SETTINGS)
def change_contact(
    contact_id: int, details: ContactDetails, *, actor: Actor, seen: str | None = None
) -> None:
    """Change a colleague's details."""
    with writing() as session:
        contact = session.get_one(Contact, contact_id, with_for_update=True)
        if change_row(session, contact, details, actor=actor, action="contact.change", seen=seen):
            _link_account(session, contact)


@needs(Permission.SETTINGS)
def remove_contact(contact_id: int, *, actor: Actor) -> None:
    """Take a colleague off the list; incidents that name them keep the name."""
    with writing() as session:
        contact = session.get_one(Contact, contact_id)
        if contact.removed_at is not None:
            return
        contact.removed_at = clock.now()
        session.execute(
            update(Account).where(Account.contact_id == contact.id).values(contact_id=None)
        )
        record(
            session,
            actor,
            "contact.remove",
            contact.name,
        )


def _link_account(session: Session, contact: Contact) -> None:
    address = identity_of(contact.email)
    session.execute(
        update(Account)
        .where(Account.contact_id == contact.id, Account.email != address)
        .values(contact_id=None)
    )
    session.execute(
        update(Account)
        .where(Account.email == address, Account.contact_id.is_(None))
        .values(contact_id=contact.id)
    )
