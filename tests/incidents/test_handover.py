"""What somebody who leaves had taken on, found by their account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import ActionState, IncidentRole
from statuspage.incidents import handover
from statuspage.models import (
    Account,
    ActionItem,
    ApiKey,
    Contact,
    DeclarationDraft,
    Incident,
    Review,
    SavedDraft,
    ScheduledUpdate,
)
from tests.factories import NOON, make_incident


@pytest.fixture
def sam(session: Session) -> Account:
    """Somebody who has left, and is named on incidents by their address."""
    gone = Account(email="sam@example.com", name="Sam", password_hash="x", disabled_at=NOON)
    session.add_all([gone, Contact(name="Sam", email="Sam@Example.com")])
    session.commit()
    return gone


def incident_of(session: Session, title: str, **columns: object) -> Incident:
    with writing() as writer:
        return writer.merge(make_incident(writer, title, **columns))  # type: ignore[arg-type]


def test_open_incidents_scheduled_updates_drafts_and_keys_are_named(
    session: Session, sam: Account
) -> None:
    contact = session.query(Contact).one()
    held = incident_of(session, "Held", scribe_id=contact.id)
    typed = incident_of(session, "Typed")
    over = incident_of(session, "Over", scribe_id=contact.id, updates=["resolved"])
    common = {"account_id": sam.id, "form": [], "seen_version": 1}
    session.add_all(SavedDraft(incident_id=one.id, **common) for one in (typed, over))
    session.add(
        ScheduledUpdate(
            incident_id=held.id, publish_at=NOON, posting={}, checked={}, form_key="k", **common
        )
    )
    hashes = iter("abcd")
    session.add_all(
        ApiKey(name=name, beginning="sp", token_hash=next(hashes), **columns)
        for name, columns in {
            "owned": {"owner_id": sam.id},
            "made": {"created_by_id": sam.id},
            "withdrawn": {"owner_id": sam.id, "withdrawn_at": NOON},
            "expired": {"owner_id": sam.id, "expires_at": clock.now() - timedelta(days=1)},
        }.items()
    )
    session.commit()
    session.add(DeclarationDraft(account_id=sam.id, form_key="d", form=[]))
    over.review_owner_id = contact.id
    session.add(Review(incident_id=over.id))
    states = {"To do": ActionState.OPEN, "Done": ActionState.DONE}
    session.add_all(
        ActionItem(incident_id=over.id, text=text, owner_id=contact.id, state=state)
        for text, state in states.items()
    )
    session.commit()
    found = handover.of_account(session, sam)
    assert [one.title for one in found.reviews] == ["Over"]
    assert [one.text for one in found.actions] == ["To do"]
    assert [one.form_key for one in found.declarations] == ["d"]
    assert [(one.title, roles) for one, roles in found.roles] == [("Held", [IncidentRole.SCRIBE])]
    assert [one.title for one in found.scheduled] == ["Held"]
    assert [one.title for one in found.drafts] == ["Typed"]
    assert sorted(key.name for key in found.keys) == ["made", "owned"]
    assert not found.is_empty


def test_an_incident_says_which_of_its_people_are_gone(session: Session, sam: Account) -> None:
    gone = session.query(Contact).one()
    here = Contact(name="Kim", email="kim@example.com")
    session.add(here)
    session.commit()
    incident = incident_of(session, "Held", commander_id=here.id, scribe_id=gone.id)
    assert handover.absent(session, incident) == [(IncidentRole.SCRIBE, gone)]
    sam.disabled_at = None
    session.commit()
    assert handover.absent(session, incident) == []
    assert handover.of_account(session, sam).roles[0][0].id == incident.id
