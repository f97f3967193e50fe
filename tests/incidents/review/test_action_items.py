"""Action items: added, changed, settled with a word, listed overdue first, carried along."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.conflict import Conflict, fingerprint
from statuspage.core.db import writing
from statuspage.core.enums import ActionPriority, ActionState, Audience, Step
from statuspage.core.errors import Invalid
from statuspage.incidents.review import action_items
from statuspage.incidents.review.action_items import (
    ActionDetails,
    add_action,
    change_action,
    details_of,
    lines,
    open_items,
    settle_action,
    settled_items,
)
from statuspage.incidents.review.review_reminders import remind_of_actions
from statuspage.models import ActionItem, AuditEntry, Contact, Delivery, Incident, Message
from tests.announcing import ACTOR, Scenario, declare, resolve

DUE = date(2026, 3, 6)


@pytest.fixture
def code(scenario: Scenario) -> str:
    return declare(scenario).code


def alice() -> int:
    with writing() as session:
        contact = Contact(name="Alice", email="alice@example.com")
        session.add(contact)
        session.flush()
        return contact.id


def test_what_is_due_first_comes_first_and_the_gravest_of_a_day(
    code: str, session: Session
) -> None:
    for text, due, priority in (
        ("Some day", None, ActionPriority.HIGH),
        ("Low", DUE, ActionPriority.LOW),
        ("High", DUE, ActionPriority.HIGH),
        ("Late", DUE - timedelta(days=9), ActionPriority.LOW),
    ):
        details = ActionDetails(text, due_on=due, priority=priority)
        item = add_action(code, details, actor=ACTOR)
    settle_action(item.id, ActionState.DROPPED, "Not needed any more.", actor=ACTOR)
    assert [one.text for one in open_items(session)] == ["High", "Low", "Some day"]
    assert [one.text for one in settled_items(session, most=5)] == ["Late"]


def test_a_form_that_is_sent_twice_adds_one_item(code: str, session: Session) -> None:
    for text in ("Once", "Again"):
        add_action(code, ActionDetails(text), actor=ACTOR, form_key="key")
    assert [one.text for one in open_items(session)] == ["Once"]


def test_done_and_dropped_need_a_word(code: str, session: Session) -> None:
    item_id = add_action(code, ActionDetails("Add an alarm"), actor=ACTOR).id
    with pytest.raises(Invalid, match="Say what was done"):
        settle_action(item_id, ActionState.DONE, "", actor=ACTOR)
    with pytest.raises(Invalid, match="Say why it is dropped"):
        settle_action(item_id, ActionState.DROPPED, "", actor=ACTOR)
    settle_action(item_id, ActionState.DONE, "It rings.", actor=ACTOR)
    settle_action(item_id, ActionState.DONE, "Sent twice.", actor=ACTOR)
    session.expire_all()
    item = session.get_one(ActionItem, item_id)
    assert (item.state, item.outcome) == (ActionState.DONE, "It rings.")
    settle_action(item_id, ActionState.OPEN, "", actor=ACTOR)
    chosen = select(AuditEntry.action).where(AuditEntry.action.startswith("action."))
    assert session.scalars(chosen.order_by(AuditEntry.id)).all() == [
        "action.add", "action.settle", "action.settle",
    ]  # fmt: skip


def test_two_editors_make_one_change(code: str) -> None:
    item = add_action(code, ActionDetails("Add an alarm"), actor=ACTOR)
    seen = fingerprint(details_of(item))
    change_action(item.id, ActionDetails("Add two alarms"), actor=ACTOR, seen=seen)
    with pytest.raises(Conflict) as refused:
        change_action(item.id, ActionDetails("Add three alarms"), actor=ACTOR, seen=seen)
    assert refused.value.current == ActionDetails("Add two alarms")


def test_an_item_is_refused_without_a_text_or_with_an_unknown_owner(code: str) -> None:
    with pytest.raises(Invalid, match="Say what is to be done"):
        add_action(code, ActionDetails(""), actor=ACTOR)
    with pytest.raises(Invalid, match="Pick one of the contacts"):
        add_action(code, ActionDetails("Add an alarm", owner_id=4711), actor=ACTOR)
    with pytest.raises(Invalid, match="does not exist"):
        add_action("nothing", ActionDetails("Add an alarm"), actor=ACTOR)


def test_the_closing_message_names_what_is_open_and_customers_read_none_of_it(
    code: str, session: Session
) -> None:
    details = ActionDetails("Add an alarm", alice(), DUE, link="https://tickets.example/1")
    add_action(code, details, actor=ACTOR)
    done = add_action(code, ActionDetails("Restart"), actor=ACTOR)
    settle_action(done.id, ActionState.DONE, "Done.", actor=ACTOR)
    resolve(code)
    texts = {one.audience: one.text + one.body for one in session.scalars(select(Message))}
    listed = "- Alice: Add an alarm (by March 6, 2026) https://tickets.example/1"
    assert listed in texts[Audience.INTERNAL]
    assert "Restart" not in texts[Audience.INTERNAL]
    assert "alarm" not in texts[Audience.CUSTOMER] + texts[Audience.PUBLIC]


def test_a_settled_item_says_what_became_of_it(code: str, session: Session) -> None:
    item = add_action(code, ActionDetails("Add an alarm"), actor=ACTOR)
    settle_action(item.id, ActionState.DONE, "It rings.", actor=ACTOR)
    session.expire_all()
    incident = session.scalars(select(Incident).filter_by(code=code)).one()
    found = action_items.items_of(session, incident)
    assert list(lines(found)) == ["Add an alarm – done: It rings."]


def test_its_owner_is_reminded_before_on_and_after_the_day(
    code: str, session: Session, frozen: Traveller
) -> None:
    add_action(code, ActionDetails("Add an alarm", alice(), DUE), actor=ACTOR)
    counts = []
    for _ in range(11):
        counts.append((remind_of_actions(), remind_of_actions()))
        frozen.shift(timedelta(days=1))
    assert [first for first, _ in counts] == [0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0]
    assert {second for _, second in counts} == {0}
    chosen = select(Message.subject).filter_by(step=Step.ACTION_DUE).order_by(Message.id)
    assert session.scalars(chosen).all() == [
        "Action item due March 6, 2026: Add an alarm",
        "Action item due March 6, 2026: Add an alarm",
        "Action item overdue by 1 day: Add an alarm",
        "Action item overdue by 7 days: Add an alarm",
    ]
    mailed = select(Delivery.email).where(
        Delivery.step_key.startswith("action:"), Delivery.channel == "email"
    )
    assert set(session.scalars(mailed)) == {"alice@example.com"}
