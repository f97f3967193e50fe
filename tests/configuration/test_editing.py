"""How a change is kept: only what differs, with what it was, and never over somebody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from statuspage.access.audit import SYSTEM
from statuspage.configuration.editing import (
    ContactDetails,
    PageSettings,
    change_row,
    first_settings,
    read_as,
    record,
)
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.models import Contact
from tests.configuration_edits import count_entries, last_entry

KIM = ContactDetails("Kim", role="Support", email="kim@example.com")


@pytest.fixture
def contact(session: Session) -> Contact:
    row = Contact(name=KIM.name, role=KIM.role, email=KIM.email)
    session.add(row)
    session.flush()
    return row


def change(
    session: Session, contact: Contact, wanted: ContactDetails, *, seen: str | None = None
) -> bool:
    changed = change_row(session, contact, wanted, actor=SYSTEM, action="contact.change", seen=seen)
    session.flush()
    return changed


def test_a_change_is_noted_with_what_it_was_under_the_name_it_had(
    session: Session, contact: Contact
) -> None:
    assert change(session, contact, replace(KIM, name="Robin", role=""))
    assert read_as(ContactDetails, contact) == replace(KIM, name="Robin", role="")
    session.commit()
    entry = last_entry(session)
    assert (entry.action, entry.subject_kind, entry.subject) == ("contact.change", "contact", "Kim")
    assert (entry.before, entry.after) == (
        {"name": "Kim", "role": "Support"}, {"name": "Robin", "role": ""},
    )  # fmt: skip


def test_what_does_not_differ_is_no_change_even_where_somebody_else_saved_meanwhile(
    session: Session, contact: Contact
) -> None:
    assert not change(session, contact, KIM, seen="something else")
    session.commit()
    assert count_entries(session) == 0


def test_what_somebody_else_saved_is_shown_and_not_replaced(
    session: Session, contact: Contact
) -> None:
    seen = fingerprint(replace(KIM, name="Before"))
    with pytest.raises(Conflict) as refused:
        change(session, contact, replace(KIM, name="Mine"), seen=seen)
    assert (refused.value.current, contact.name) == (KIM, "Kim")
    assert change(session, contact, replace(KIM, name="Mine"), seen=fingerprint(KIM))


def test_a_new_page_signs_off_as_its_team() -> None:
    assert first_settings("Acme", time_zone="UTC") == PageSettings(
        "Acme", sign_off="The Acme team", incident_channel="#incidents"
    )


def test_the_kind_of_a_subject_is_what_stands_before_the_dot(session: Session) -> None:
    record(session, SYSTEM, "words.change", "Acme", after={"people": []})
    session.commit()
    entry = last_entry(session)
    assert (entry.subject_kind, entry.subject, entry.before) == ("words", "Acme", None)
