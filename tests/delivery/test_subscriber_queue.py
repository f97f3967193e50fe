"""Whom a public post reaches by mail, why, and that nobody gets two."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.db import writing
from statuspage.core.enums import (
    Audience,
    Channel,
    CustomerMail,
    DeliveryState,
    IncidentStatus,
    MaintenanceStatus,
    SubscriberState,
    Visibility,
)
from statuspage.delivery import unsubscribe
from statuspage.incidents import lifecycle, maintenance
from statuspage.incidents.announcement import of_declaration, of_update
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.maintenance import Plan
from statuspage.incidents.publish import Submission
from statuspage.models import (
    Delivery,
    Incident,
    IncidentUpdate,
    Message,
    Page,
    SeverityLevel,
    Suppression,
)
from statuspage.recipients.who_receives import AudienceChoice
from tests.announcing import ACTOR, Scenario, declaration, declare, post, resolve, set_up_scenario
from tests.factories import NOON
from tests.subscribing import SAM, add_subscriber

SHOPPER = "shopper@example.com"


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app, customers=1)


def told(session: Session, *, state: DeliveryState | None = None) -> list[tuple[str, str, str]]:
    """Address, step and reason of every mail to subscribers, in order."""
    chosen = (
        select(Delivery.address, Message.step, Delivery.why)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.audience == Audience.SUBSCRIBER)
        .order_by(Delivery.id)
    )
    if state is not None:
        chosen = chosen.where(Delivery.state == state)
    return [(row[0], row[1].value, row[2]) for row in session.execute(chosen)]


def schedule(scenario: Scenario) -> Incident:
    plan = Plan(
        "Database upgrade",
        "Products cannot be changed.",
        NOON + timedelta(days=2),
        NOON + timedelta(days=2, hours=2),
        component_ids=[scenario.checkout],
    )
    return maintenance.schedule(plan, Submission(ACTOR, uuid4().hex))


def advance(incident: Incident, status: str) -> None:
    maintenance.advance(incident.code, MaintenanceStatus(status), Submission(ACTOR, uuid4().hex))


def test_every_public_post_reaches_who_subscribed_to_everything(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber()
    code = declare(scenario, severity_rank=3).code
    for status in ("identified", "monitoring", "resolved"):
        post(code, status)
    known = {"cause": "A bad setting.", "cause_confirmed": True, "resolution": "We undid it."}
    post(code, "postmortem", public_facts={**known, "prevention": "We check settings now."})
    why = "Subscribed to all components"
    steps = ["investigating", "identified", "monitoring", "resolved", "postmortem"]
    assert told(session) == [(SAM, step, why) for step in steps]


def test_it_is_queued_whole_or_not_at_all_with_the_post(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber()
    declare(scenario)
    delivery = session.scalars(select(Delivery).filter_by(address=SAM, channel=Channel.EMAIL)).one()
    assert delivery.step_key.startswith("update:")
    assert (delivery.state, delivery.lane) == (DeliveryState.PENDING, 1)


def test_only_those_who_named_an_affected_component_hear_of_it(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber("checkout@example.com", components=[scenario.checkout])
    add_subscriber("both@example.com", components=[scenario.checkout, scenario.catalog])
    add_subscriber("catalog@example.com", components=[scenario.catalog])
    declare(scenario)
    assert told(session) == [
        ("both@example.com", "investigating", "Subscribed to Checkout"),
        ("checkout@example.com", "investigating", "Subscribed to Checkout"),
    ]


def test_a_incident_that_names_no_component_concerns_everybody(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber(components=[scenario.catalog])
    declare(scenario, components={})
    assert told(session) == [(SAM, "investigating", "Subscribed to Catalog")]


def test_incidents_and_maintenance_are_chosen_apart(session: Session, scenario: Scenario) -> None:
    add_subscriber("incidents@example.com", maintenance=False)
    add_subscriber("maintenance@example.com", incidents=False)
    declare(scenario)
    incident = schedule(scenario)
    for status in ("in_progress", "verifying", "completed"):
        advance(incident, status)
    assert [(address, step) for address, step, _ in told(session)] == [
        ("incidents@example.com", "investigating"),
        ("maintenance@example.com", "scheduled"),
        ("maintenance@example.com", "in_progress"),
        ("maintenance@example.com", "verifying"),
        ("maintenance@example.com", "completed"),
    ]


def test_who_wants_only_the_end_hears_that_it_is_over_and_that_it_is_not(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber(updates="last")
    code = declare(scenario, severity_rank=3).code
    post(code, "identified")
    resolve(code)
    lifecycle.reopen(code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, uuid4().hex))
    post(code, "identified")
    assert [step for _, step, _ in told(session)] == ["resolved", "reopened"]


def test_who_wants_the_first_and_the_last_gets_no_update_between(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber(updates="first_and_last")
    code = declare(scenario, severity_rank=3).code
    post(code, "identified")
    post(code, "monitoring")
    resolve(code)
    lifecycle.reopen(code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, uuid4().hex))
    post(code, "identified")
    post(code, "resolved", false_alarm=True)
    assert [step for _, step, _ in told(session)] == [
        "investigating", "resolved", "reopened", "false_alarm"
    ]  # fmt: skip


def test_the_first_update_that_is_emailed_is_the_first_after_a_quiet_one(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber(updates="first_and_last")
    quiet = AudienceChoice(frozenset({Audience.SUBSCRIBER}), "A test of the page")
    submission = Submission(ACTOR, uuid4().hex, choice=quiet)
    code = lifecycle.declare(declaration(scenario, severity_rank=3), submission).code
    post(code, "identified")
    post(code, "monitoring")
    assert [step for _, step, _ in told(session)] == ["identified"]


def test_an_impact_that_is_too_small_is_not_emailed_until_it_grows(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber("any@example.com")
    add_subscriber("major@example.com", least_impact="major")
    add_subscriber("ends@example.com", least_impact="major", updates="first_and_last")
    code = declare(scenario, severity_rank=3).code
    post(code, "identified")
    post(code, "identified", severity_rank=2)
    post(code, "monitoring", severity_rank=3)
    resolve(code)
    heard: dict[str, list[str]] = {}
    for address, step, _ in told(session):
        heard.setdefault(address, []).append(step)
    assert heard == {
        "any@example.com": [
            "investigating", "identified", "identified", "monitoring", "resolved"
        ],
        "major@example.com": ["identified", "monitoring", "resolved"],
        "ends@example.com": ["identified", "resolved"],
    }  # fmt: skip


def test_who_asked_for_less_is_not_counted_either(session: Session, scenario: Scenario) -> None:
    add_subscriber("all@example.com")
    add_subscriber("ends@example.com", updates="first_and_last")
    add_subscriber("critical@example.com", least_impact="critical")
    incident = declare(scenario, severity_rank=2)
    reach = drafts(of_update(incident, NewUpdate(IncidentStatus.IDENTIFIED)))[0].by_mail
    assert reach is not None
    assert reach.total == 1
    post(incident.code, "identified")
    assert [one for one in told(session) if one[1] == "identified"] == [
        ("all@example.com", "identified", "Subscribed to all components")
    ]


def test_who_follows_an_incident_hears_all_of_it_however_small(
    session: Session, scenario: Scenario
) -> None:
    followed = declare(scenario, severity_rank=3)
    add_subscriber(updates="last", least_impact="critical", follows=[followed.id])
    post(followed.code, "identified")
    assert [step for _, step, _ in told(session)] == ["identified"]


# --- nothing has changed --------------------------------------------------------------------------


def say_no_change(code: str) -> IncidentUpdate:
    quiet = NewUpdate(IncidentStatus.INVESTIGATING, no_change=True)
    return lifecycle.post_update(code, quiet, Submission(ACTOR, uuid4().hex))


def test_no_change_is_emailed_at_most_once_an_hour_and_posted_every_time(
    session: Session, scenario: Scenario, frozen: Traveller
) -> None:
    add_subscriber()
    code = declare(scenario, severity_rank=2).code
    emailed = []
    for minutes in (30, 29, 1, 30, 30):
        frozen.shift(timedelta(minutes=minutes))
        update = say_no_change(code)
        emailed.append(not update.left_out)
        assert update.body
        rooms = select(Delivery.address).where(
            Delivery.step_key == f"update:{update.id}", Delivery.channel == "chat"
        )
        assert session.scalars(rooms).all() == ["file"]
    assert emailed == [False, False, True, False, True]
    assert update.left_out == {}
    assert len(told(session)) == 3


def test_each_incident_has_its_own_hour_and_any_email_begins_it(
    session: Session, scenario: Scenario, frozen: Traveller
) -> None:
    add_subscriber()
    first, second = (declare(scenario, severity_rank=2).code for _ in range(2))
    frozen.shift(timedelta(minutes=50))
    post(first, "investigating", users_notice="More of them fail.")
    frozen.shift(timedelta(minutes=10))
    assert say_no_change(first).left_out == {
        "subscriber": "“No change yet” is emailed at most once in 1 hour"
    }
    assert say_no_change(second).left_out == {}


def test_the_page_says_how_often_no_change_is_emailed(
    session: Session, scenario: Scenario, frozen: Traveller
) -> None:
    add_subscriber()
    with writing() as session:
        session.get_one(Page, 1).no_change_email_minutes = 0
    code = declare(scenario, severity_rank=2).code
    frozen.shift(timedelta(minutes=1))
    assert say_no_change(code).left_out == {}


def test_customers_get_no_change_as_their_scheme_says(
    session: Session, scenario: Scenario, frozen: Traveller
) -> None:
    add_subscriber()
    with writing() as session:
        for level in session.scalars(select(SeverityLevel)):
            level.customer_mail = CustomerMail.EVERY_UPDATE
    code = declare(scenario, severity_rank=2).code
    frozen.shift(timedelta(minutes=20))
    update = say_no_change(code)
    mailed = select(Delivery.address).where(
        Delivery.step_key == f"update:{update.id}", Delivery.channel == "email"
    )
    assert set(session.scalars(mailed)) == {"c1@example.com", SHOPPER}


def test_who_follows_one_incident_hears_all_of_it_and_of_no_other(
    session: Session, scenario: Scenario
) -> None:
    followed, other = declare(scenario), declare(scenario)
    add_subscriber(incidents=False, maintenance=False, follows=[followed.id])
    post(other.code, "identified")
    post(followed.code, "identified")
    resolve(followed.code)
    why = "Following this incident"
    assert told(session) == [(SAM, "identified", why), (SAM, "resolved", why)]


def test_who_follows_and_wants_all_gets_one_mail(session: Session, scenario: Scenario) -> None:
    code = declare(scenario)
    add_subscriber(follows=[code.id])
    post(code.code, "identified")
    assert [step for _, step, _ in told(session)] == ["identified"]


def test_who_is_both_gets_the_customers_mail_alone(session: Session, scenario: Scenario) -> None:
    add_subscriber(SHOPPER)
    code = declare(scenario).code
    assert [step for _, step, _ in told(session)] == ["investigating"]
    resolve(code)
    mails = session.execute(
        select(Message.audience, Message.step)
        .join(Delivery, Delivery.message_id == Message.id)
        .where(Delivery.address == SHOPPER, Message.step == "resolved")
    ).all()
    assert mails == [(Audience.CUSTOMER, "resolved")]


@pytest.mark.parametrize("state", ["pending", "unsubscribed"])
def test_nobody_is_written_to_who_did_not_confirm_or_left(
    session: Session, scenario: Scenario, state: str
) -> None:
    add_subscriber(state=SubscriberState(state))
    declare(scenario)
    assert told(session) == []


def test_an_address_that_bounced_is_skipped_and_shown_so(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber()
    with writing() as session:
        session.add(Suppression(address=SAM, kind="bounced", reason="mailbox full"))
    declare(scenario)
    delivery = session.scalars(select(Delivery).filter_by(address=SAM)).one()
    assert (delivery.state, delivery.reason) == (DeliveryState.SUPPRESSED, "mailbox full")


def test_nobody_hears_of_an_internal_incident(session: Session, scenario: Scenario) -> None:
    add_subscriber()
    declare(scenario, visibility=Visibility.INTERNAL)
    assert told(session) == []


def test_a_newer_step_takes_the_place_of_what_still_waits(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber()
    code = declare(scenario, severity_rank=3).code
    post(code, "identified")
    resolve(code)
    assert [step for _, step, _ in told(session, state=DeliveryState.PENDING)] == ["resolved"]
    assert len(told(session, state=DeliveryState.SUPERSEDED)) == 2


def test_the_customers_mail_takes_the_place_of_the_subscribers_too(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber(SHOPPER)
    resolve(declare(scenario).code)
    assert [step for _, step, _ in told(session, state=DeliveryState.SUPERSEDED)] == [
        "investigating"
    ]


def test_that_it_is_over_is_not_sent_once_it_is_not(session: Session, scenario: Scenario) -> None:
    add_subscriber()
    code = declare(scenario, severity_rank=3).code
    resolve(code)
    lifecycle.reopen(code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, uuid4().hex))
    assert [step for _, step, _ in told(session, state=DeliveryState.PENDING)] == ["reopened"]


def test_a_page_without_subscribers_keeps_no_message_for_them(
    session: Session, scenario: Scenario
) -> None:
    declare(scenario)
    assert session.scalars(select(Message).filter_by(audience=Audience.SUBSCRIBER)).all() == []


def test_before_it_is_posted_each_reason_is_counted(session: Session, scenario: Scenario) -> None:
    for name in ("a", "b"):
        add_subscriber(f"{name}@example.com")
    add_subscriber("c@example.com", components=[scenario.checkout])
    add_subscriber("d@example.com", components=[scenario.catalog])
    add_subscriber("gone@example.com")
    add_subscriber(SHOPPER)
    with writing() as session:
        session.add(Suppression(address="gone@example.com", kind="bounced", reason="no such user"))
    reach = drafts(of_declaration(declaration(scenario)))[0].by_mail
    assert reach is not None
    assert reach.reasons == [("Subscribed to all components", 3), ("Subscribed to Checkout", 1)]
    assert (reach.total, reach.suppressed, reach.as_customers) == (4, 1, 0)
    incident = declare(scenario)
    assert len(told(session, state=DeliveryState.PENDING)) == reach.total
    reach = drafts(of_update(incident, NewUpdate(IncidentStatus.RESOLVED)))[0].by_mail
    assert reach is not None
    assert (reach.total, reach.suppressed, reach.as_customers) == (3, 1, 1)
    resolve(incident.code)
    resolved = [one for one in told(session, state=DeliveryState.PENDING) if one[1] == "resolved"]
    assert len(resolved) == reach.total


def test_who_follows_is_counted_before_it_is_posted(session: Session, scenario: Scenario) -> None:
    incident = declare(scenario)
    add_subscriber(incidents=False, maintenance=False, follows=[incident.id])
    reach = drafts(of_update(incident, NewUpdate(IncidentStatus.IDENTIFIED)))[0].by_mail
    assert reach is not None
    assert reach.reasons == [("Following this incident", 1)]


def test_who_leaves_hears_nothing_more_and_returns_by_the_same_link(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber()
    declare(scenario)
    mail = session.scalars(select(Delivery.id).filter_by(address=SAM)).one()
    unsubscribe.unsubscribe(mail)
    declare(scenario)
    assert told(session, state=DeliveryState.PENDING) == []
    unsubscribe.resubscribe(mail)
    declare(scenario)
    assert len(told(session, state=DeliveryState.PENDING)) == 1
