"""Declaring, posting, resolving, reopening, publishing, hiding and correcting."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import (
    Audience,
    ComponentStatus,
    DeliveryState,
    IncidentStatus,
    Visibility,
)
from statuspage.core.errors import Refused
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Conflict, Post
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
    Stage,
    declaration,
    declare,
    mails,
    messages,
    post,
    resolve,
    set_stage,
)
from tests.factories import NOON

CUSTOMERS_OF_CHECKOUT = [
    "c1@example.com",
    "c2@example.com",
    "c3@example.com",
    "shopper@example.com",
]


@pytest.fixture
def stage(app: Flask, frozen: time_machine.Traveller) -> Stage:
    return set_stage(app)


def counts(session: Session) -> tuple[int, ...]:
    tables = (Incident, IncidentUpdate, Message, Delivery, ComponentChange, AuditEntry)
    return tuple(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def test_declaring_publishes_the_first_post(stage: Stage, session: Session) -> None:
    incident = declare(stage)
    [update] = incident.updates
    assert (incident.status, update.status) == ("investigating", "investigating")
    assert "Payments are declined at checkout." in update.body
    assert incident.started_at == NOON - timedelta(minutes=10)
    assert update.posted_at == NOON


def test_declaring_sets_the_components_from_the_start_of_the_incident(
    stage: Stage, session: Session
) -> None:
    incident = declare(stage)
    [change] = session.scalars(select(ComponentChange))
    assert session.get_one(Component, stage.checkout).status is ComponentStatus.MAJOR_OUTAGE
    assert (change.status, change.at) == (ComponentStatus.MAJOR_OUTAGE, incident.started_at)
    assert incident.updates[0].affected == [
        {
            "code": session.get_one(Component, stage.checkout).code,
            "name": "Checkout",
            "old_status": "operational",
            "new_status": "major_outage",
        }
    ]


def test_declaring_moves_the_public_revision(stage: Stage, session: Session) -> None:
    before = revision.current_number(session)
    declare(stage)
    assert revision.current_number(session) == before + 1


def test_declaring_tells_colleagues_and_no_customer_yet(stage: Stage, session: Session) -> None:
    declare(stage)
    [told] = messages(Audience.INTERNAL)
    assert "SEV1" in told.text
    assert mails() == []


def test_the_same_form_sent_twice_declares_once(stage: Stage, session: Session) -> None:
    first = lifecycle.declare(declaration(stage), actor=ACTOR, form_key="sheet")
    before = counts(session)
    again = lifecycle.declare(declaration(stage), actor=ACTOR, form_key="sheet")
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
    stage: Stage, session: Session, changes: dict[str, object], field: str
) -> None:
    before = counts(session)
    with pytest.raises(Refused) as refused:
        declare(stage, **changes)
    assert refused.value.field == field
    assert counts(session) == before


def test_the_first_post_may_say_that_the_cause_is_known(stage: Stage, session: Session) -> None:
    incident = declare(stage, status=IncidentStatus.IDENTIFIED)
    assert incident.updates[0].status == "identified"


def test_resolving_a_sev1_queues_one_mail_for_each_customer_concerned(
    stage: Stage, session: Session
) -> None:
    resolve(declare(stage).code)
    assert mails(DeliveryState.PENDING) == CUSTOMERS_OF_CHECKOUT


def test_resolving_a_sev1_that_names_no_component_reaches_everybody(
    stage: Stage, session: Session
) -> None:
    resolve(declare(stage, components={}).code)
    assert len(mails()) == 5


def test_resolving_what_was_never_a_sev1_mails_no_customer(stage: Stage, session: Session) -> None:
    resolve(declare(stage, severity_rank=2).code)
    assert mails() == []


def test_a_sev1_that_was_downgraded_still_counts_when_it_is_resolved(
    stage: Stage, session: Session
) -> None:
    code = declare(stage).code
    post(code, "monitoring", severity_rank=3)
    resolve(code)
    assert mails() == CUSTOMERS_OF_CHECKOUT


def test_customers_of_a_component_that_recovered_on_the_way_are_told_too(
    stage: Stage, session: Session
) -> None:
    both = {
        stage.checkout: ComponentStatus.MAJOR_OUTAGE,
        stage.catalog: ComponentStatus.DEGRADED_PERFORMANCE,
    }
    code = declare(stage, components=both).code
    post(code, "monitoring", components={stage.catalog: ComponentStatus.OPERATIONAL})
    resolve(code)
    assert len(mails()) == 5


def test_the_p1_scheme_writes_to_customers_with_every_update(
    app: Flask, frozen: time_machine.Traveller, session: Session
) -> None:
    stage = set_stage(app, scheme="p1")
    code = declare(stage, severity_rank=2).code
    assert len(mails()) == 4
    resolve(code)
    assert len(mails()) == 8


def test_resolving_sets_every_component_back(stage: Stage, session: Session) -> None:
    resolve(declare(stage).code)
    assert session.get_one(Component, stage.checkout).status is ComponentStatus.OPERATIONAL


def test_a_resolution_may_leave_a_component_degraded(stage: Stage, session: Session) -> None:
    code = declare(stage).code
    post(code, "resolved", components={stage.checkout: ComponentStatus.DEGRADED_PERFORMANCE})
    component = session.get_one(Component, stage.checkout)
    assert component.status is ComponentStatus.DEGRADED_PERFORMANCE


def test_a_component_stays_as_bad_as_another_open_incident_says(
    stage: Stage, session: Session
) -> None:
    first = declare(stage)
    declare(stage, components={stage.checkout: ComponentStatus.PARTIAL_OUTAGE})
    resolve(first.code)
    assert session.get_one(Component, stage.checkout).status is ComponentStatus.PARTIAL_OUTAGE


def test_resolving_settles_times_and_the_review(stage: Stage, session: Session) -> None:
    incident = declare(stage)
    resolve(incident.code)
    session.refresh(incident)
    assert (incident.resolved_at, incident.resolutions) == (NOON, 1)
    assert incident.review_due_at == NOON + timedelta(hours=48)
    assert incident.next_update_at is None


@pytest.mark.parametrize("status", ["investigating", "identified", "monitoring", "resolved"])
def test_a_resolved_incident_takes_no_update(stage: Stage, session: Session, status: str) -> None:
    code = declare(stage).code
    resolve(code)
    before = counts(session)
    with pytest.raises(Refused, match="reopen the incident"):
        post(code, status)
    assert counts(session) == before


def test_two_editors_at_once_make_one_post_and_one_conflict(stage: Stage, session: Session) -> None:
    incident = declare(stage)
    seen = incident.version
    post(incident.code, "identified")
    with pytest.raises(Conflict) as conflict:
        lifecycle.post_update(
            incident.code,
            Post(IncidentStatus.MONITORING),
            actor=ACTOR,
            form_key="other",
            seen_version=seen,
        )
    assert conflict.value.incident.status == "identified"
    assert len(session.scalars(select(IncidentUpdate)).all()) == 2


def test_the_same_update_sent_twice_is_posted_once(stage: Stage, session: Session) -> None:
    code = declare(stage).code
    for _ in range(2):
        lifecycle.post_update(
            code, Post(IncidentStatus.IDENTIFIED), actor=ACTOR, form_key="twice", seen_version=1
        )
    assert len(session.scalars(select(IncidentUpdate)).all()) == 2


def test_reopening_tells_exactly_those_who_were_told_that_it_is_over(
    stage: Stage, session: Session
) -> None:
    code = declare(stage).code
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


def test_resolving_again_mails_again_and_says_so(stage: Stage, session: Session) -> None:
    code = declare(stage).code
    resolve(code)
    reopen(code)
    resolve(code)
    first, last = [told for told in messages(Audience.CUSTOMER) if told.step == "resolved"]
    assert len(mails(DeliveryState.PENDING)) == 4
    assert len(mails(DeliveryState.SUPERSEDED)) == 4
    assert first.text != last.text
    assert "again" in last.text.lower()


def test_an_open_incident_cannot_be_reopened(stage: Stage, session: Session) -> None:
    with pytest.raises(Refused, match="still open"):
        reopen(declare(stage).code)


def test_a_correction_keeps_id_and_date_and_says_that_it_is_one(
    stage: Stage, session: Session, frozen: time_machine.Traveller
) -> None:
    [update] = declare(stage).updates
    before = (update.entry_id, update.posted_at, update.code)
    said = update.body
    frozen.shift(60)
    corrected = lifecycle.correct_update(update.code, body="What we meant.", actor=ACTOR)
    assert (corrected.entry_id, corrected.posted_at, corrected.code) == before
    assert (corrected.body, corrected.edited_at) == ("What we meant.", clock.now())
    assert [revision.body for revision in corrected.revisions] == [said]


def test_a_correction_notifies_nobody(stage: Stage, session: Session) -> None:
    [update] = declare(stage).updates
    before = session.scalar(select(func.count()).select_from(Delivery))
    lifecycle.correct_update(update.code, body="What we meant.", actor=ACTOR)
    assert session.scalar(select(func.count()).select_from(Delivery)) == before


def test_a_correction_that_changes_nothing_is_none(stage: Stage, session: Session) -> None:
    [update] = declare(stage).updates
    same = lifecycle.correct_update(update.code, body=update.body, actor=ACTOR)
    assert same.edited_at is None


def test_what_a_post_said_before_is_taken_off_with_a_reason(stage: Stage, session: Session) -> None:
    [update] = declare(stage).updates
    with pytest.raises(Refused, match="nothing to take off"):
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
    stage: Stage, session: Session
) -> None:
    before = revision.current_number(session)
    incident = declare(stage, visibility=Visibility.INTERNAL)
    resolve(incident.code)
    assert session.get_one(Component, stage.checkout).status is ComponentStatus.OPERATIONAL
    assert mails() == []
    assert messages(Audience.PUBLIC) == []
    assert {update.visibility for update in incident.updates} == {Visibility.INTERNAL}
    assert revision.current_number(session) == before


def test_publishing_an_internal_incident_shows_only_what_is_posted_from_then_on(
    stage: Stage, session: Session
) -> None:
    incident = declare(stage, visibility=Visibility.INTERNAL)
    lifecycle.publish(
        incident.code, Post(IncidentStatus.IDENTIFIED), actor=ACTOR, form_key="now public"
    )
    session.refresh(incident)
    assert incident.visibility is Visibility.PUBLIC
    assert [update.visibility for update in incident.updates] == [
        Visibility.INTERNAL,
        Visibility.PUBLIC,
    ]
    assert session.get_one(Component, stage.checkout).status is ComponentStatus.MAJOR_OUTAGE


def test_hiding_an_incident_gives_its_components_back(stage: Stage, session: Session) -> None:
    incident = declare(stage)
    lifecycle.hide(incident.code, actor=ACTOR)
    session.refresh(incident)
    assert incident.is_internal
    assert session.get_one(Component, stage.checkout).status is ComponentStatus.OPERATIONAL


def test_an_edited_text_goes_out_as_edited(stage: Stage, session: Session) -> None:
    text = Text("", "Cards are declined. We are on it.")
    incident = lifecycle.declare(
        declaration(stage), actor=ACTOR, form_key="edited", texts={Audience.PUBLIC: text}
    )
    assert incident.updates[0].body == text.body
    assert [told.edited for told in messages(Audience.PUBLIC)] == [True]


def test_a_text_that_lacks_something_is_refused_and_nothing_is_kept(
    stage: Stage, session: Session
) -> None:
    before = counts(session)
    with pytest.raises(Refused) as refused:
        lifecycle.declare(
            declaration(stage),
            actor=ACTOR,
            form_key="gap",
            texts={Audience.PUBLIC: Text("", "It is [[unknown_thing]].")},
        )
    assert refused.value.field == "text_public"
    assert counts(session) == before


def test_every_act_leaves_an_audit_entry(stage: Stage, session: Session) -> None:
    code = declare(stage).code
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


def test_a_post_mortem_may_follow_the_resolution(stage: Stage, session: Session) -> None:
    code = declare(stage).code
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
        code, Post(IncidentStatus.INVESTIGATING), actor=ACTOR, form_key=f"reopen {clock.now()}"
    )


def test_a_post_that_says_nothing_of_the_next_promises_it_by_the_severity(
    stage: Stage, session: Session
) -> None:
    incident = declare(stage, next_update_at=None)
    post(incident.code, "identified", severity_rank=2)
    post(incident.code, "identified", severity_rank=3)
    session.expire_all()
    assert [update.next_update_at for update in incident.updates] == [
        NOON + timedelta(minutes=30),
        NOON + timedelta(hours=1),
        None,
    ]


def test_no_promise_needs_a_reason_which_is_kept(stage: Stage, session: Session) -> None:
    incident = declare(stage)
    with pytest.raises(Refused) as refusal:
        post(incident.code, "identified", no_promise_because=" ")
    post(incident.code, "identified", no_promise_because="We write once it is over")
    session.expire_all()
    [_, update] = incident.updates
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert refusal.value.field == "no_promise_because"
    assert (update.next_update_at, update.no_promise_because) == (None, "We write once it is over")
    assert entry is not None
    assert (entry.after or {})["no update promised because"] == "We write once it is over"
