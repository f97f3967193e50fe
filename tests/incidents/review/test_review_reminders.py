"""Reminders that a review is due: each once, to its owner, until it is approved."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Channel, Step
from statuspage.incidents.review import documents
from statuspage.incidents.review.action_items import ActionDetails, add_action
from statuspage.incidents.review.review_reminders import remind_due, remind_of_actions
from statuspage.models import Contact, Delivery, Incident, Message, Review
from tests.announcing import ACTOR, Scenario, declare, resolve
from tests.factories import NOON

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


def test_the_commander_is_asked_for_one_that_nobody_owns_and_is_not_called_its_owner(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    code = begun(scenario, frozen)
    with writing() as written:
        written.query(Contact).filter_by(name="Alice").one().removed_at = clock.now()
        bob = Contact(name="Bob", email="bob@example.com")
        written.add(bob)
        written.flush()
        written.query(Incident).filter_by(code=code).one().commander_id = bob.id
    add_action(code, ActionDetails("Add an alarm", due_on=NOON.date()), actor=ACTOR)
    frozen.shift(DAY)
    assert (remind_due(), remind_of_actions()) == (1, 1)
    session.expire_all()
    chosen = select(Message).where(Message.step.in_([Step.REVIEW_DUE, Step.ACTION_DUE]))
    sent = session.scalars(chosen.order_by(Message.id)).all()
    assert ["Owner: unassigned" in one.text for one in sent] == [True, True]
    mailed = select(Delivery).where(
        Delivery.message_id.in_([one.id for one in sent]), Delivery.channel == Channel.EMAIL
    )
    assert {(one.email, one.why) for one in session.scalars(mailed)} == {
        ("bob@example.com", "No owner is assigned")
    }


def test_who_starts_one_that_was_due_long_ago_is_not_reminded_at_once(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    code = declare(scenario).code
    resolve(code)
    frozen.shift(90 * DAY)
    documents.begin(code, actor=ACTOR)
    assert (remind_due(), reminders(session)) == (0, [])


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


def test_a_reminder_of_an_action_item_is_sent_after_a_day_without_a_worker(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    code = begun(scenario, frozen)
    add_action(code, ActionDetails("Add an alarm", due_on=(NOON + 2 * DAY).date()), actor=ACTOR)
    assert remind_of_actions() == 0
    sent = []
    # Asked on the days 2 and 3 of its four, 1, 2, 3 and 9, and then not before the twelfth.
    for days in (2, 1, 1, 8):
        frozen.shift(days * DAY)
        sent.append((remind_of_actions(), remind_of_actions()))
    assert sent == [(1, 0), (1, 0), (0, 0), (1, 0)]


def test_an_action_item_that_is_added_late_is_not_asked_for_at_once(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    code = begun(scenario, frozen)
    add_action(code, ActionDetails("Add an alarm", due_on=(NOON - 3 * DAY).date()), actor=ACTOR)
    assert remind_of_actions() == 0
    frozen.shift(4 * DAY)
    assert remind_of_actions() == 1
