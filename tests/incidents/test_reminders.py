"""Who hears that a promised update comes near or passes, or that an incident goes on; once each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import Channel, DeliveryState, IncidentRole, NoteKind, Step
from statuspage.core.errors import Invalid
from statuspage.delivery import superseded
from statuspage.incidents import reminders
from statuspage.incidents.lifecycle import hide
from statuspage.incidents.notes import NewNote, add_note
from statuspage.models import (
    Component,
    Contact,
    Delivery,
    IncidentNote,
    Message,
    Page,
    SeverityLevel,
    Suppression,
)
from tests.announcing import ACTOR, Scenario, declare, post, resolve, set_up_scenario
from tests.factories import NOON

PEOPLE = {
    IncidentRole.COMMS_LEAD: "Charlie",
    IncidentRole.COMMANDER: "Alice",
    IncidentRole.TECHNICAL_LEAD: "Bob",
}


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    """Its severities ask for no internal notes."""
    scenario = set_up_scenario(app)
    with app.app_context(), writing() as session:
        for level in session.scalars(select(SeverityLevel)):
            level.note_minutes = None
    return scenario


@pytest.fixture
def team(scenario: Scenario, session: Session) -> dict[IncidentRole, int]:
    """Contacts by the role that they take, and two who stand by."""
    with writing() as session:
        contacts = {
            role: Contact(name=name, email=f"{name}@acme.example", chat_handle=f"@{name.lower()}")
            for role, name in PEOPLE.items()
        }
        others = [
            Contact(name="Olga", role="Payments on-call", email="olga@acme.example"),
            Contact(name="Max", role="Management", email="max@acme.example"),
        ]
        session.add_all([*contacts.values(), *others])
        session.flush()
        return {role: contact.id for role, contact in contacts.items()}


def open_incident(scenario: Scenario, team: dict[IncidentRole, int], **changes: object) -> str:
    """Declared at noon, and the next update promised for half past."""
    return declare(scenario, **{"next_update_at": None, "roles": team, **changes}).code


def tick(frozen: Traveller, minute: float) -> int:
    """What the worker does at that minute after noon; how many notices."""
    frozen.move_to(NOON + timedelta(minutes=minute))
    return reminders.notify_due()


def notices(session: Session) -> list[tuple[Step, list[str]]]:
    """Each notice and whom it was mailed to."""
    session.expire_all()
    found = session.scalars(
        select(Message).where(Message.step.in_(superseded.REMINDERS)).order_by(Message.id)
    )
    return [(message.step, mailed(session, message)) for message in found]


def mailed(session: Session, message: Message) -> list[str]:
    chosen = select(Delivery.address).filter_by(message_id=message.id, channel=Channel.EMAIL)
    return [address.partition("@")[0] for address in sorted(session.scalars(chosen))]


def waiting(session: Session) -> Sequence[tuple[Channel, str]]:
    """What waits to be sent of all notices."""
    chosen = (
        select(Delivery.channel, Delivery.email)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.step.in_(superseded.REMINDERS), Delivery.state == DeliveryState.PENDING)
        .order_by(Delivery.id)
    )
    return [(row[0], row[1]) for row in session.execute(chosen)]


def test_the_comms_lead_is_reminded_once_a_fifth_of_the_time_ahead(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    open_incident(scenario, team)
    assert [tick(frozen, minute) for minute in (23, 24, 25)] == [0, 1, 0]
    assert waiting(session) == [
        (Channel.CHAT, "file"),
        (Channel.EMAIL, "Charlie@acme.example"),
    ]
    [reminder] = session.scalars(select(Message).filter_by(step=Step.UPDATE_DUE))
    assert reminder.subject == "⏰ Update due by Mar 4, 2026, 12:30 UTC: Payments fail"
    assert "Assigned to: Charlie (@charlie)" in reminder.text
    assert "Open incident" in reminder.html


def test_the_commander_hears_when_it_passes_and_then_the_next_in_line(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    code = open_incident(scenario, team)
    with writing() as session:
        session.scalars(select(SeverityLevel).filter_by(rank=1)).one().escalation = [
            {"after_minutes": 600, "to": "management"}
        ]
    for minute in (24, 29, 30, 31, 35, 36, 50, 90):
        tick(frozen, minute)
    assert notices(session) == [
        (Step.UPDATE_DUE, ["charlie"]),
        (Step.OVERDUE, ["alice", "charlie"]),
        (Step.OVERDUE, ["max"]),
    ]
    # What waits for somebody who is not asked again stays; in chat the newest is enough.
    assert [email for channel, email in waiting(session) if channel is Channel.CHAT] == ["file"]
    post(code, "identified")
    assert waiting(session) == []


def test_after_a_pause_one_notice_says_how_late_it_is(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    open_incident(scenario, team, severity_rank=2)
    assert [tick(frozen, 100), tick(frozen, 101)] == [1, 0]
    [late] = session.scalars(select(Message).filter_by(step=Step.OVERDUE))
    assert late.subject == "❗ Update overdue by 40 minutes: Payments fail"
    assert "The update was due by Mar 4, 2026, 13:00 UTC." in late.text
    assert mailed(session, late) == ["alice", "bob", "charlie"]


def test_a_new_post_ends_what_waits_and_begins_anew(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    code = open_incident(scenario, team, severity_rank=2)
    tick(frozen, 50)
    post(code, "investigating")
    assert waiting(session) == []
    assert [tick(frozen, minute) for minute in (60, 99, 100)] == [0, 0, 1]


def test_who_dies_in_between_has_told_nobody(
    scenario: Scenario,
    team: dict[IncidentRole, int],
    session: Session,
    frozen: Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_incident(scenario, team)
    with monkeypatch.context() as patch:
        patch.setattr(superseded, "supersede_reminders", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tick(frozen, 24)
    assert notices(session) == []
    assert tick(frozen, 24) == 1
    assert len(notices(session)) == 1


def test_two_workers_tell_it_once(
    app: Flask,
    scenario: Scenario,
    team: dict[IncidentRole, int],
    session: Session,
    frozen: Traveller,
) -> None:
    open_incident(scenario, team)
    session.rollback()
    frozen.move_to(NOON + timedelta(minutes=30))
    start, told = threading.Barrier(4), []

    def work() -> None:
        with app.app_context():
            start.wait()
            told.append(reminders.notify_due())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(told) == [0, 0, 0, 2]
    assert [step for step, _ in notices(session)] == [Step.OVERDUE, Step.ESCALATED]
    # Each is about something else, so neither takes the other's place.
    assert waiting(session).count((Channel.CHAT, "file")) == 2


def test_the_scheme_calls_people_in_while_it_goes_on(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    with writing() as session:
        session.scalars(select(SeverityLevel).filter_by(rank=1)).one().escalation = [
            {"after_minutes": 0, "to": "on_call"},
            {"after_minutes": 30, "to": "technical_lead"},
            {"after_minutes": 60, "to": "management"},
        ]
    code = open_incident(scenario, team, next_update_at=None, no_promise_because="A test")
    assert [tick(frozen, minute) for minute in (0, 1, 70, 71)] == [1, 0, 1, 0]
    assert notices(session) == [(Step.ESCALATED, ["olga"]), (Step.ESCALATED, ["bob", "max"])]
    [_, last] = session.scalars(select(Message).filter_by(step=Step.ESCALATED))
    assert last.subject == "⬆️ SEV1 not resolved after 1 hour 10 minutes: Payments fail"
    resolve(code)
    assert (waiting(session), tick(frozen, 500)) == ([], 0)


def test_the_chat_and_the_scribe_are_reminded_once_of_each_note(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    with writing() as session:
        level = session.scalars(select(SeverityLevel).filter_by(rank=1)).one()
        level.note_minutes, level.escalation = 15, []
    far = NOON + timedelta(days=1)
    roles = {IncidentRole.SCRIBE: team[IncidentRole.TECHNICAL_LEAD]}
    code = open_incident(scenario, roles, next_update_at=far)
    assert [tick(frozen, minute) for minute in (14, 15, 16)] == [0, 1, 0]
    assert notices(session) == [(Step.NOTE_DUE, ["bob"])]
    assert len(waiting(session)) == 2
    [reminder] = session.scalars(select(Message).filter_by(step=Step.NOTE_DUE))
    assert reminder.subject == "📝 Internal note due: Payments fail"
    made = NewNote(NoteKind.PROGRESS, "Still looking.")
    add_note(code, made, form_key="a note", actor=ACTOR)
    assert waiting(session) == []
    assert [tick(frozen, minute) for minute in (30, 31, 32)] == [0, 1, 0]
    post(code, "identified", next_update_at=far)
    assert [tick(frozen, minute) for minute in (46, 47)] == [0, 1]
    resolve(code)
    assert (waiting(session), tick(frozen, 500)) == ([], 0)


def test_where_nobody_is_named_the_chat_hears_it(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    declare(scenario, next_update_at=None, severity_rank=2)
    tick(frozen, 61)
    assert waiting(session) == [(Channel.CHAT, "file")]


def test_an_incident_that_was_hidden_keeps_its_clocks(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    hide(open_incident(scenario, team), actor=ACTOR)
    assert tick(frozen, 24) == 1


def test_who_left_the_customers_mail_is_asked_and_whose_mail_bounced_is_not(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    with writing() as session:
        session.add(Suppression(address="charlie@acme.example", kind="unsubscribed", reason="left"))
        session.add(Suppression(address="alice@acme.example", kind="bounce", reason="no mailbox"))
    open_incident(scenario, team, severity_rank=2)
    tick(frozen, 60)
    assert waiting(session) == [(Channel.CHAT, "file"), (Channel.EMAIL, "Charlie@acme.example")]


def test_the_people_of_the_demo_are_never_called(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    open_incident(scenario, team)
    with writing() as session:
        session.scalars(select(Page)).one().is_demo = True
    assert tick(frozen, 60) == 0


def test_escalating_by_hand_calls_the_next_step_once_and_the_worker_leaves_it_out(
    scenario: Scenario, session: Session, team: dict[IncidentRole, int], frozen: Traveller
) -> None:
    with writing() as session:
        level = session.scalars(select(SeverityLevel).filter_by(rank=1)).one()
        level.escalation = [
            {"after_minutes": 30, "to": "management"}, {"after_minutes": 60, "to": "vendor"},
        ]  # fmt: skip
        level.note_minutes = None
        session.get_one(Component, scenario.checkout).vendor_contact = "Bank, +49 30 1"
    code = open_incident(scenario, team, next_update_at=NOON + timedelta(days=1))
    assert reminders.escalate(code, 30, actor=ACTOR) == "Escalated to Max."
    with pytest.raises(Invalid, match="already"):
        reminders.escalate(code, 30, actor=ACTOR)
    assert notices(session) == [(Step.ESCALATED, ["max"])]
    assert tick(frozen, 31) == 0
    # Nobody mails a vendor: colleagues read in chat whom to call.
    assert reminders.escalate(code, 60, actor=ACTOR) == "Escalated to Checkout: Bank, +49 30 1."
    assert notices(session)[1:] == [(Step.ESCALATED, [])]
    body = session.scalars(select(Message.body).order_by(Message.id.desc())).first()
    assert "Bank, +49 30 1" in (body or "")
    bodies = session.scalars(select(IncidentNote.body).order_by(IncidentNote.id)).all()
    assert bodies == ["Escalated to Max.", "Escalated to Checkout: Bank, +49 30 1."]
    with pytest.raises(Invalid):
        reminders.escalate(code, 90, actor=ACTOR)


def test_a_security_incident_calls_management_at_once(
    scenario: Scenario, session: Session, team: dict[IncidentRole, int], frozen: Traveller
) -> None:
    open_incident(scenario, team, template_key="security", severity_rank=3)
    assert tick(frozen, 0) == 1
    assert notices(session) == [(Step.ESCALATED, ["max"])]
    assert tick(frozen, 1) == 0
