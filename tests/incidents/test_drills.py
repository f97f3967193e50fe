"""A drill: the whole life of a SEV1, and nothing of it leaves the drill's own list."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import db, writing
from statuspage.core.enums import (
    Audience,
    Channel,
    ComponentStatus,
    DeliveryState,
    IncidentRole,
    IncidentStatus,
    Step,
    SubscriberState,
)
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.delivery import privacy
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.incidents import lifecycle, mail_corrections, reminders
from statuspage.incidents.inputs import Drill, NewUpdate
from statuspage.incidents.mail_corrections import Correction
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import cancel_window, trial_mail
from statuspage.models import (
    Component,
    ComponentChange,
    Contact,
    Delivery,
    Incident,
    Message,
    Revision,
    Subscriber,
)
from statuspage.public.edition_builder import build_edition
from statuspage.recipients.who_receives import Reader
from tests.announcing import ACTOR, Scenario, declare, post, set_up_scenario
from tests.delivery.test_dispatch import Provider
from tests.editions import own_documents
from tests.factories import NOON

LISTED = ["eve@drill.example", "c1@example.com"]
DRILL = Drill([(LISTED[0], "Eve"), (LISTED[1], "")], ["file"])


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


@pytest.fixture
def team(scenario: Scenario, session: Session) -> dict[IncidentRole, int]:
    """Colleagues who are not on the drill's list, and a subscriber who is not."""
    with writing() as session:
        contacts = {
            role: Contact(name=role.label, email=f"{role}@acme.example") for role in IncidentRole
        }
        session.add_all(contacts.values())
        reader = Subscriber(
            email="news@example.com",
            address="news@example.com",
            state=SubscriberState.CONFIRMED,
            confirmed_at=NOON,
        )
        session.add(reader)
        session.flush()
        return {role: contact.id for role, contact in contacts.items()}


def announce(code: str, status: IncidentStatus, **changes: object) -> None:
    post(code, status.value, **{"although": {"watched": "A drill", "components": ""}, **changes})


def everything(code: str, frozen: Traveller) -> None:
    """All that can be pressed on a desk, from the first post to the last."""
    frozen.shift(timedelta(hours=2))
    reminders.notify_due()
    announce(code, IncidentStatus.INVESTIGATING, no_change=True)
    announce(code, IncidentStatus.MONITORING)
    trial = NewUpdate(IncidentStatus.RESOLVED)
    with pytest.raises(Invalid):
        trial_mail.send_test(
            code, trial, to=Reader("kim@example.com", "Kim", None), form_key="k", actor=ACTOR
        )
    trial_mail.send_test(code, trial, to=Reader(LISTED[0], "Eve", None), form_key="k", actor=ACTOR)
    announce(code, IncidentStatus.RESOLVED)
    cancel_window.cancel_mails(code, actor=ACTOR)
    cancel_window.send_after_all(code, actor=ACTOR)
    lifecycle.hide(code, actor=ACTOR)


def reopen(code: str) -> None:
    lifecycle.reopen(code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, uuid4().hex))


def published(engine: Engine, app: Flask) -> dict[str, bytes]:
    """Every document of the public site."""
    with app.app_context():
        documents = own_documents(build_edition(engine, current_links()))
    return {path: document.body for path, document in documents.items()}


def test_nothing_of_a_drill_leaves_its_list_through_a_whole_sev1(
    app: Flask,
    scenario: Scenario,
    team: dict[IncidentRole, int],
    session: Session,
    frozen: Traveller,
) -> None:
    code = declare(scenario, drill=DRILL, roles=team, next_update_at=None).code
    mail, chat = Provider(), Provider()
    lanes = {Channel.EMAIL: Lane(mail, 1, 100), Channel.CHAT: Lane(chat, 1, 100)}
    dispatcher = Dispatcher(app, 7, lanes)

    def deliver() -> None:
        frozen.shift(timedelta(minutes=2))
        dispatcher.send_all()

    everything(code, frozen)
    deliver()
    wrong = session.scalars(
        select(Message).filter_by(audience=Audience.CUSTOMER, step=Step.RESOLVED)
    ).first()
    assert wrong is not None
    mail_corrections.send_correction(
        wrong.id, Correction("It is over", "It is really over.", "It was not."), actor=ACTOR
    )
    deliver()
    reopen(code)
    deliver()
    announce(code, IncidentStatus.RESOLVED)
    deliver()

    assert {one.address for _, one in mail.sent} == set(LISTED)
    assert {one.address for _, one in chat.sent} == {"file"}
    addresses = set(session.scalars(select(Delivery.address)))
    assert addresses == {*LISTED, "file"}
    unfinished = select(Delivery).where(
        Delivery.state.not_in([DeliveryState.ACCEPTED, DeliveryState.SUPERSEDED])
    )
    assert session.scalars(unfinished).all() == []
    letters = [outgoing for outgoing, _ in [*mail.sent, *chat.sent]]
    unmarked = [
        outgoing.subject
        for outgoing in letters
        if "[DRILL]" not in outgoing.subject or "This is a drill." not in outgoing.text
    ]
    assert unmarked == []
    assert all("You’re receiving this because you’re on the list of this drill" in outgoing.html
               for outgoing, _ in mail.sent)  # fmt: skip
    assert {one.unsubscribe_url for _, one in mail.sent} == {None}


