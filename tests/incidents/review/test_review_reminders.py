"""Reminders that a review is due: each once, to its owner, until it is approved."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import Channel, Step
from statuspage.incidents.review import documents
from statuspage.incidents.review.review_reminders import remind_due
from statuspage.models import Contact, Delivery, Incident, Message, Review
from tests.announcing import ACTOR, Scenario, declare, resolve

DAY = timedelta(days=1)


def begun(scenario: Scenario, frozen: Traveller) -> str:
    """Resolved now, due in two days, owned by Alice."""
    code = declare(scenario).code
    frozen.shift(timedelta(minutes=5))
    resolve(code)
    documents.begin_due()
    with writing() as session:
        alice = Contact(name="Alice", email="alice@example.com")
        session.add(alice)
        session.flush()
        incident = session.query(Incident).filter_by(code=code).one()
        incident.review_owner_id = alice.id
    return code


def reminders(session: Session) -> list[str]:
    session.expire_all()
    chosen = select(Message.subject).filter_by(step=Step.REVIEW_DUE).order_by(Message.id)
    return list(session.scalars(chosen))


def test_its_owner_is_reminded_a_day_ahead_when_due_and_twice_after(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    begun(scenario, frozen)
    assert remind_due() == 0
    for days in (1, 1, 1, 2):
        frozen.shift(days * DAY)
        assert (remind_due(), remind_due()) == (1, 0)
    assert reminders(session) == [
        "Review due Mar 6, 2026, 12:05 UTC: Payments fail",
        "Review due Mar 6, 2026, 12:05 UTC: Payments fail",
        "Review overdue by 1 day: Payments fail",
        "Review overdue by 3 days: Payments fail",
    ]
    mailed = select(Delivery.email).where(
        Delivery.channel == Channel.EMAIL, Delivery.step_key.startswith("review:")
    )
    assert session.scalars(mailed).all() == ["alice@example.com"] * 4


def test_a_reminder_is_no_change_that_an_editor_meets(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    begun(scenario, frozen)
    frozen.shift(3 * DAY)
    assert remind_due() == 1
    session.expire_all()
    assert session.scalars(select(Review.version)).one() == 1


def test_an_approved_review_is_not_asked_for(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    code = begun(scenario, frozen)
    documents.approve(code, actor=ACTOR, seen=1)
    frozen.shift(3 * DAY)
    assert (remind_due(), reminders(session)) == (0, [])
