"""Declaring, posting, resolving, reopening, publishing, hiding and correcting."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.conflict import Conflict
from statuspage.core.enums import (
    Audience,
    ComponentStatus,
    DeliveryState,
    IncidentStatus,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.messages.compose import Text
from statuspage.models import (
    AuditEntry,
    Component,
    ComponentChange,
    Delivery,
    Incident,
    IncidentUpdate,
    Message,
    revision,
)
from tests.announcing import (
    ACTOR,
    Scenario,
    declaration,
    declare,
    mails,
    messages,
    post,
    resolve,
    set_up_scenario,
)
from tests.factories import NOON

CUSTOMERS_OF_CHECKOUT = [
    "c1@example.com",
    "c2@example.com",
    "c3@example.com",
    "shopper@example.com",
]


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app)


def counts(session: Session) -> tuple[int, ...]:
    tables = (Incident, IncidentUpdate, Message, Delivery, ComponentChange, AuditEntry)
    return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def test_declaring_publishes_the_first_post(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    [update] = incident.updates
    assert (incident.status, update.status) == ("investigating", "investigating")
    assert "Payments are declined at checkout." in update.body
    assert incident.started_at == NOON - timedelta(minutes=10)
    assert update.posted_at == NOON


def test_declaring_sets_the_components_from_the_start_of_the_incident(
    scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario)
    [change] = session.scalars(select(ComponentChange))
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.MAJOR_OUTAGE
    assert (change.status, change.at) == (ComponentStatus.MAJOR_OUTAGE, incident.started_at)
    assert incident.updates[0].affected == [
        {
            "code": session.get_one(Component, scenario.checkout).code,
            "name": "Checkout",
            "old_status": "operational",
            "new_status": "major_outage",
        }
    ]


def test_declaring_moves_the_public_revision(scenario: Scenario, session: Session) -> None:
    before = revision.current_number(session)
    declare(scenario)
    assert revision.current_number(session) == before + 1


def test_declaring_tells_colleagues_and_no_customer_yet(
    scenario: Scenario, session: Session
) -> None:
    declare(scenario)
    [told] = messages(Audience.INTERNAL)
    assert "SEV1 declared" in told.subject
    assert mails() == []


def test_the_same_form_sent_twice_declares_once(scenario: Scenario, session: Session) -> None:
    first = lifecycle.declare(declaration(scenario), Submission(ACTOR, "sheet"))
    before = counts(session)
    again = lifecycle.declare(declaration(scenario), Submission(ACTOR, "sheet"))
    assert again.code == first.code
    assert counts(session) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"users_notice": "x" * 10_001}, "users_notice"),
        ({"started_at": NOON + timedelta(hours=1)}, "started_at"),
        ({"next_update_at": NOON - timedelta(minutes=1)}, "next_update_at"),
        ({"components": {999: ComponentStatus.MAJOR_OUTAGE}}, "components"),
    ],
)
def test_a_wrong_declaration_is_refused_by_field_and_keeps_nothing(
    scenario: Scenario, session: Session, changes: dict[str, object], field: str
) -> None:
    before = counts(session)
    with pytest.raises(Invalid) as refused:
        declare(scenario, **changes)
    assert refused.value.field == field
    assert counts(session) == before


def test_the_first_post_may_say_that_the_cause_is_known(
    scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario, status=IncidentStatus.IDENTIFIED)
    assert incident.updates[0].status == "identified"


def test_resolving_a_sev1_queues_one_mail_for_each_customer_concerned(
    scenario: Scenario, session: Session
) -> None:
    resolve(declare(scenario).code)
    assert mails(DeliveryState.PENDING) == CUSTOMERS_OF_CHECKOUT


def test_resolving_a_sev1_that_names_no_component_reaches_everybody(
    scenario: Scenario, session: Session
) -> None:
    resolve(declare(scenario, components={}).code)
    assert len(mails()) == 5


def test_resolving_what_was_never_a_sev1_mails_no_customer(
    scenario: Scenario, session: Session
) -> None:
    resolve(declare(scenario, severity_rank=2).code)
    assert mails() == []


def test_a_sev1_that_was_downgraded_still_counts_when_it_is_resolved(
    scenario: Scenario, session: Session
) -> None:
    code = declare(scenario).code
    post(code, "monitoring", severity_rank=3)
    resolve(code)
    assert mails() == CUSTOMERS_OF_CHECKOUT


def test_customers_of_a_component_that_recovered_on_the_way_are_told_too(
    scenario: Scenario, session: Session
) -> None:
    both = {
        scenario.checkout: ComponentStatus.MAJOR_OUTAGE,
        scenario.catalog: ComponentStatus.DEGRADED_PERFORMANCE,
    }
    code = declare(scenario, components=both).code
    post(code, "monitoring", components={scenario.catalog: ComponentStatus.OPERATIONAL})
    resolve(code)
    assert len(mails()) == 5


def test_the_p1_scheme_writes_to_customers_with_every_update(
    app: Flask, frozen: time_machine.Traveller, session: Session
) -> None:
    scenario = set_up_scenario(app, scheme="p1")
    code = declare(scenario, severity_rank=2).code
    assert len(mails()) == 4
    resolve(code)
    assert len(mails()) == 8


def test_resolving_sets_every_component_back(scenario: Scenario, session: Session) -> None:
    resolve(declare(scenario).code)
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.OPERATIONAL


def test_a_resolution_may_leave_a_component_degraded(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    post(code, "resolved", components={scenario.checkout: ComponentStatus.DEGRADED_PERFORMANCE})
    component = session.get_one(Component, scenario.checkout)
    assert component.status is ComponentStatus.DEGRADED_PERFORMANCE


def test_a_component_stays_as_bad_as_another_open_incident_says(
    scenario: Scenario, session: Session
) -> None:
    first = declare(scenario)
    declare(scenario, components={scenario.checkout: ComponentStatus.PARTIAL_OUTAGE})
    resolve(first.code)
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.PARTIAL_OUTAGE


def test_resolving_settles_times_and_the_review(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    resolve(incident.code)
    session.refresh(incident)
    assert (incident.resolved_at, incident.resolutions) == (NOON, 1)
    assert incident.review_due_at == NOON + timedelta(hours=48)
    assert incident.next_update_at is None


@pytest.mark.parametrize("status", ["investigating", "identified", "monitoring", "resolved"])
def test_a_resolved_incident_takes_no_update(
    scenario: Scenario, session: Session, status: str
) -> None:
    code = declare(scenario).code
    resolve(code)
    before = counts(session)
    with pytest.raises(Invalid, match="reopen the incident"):
        post(code, status)
    assert counts(session) == before


def test_two_editors_at_once_make_one_post_and_one_conflict(
    scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario)
    seen = incident.version
    post(incident.code, "identified")
    with pytest.raises(Conflict) as conflict:
        lifecycle.post_update(
            incident.code,
            NewUpdate(IncidentStatus.MONITORING),
            Submission(ACTOR, "other", seen_version=seen),
        )
    assert getattr(conflict.value.current, "status", None) == "identified"
    assert len(session.scalars(select(IncidentUpdate)).all()) == 2


def test_the_same_update_sent_twice_is_posted_once(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    for _ in range(2):
        lifecycle.post_update(
            code, NewUpdate(IncidentStatus.IDENTIFIED), Submission(ACTOR, "twice", seen_version=1)
        )
    assert len(session.scalars(select(IncidentUpdate)).all()) == 2


def test_reopening_tells_exactly_those_who_were_told_that_it_is_over(
    scenario: Scenario, session: Session
) -> None:
    code = declare(scenario).code
    resolve(code)
    [told, waiting, *_] = session.scalars(
        select(Delivery).where(Delivery.address.in_(CUSTOMERS_OF_CHECKOUT)).order_by(Delivery.id)
    )
    told.state = DeliveryState.ACCEPTED
    session.commit()
    reopen(code)
    reopening = messages(Audience.CUSTOMER)[-1]
    queued = session.scalars(select(Delivery.address).filter_by(message_id=reopening.id)).all()
    session.refresh(waiting)
    assert queued == [told.address]
    assert waiting.state is DeliveryState.SUPERSEDED


def test_resolving_again_mails_again_and_says_so(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    resolve(code)
    reopen(code)
    resolve(code)
    first, last = [told for told in messages(Audience.CUSTOMER) if told.step == "resolved"]
    assert len(mails(DeliveryState.PENDING)) == 4
    assert len(mails(DeliveryState.SUPERSEDED)) == 4
    assert first.text != last.text
    assert last.subject.startswith("Resolved again: ")


def test_an_open_incident_cannot_be_reopened(scenario: Scenario, session: Session) -> None:
    with pytest.raises(Invalid, match="still open"):
        reopen(declare(scenario).code)


def test_a_correction_keeps_id_and_date_and_says_that_it_is_one(
    scenario: Scenario, session: Session, frozen: time_machine.Traveller
) -> None:
    [update] = declare(scenario).updates
    before = (update.entry_id, update.posted_at, update.code)
    said = update.body
    frozen.shift(60)
    corrected = lifecycle.correct_update(update.code, body="What we meant.", actor=ACTOR)
    assert (corrected.entry_id, corrected.posted_at, corrected.code) == before
    assert (corrected.body, corrected.edited_at) == ("What we meant.", clock.now())
    assert [revision.body for revision in corrected.revisions] == [said]


def test_a_correction_notifies_nobody(scenario: Scenario, session: Session) -> None:
    [update] = declare(scenario).updates
    before = session.scalar(select(func.count()).select_from(Delivery))
    lifecycle.correct_update(update.code, body="What we meant.", actor=ACTOR)
    assert session.scalar(select(func.count()).select_from(Delivery)) == before


def test_a_correction_that_changes_nothing_is_none(scenario: Scenario, session: Session) -> None:
    [update] = declare(scenario).updates
    same = lifecycle.correct_update(update.code, body=update.body, actor=ACTOR)
    assert same.edited_at is None


def test_what_a_post_said_before_is_taken_off_with_a_reason(
    scenario: Scenario, session: Session
) -> None:
    [update] = declare(scenario).updates
    with pytest.raises(Invalid, match="nothing to remove"):
        lifecycle.correct_update(
            update.code, body=update.body, actor=ACTOR, taken_off_because="It names a host."
        )
    lifecycle.correct_update(update.code, body="Payments fail on a host.", actor=ACTOR)
    lifecycle.correct_update(update.code, body="Some payments fail.", actor=ACTOR)
    corrected = lifecycle.correct_update(
        update.code, body="Some payments fail.", actor=ACTOR, taken_off_because="It names a host."
    )
    assert [one.taken_off_because for one in corrected.revisions] == ["It names a host."] * 2
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.after == {
        "body": "Some payments fail.", "earlier texts taken off": "It names a host.",
    }  # fmt: skip


def test_an_internal_incident_touches_no_component_and_no_customer(
    scenario: Scenario, session: Session
) -> None:
    before = revision.current_number(session)
    incident = declare(scenario, visibility=Visibility.INTERNAL)
    resolve(incident.code)
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.OPERATIONAL
    assert mails() == []
    assert messages(Audience.PUBLIC) == []
    assert {update.visibility for update in incident.updates} == {Visibility.INTERNAL}
    assert revision.current_number(session) == before


def test_publishing_an_internal_incident_shows_only_what_is_posted_from_then_on(
    scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario, visibility=Visibility.INTERNAL)
    lifecycle.make_public(
        incident.code, NewUpdate(IncidentStatus.IDENTIFIED), Submission(ACTOR, "now public")
    )
    session.refresh(incident)
    assert incident.visibility is Visibility.PUBLIC
    assert [update.visibility for update in incident.updates] == [
        Visibility.INTERNAL,
        Visibility.PUBLIC,
    ]
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.MAJOR_OUTAGE


def test_hiding_an_incident_gives_its_components_back(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    lifecycle.hide(incident.code, actor=ACTOR)
    session.refresh(incident)
    assert incident.is_internal
    assert session.get_one(Component, scenario.checkout).status is ComponentStatus.OPERATIONAL


def test_an_edited_text_goes_out_as_edited(scenario: Scenario, session: Session) -> None:
    text = Text("", "Cards are declined. We are on it.")
    incident = lifecycle.declare(
        declaration(scenario), Submission(ACTOR, "edited", texts={Audience.PUBLIC: text})
    )
    assert incident.updates[0].body == text.body
    assert [told.edited for told in messages(Audience.PUBLIC)] == [True]


def test_a_text_that_lacks_something_is_refused_and_nothing_is_kept(
    scenario: Scenario, session: Session
) -> None:
    before = counts(session)
    with pytest.raises(Invalid) as refused:
        lifecycle.declare(
            declaration(scenario),
            Submission(ACTOR, "gap", texts={Audience.PUBLIC: Text("", "It is [[unknown_thing]].")}),
        )
    assert refused.value.field == "text_public"
    assert counts(session) == before


def test_every_act_leaves_an_audit_entry(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    post(code, "identified")
    lifecycle.correct_update(
        session.scalars(select(IncidentUpdate.code)).first() or "", body="Corrected.", actor=ACTOR
    )
    resolve(code)
    reopen(code)
    lifecycle.hide(code, actor=ACTOR)
    entries = session.scalars(select(AuditEntry).filter_by(subject=code).order_by(AuditEntry.id))
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("incident.declare", "Ada"),
        ("incident.update", "Ada"),
        ("incident.correct", "Ada"),
        ("incident.update", "Ada"),
        ("incident.reopen", "Ada"),
        ("incident.hide", "Ada"),
    ]


def test_a_post_mortem_may_follow_the_resolution(scenario: Scenario, session: Session) -> None:
    code = declare(scenario).code
    resolve(code)
    facts = {
        "cause": "A certificate ran out.",
        "cause_confirmed": True,
        "resolution": "We renewed it.",
        "prevention": "It is renewed by itself from now on.",
    }
    post(code, "postmortem", public_facts=facts)
    incident = session.scalars(select(Incident)).one()
    assert (incident.status, incident.resolved_at) == ("postmortem", NOON)


def reopen(code: str) -> None:
    lifecycle.reopen(
        code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, f"reopen {clock.now()}")
    )


def test_a_post_that_says_nothing_of_the_next_promises_it_by_the_severity(
    scenario: Scenario, session: Session
) -> None:
    incident = declare(scenario, next_update_at=None)
    post(incident.code, "identified", severity_rank=2)
    post(incident.code, "identified", severity_rank=3)
    session.expire_all()
    assert [update.next_update_at for update in incident.updates] == [
        NOON + timedelta(minutes=30),
        NOON + timedelta(hours=1),
        None,
    ]


def test_no_promise_needs_a_reason_which_is_kept(scenario: Scenario, session: Session) -> None:
    incident = declare(scenario)
    with pytest.raises(Invalid) as refusal:
        post(incident.code, "identified", no_promise_because=" ")
    post(incident.code, "identified", no_promise_because="We write once it is over")
    session.expire_all()
    [_, update] = incident.updates
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert refusal.value.field == "no_promise_because"
    assert (update.next_update_at, update.no_promise_because) == (None, "We write once it is over")
    assert entry is not None
    assert (entry.after or {})["no update promised because"] == "We write once it is over"