def test_a_drill_is_on_no_public_surface_and_moves_no_component(
    app: Flask,
    scenario: Scenario,
    team: dict[IncidentRole, int],
    session: Session,
    frozen: Traveller,
) -> None:
    frozen.shift(timedelta(hours=3))
    before, revision = published(db.engine, app), session.scalars(select(Revision.number)).all()
    frozen.shift(timedelta(hours=-3))
    code = declare(scenario, drill=DRILL, roles=team).code
    everything(code, frozen)
    reopen(code)
    frozen.move_to(NOON + timedelta(hours=3))
    session.expire_all()
    assert published(db.engine, app) == before
    assert session.scalars(select(Revision.number)).all() == revision
    assert set(session.scalars(select(Component.status))) == {ComponentStatus.OPERATIONAL}
    assert session.scalars(select(ComponentChange)).all() == []


def test_a_drill_never_becomes_public(scenario: Scenario, session: Session) -> None:
    code = declare(scenario, drill=DRILL).code
    with pytest.raises(Invalid):
        lifecycle.make_public(
            code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, "now public")
        )
    session.expire_all()
    [incident] = session.scalars(select(Incident))
    assert (incident.is_internal, incident.is_drill, len(incident.updates)) == (True, True, 1)


def test_the_door_refuses_what_found_another_way_into_the_outbox(
    app: Flask, scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    declare(scenario, drill=DRILL)
    with writing() as session:
        row = session.scalars(select(Delivery).filter_by(address=LISTED[1])).first()
        assert row is not None
        row.address = row.email = "stranger@example.com"
        chat = session.scalars(select(Delivery).filter_by(channel=Channel.CHAT)).one()
        chat.address = "another room"
    mail, chat_provider = Provider(), Provider()
    lanes = {Channel.EMAIL: Lane(mail, 1, 100), Channel.CHAT: Lane(chat_provider, 1, 100)}
    Dispatcher(app, 7, lanes).send_all()
    session.expire_all()
    assert (mail.addresses, chat_provider.addresses) == ([LISTED[0]], [])
    refused = session.scalars(select(Delivery).filter_by(state=DeliveryState.FAILED))
    assert {(row.address, row.reason) for row in refused} == {
        (address, "this belongs to a drill, and the address is not on its list")
        for address in ("stranger@example.com", "another room")
    }


def test_a_drill_that_reaches_nobody_calls_nobody(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session, frozen: Traveller
) -> None:
    declare(scenario, drill=Drill(), roles=team, next_update_at=None)
    frozen.shift(timedelta(hours=1))
    assert reminders.notify_due() == 0


def test_a_real_incident_beside_a_drill_is_told_as_ever(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session
) -> None:
    declare(scenario, drill=DRILL)
    declare(scenario)
    mailed = select(Delivery.address).where(Delivery.channel == Channel.EMAIL)
    assert sorted(session.scalars(mailed)) == ["c1@example.com", "eve@drill.example",
                                               "news@example.com"]  # fmt: skip


def test_an_address_that_is_none_is_refused(scenario: Scenario) -> None:
    with pytest.raises(Invalid) as refusal:
        declare(scenario, drill=Drill([("nobody", "")]))
    assert refusal.value.field == "drill_addresses"


def test_who_is_erased_is_on_no_drills_list_any_more(
    app: Flask, scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario, drill=DRILL)
    privacy.erase(LISTED[0], actor=ACTOR)
    session.expire_all()
    assert incident.drill_list == [{"email": LISTED[1], "name": ""}, {"room": "file"}]
    announce(incident.code, IncidentStatus.INVESTIGATING)
    waiting = select(Delivery.address).filter_by(channel=Channel.EMAIL, state=DeliveryState.PENDING)
    assert session.scalars(waiting).all() == [LISTED[1]]


def test_a_drill_that_ends_as_a_false_alarm_reaches_its_list_alone(
    scenario: Scenario, team: dict[IncidentRole, int], session: Session
) -> None:
    code = declare(scenario, drill=DRILL, roles=team).code
    announce(code, IncidentStatus.RESOLVED, false_alarm=True)
    assert set(session.scalars(select(Delivery.address))) == {*LISTED, "file"}
