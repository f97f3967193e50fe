"""Scheduled updates: posted at their time and once, or kept with the reason and a reminder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import accounts
from statuspage.access.audit import Actor
from statuspage.configuration import blocked_terms
from statuspage.configuration.blocked_terms import TermLists
from statuspage.core.conflict import Conflict
from statuspage.core.db import writing
from statuspage.core.enums import (
    AccountRole,
    Audience,
    Channel,
    ComponentStatus,
    IncidentStatus,
    Step,
)
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle, scheduled
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.scheduled import PlannedPost, cancel, publish_due, schedule, scheduled_on
from statuspage.messages.compose import Text
from statuspage.models import (
    Account,
    AuditEntry,
    Delivery,
    Incident,
    Message,
    ScheduledUpdate,
    SeverityLevel,
)
from statuspage.recipients.who_receives import AudienceChoice
from tests.announcing import ACTOR, Scenario, declare, mails, make_customer, post, resolve
from tests.factories import NOON

AT = NOON + timedelta(minutes=30)
NEXT = NOON + timedelta(hours=3)
WORDS = {Audience.PUBLIC: Text("", "Halcyon is the cause, and we are rolling it back.")}


@pytest.fixture
def kim(scenario: Scenario) -> Actor:
    with writing() as session:
        account = Account(
            email="kim@example.com", name="Kim", password_hash="x", role=AccountRole.COMMS_LEAD
        )
        session.add(account)
        session.flush()
        return accounts.as_actor(account)


def plan(status: str = "identified", **changes: object) -> PlannedPost:
    values = {"next_update_at": NEXT, **changes}
    return PlannedPost(AT, NewUpdate(IncidentStatus(status), **values))  # type: ignore[arg-type]


def sheet(actor: Actor, **changes: object) -> Submission:
    return Submission(actor, uuid4().hex, **{"texts": WORDS, **changes})  # type: ignore[arg-type]


def found(session: Session, code: str) -> Incident:
    session.expire_all()
    return session.scalars(select(Incident).filter_by(code=code)).one()


def posted(session: Session, code: str) -> list[tuple[str, str]]:
    return [(update.status, update.body) for update in found(session, code).updates[1:]]


def held(session: Session) -> list[str]:
    session.expire_all()
    return [one.held_because for one in session.scalars(select(ScheduledUpdate))]


def tick(frozen: Traveller, late: timedelta = timedelta()) -> int:
    """What the worker does when the time has come."""
    frozen.move_to(AT + late)
    return publish_due()


def test_it_is_posted_at_its_time_as_its_author(
    scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    schedule(code, plan(), sheet(kim))
    frozen.move_to(AT - timedelta(seconds=1))
    assert (publish_due(), posted(session, code)) == (0, [])
    assert (tick(frozen), tick(frozen)) == (1, 0)
    assert posted(session, code) == [("identified", WORDS[Audience.PUBLIC].body)]
    newest = found(session, code).updates[-1]
    assert (newest.account_id, newest.posted_at, newest.next_update_at) == (
        kim.account_id, AT, NEXT,
    )  # fmt: skip
    assert held(session) == []
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[1:]
    assert [(one.actor, one.action, one.origin) for one in entries] == [
        ("Kim", "incident.schedule_update", ""),
        ("Kim", "incident.update", "scheduled update"),
    ]
    assert entries[0].after == {
        "publish_at": AT.isoformat(), "status": "identified", "body": WORDS[Audience.PUBLIC].body,
    }  # fmt: skip


def test_everything_that_was_typed_is_posted(
    scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    changes = {
        "components": {scenario.catalog: ComponentStatus.PARTIAL_OUTAGE},
        "severity_rank": 2,
        "public_facts": {"cause": "A setting was wrong.", "cause_confirmed": True},
        "internal_facts": {"progress": "Rolled back in half of the regions."},
        "happened_at": NOON,
    }
    choice = AudienceChoice(frozenset({Audience.SUBSCRIBER, Audience.INTERNAL}), "Too small.")
    schedule(code, plan(**changes), sheet(kim, texts={}, choice=choice))
    assert tick(frozen) == 1
    incident = found(session, code)
    assert (incident.severity_rank, incident.internal_facts["progress"]) == (
        2, "Rolled back in half of the regions.",
    )  # fmt: skip
    newest = incident.updates[-1]
    assert newest.happened_at == NOON
    assert newest.left_out == {"subscriber": "Too small.", "internal": "Too small."}
    assert [one["new_status"] for one in newest.affected] == ["major_outage", "partial_outage"]


@pytest.mark.parametrize(
    ("publish_at", "next_at", "field"),
    [(NOON, NEXT, "publish_at"), (AT, AT, "next_update_at")],
)
def test_a_time_that_cannot_be_is_refused_at_its_field(
    scenario: Scenario, kim: Actor, publish_at: object, next_at: object, field: str
) -> None:
    planned = replace(plan(next_update_at=next_at), publish_at=publish_at)  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        schedule(declare(scenario).code, planned, sheet(kim))
    assert refused.value.field == field


def test_what_could_not_be_posted_now_is_refused_and_leaves_nothing(
    scenario: Scenario, session: Session, kim: Actor
) -> None:
    code = declare(scenario).code
    before = session.query(Message).count(), session.query(Delivery).count()
    leak = {Audience.PUBLIC: Text("", "It is db-7.prod.internal, and we restart it.")}
    with pytest.raises(Invalid) as refused:
        schedule(code, plan(), sheet(kim, texts=leak))
    assert refused.value.field == "text_public"
    schedule(code, plan(), sheet(kim))
    assert (session.query(Message).count(), session.query(Delivery).count()) == before
    assert posted(session, code) == []


def test_a_form_that_is_sent_twice_schedules_once_and_a_second_form_is_refused(
    scenario: Scenario, session: Session, kim: Actor
) -> None:
    code, once = declare(scenario).code, sheet(kim)
    first = schedule(code, plan(), once).id
    assert schedule(code, plan(), once).id == first
    with pytest.raises(Invalid, match="Another update is scheduled"):
        schedule(code, plan(), sheet(kim))
    later = replace(plan("monitoring"), publish_at=AT + timedelta(minutes=5), replaces=first)
    schedule(code, later, sheet(kim))
    pair = scheduled_on(session, found(session, code))
    assert pair is not None
    assert (pair[0].publish_at, scheduled.status_of_scheduled(pair[0]), pair[1]) == (
        AT + timedelta(minutes=5), IncidentStatus.MONITORING, "Kim",
    )  # fmt: skip


def test_whoever_read_an_older_state_is_shown_the_new_one(scenario: Scenario, kim: Actor) -> None:
    incident = declare(scenario)
    code, version = incident.code, incident.version
    post(code, "identified")
    with pytest.raises(Conflict):
        schedule(code, plan(), sheet(kim, seen_version=version))


def test_one_that_was_cancelled_is_not_posted(
    scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    schedule(code, plan(), sheet(kim))
    assert (cancel(code, actor=kim), cancel(code, actor=kim)) == (True, False)
    assert (tick(frozen), posted(session, code)) == (0, [])


def change_details(code: str) -> None:
    post(code, "identified")


def end_it(code: str) -> None:
    resolve(code)


def block_a_word(code: str) -> None:
    blocked_terms.change_blocked_terms(TermLists(code_names="Halcyon"), actor=ACTOR)


def grow(code: str) -> None:
    with writing() as session:
        session.add_all([make_customer(f"n{one}@example.com", "New") for one in range(20)])


def disable_author(code: str) -> None:
    with writing() as session:
        session.scalars(select(Account)).one().disabled_at = NOON


def demote_author(code: str) -> None:
    with writing() as session:
        session.scalars(select(Account)).one().role = AccountRole.RESPONDER


@pytest.mark.parametrize(
    ("happens", "because"),
    [
        (change_details, "The incident has changed since this update was scheduled."),
        (end_it, "The incident has changed since this update was scheduled."),
        (block_a_word, "The checks find something new"),
        (disable_author, "Its author’s account is disabled."),
        (demote_author, "Its author may no longer publish it."),
    ],
)
def test_what_changed_since_keeps_it_from_being_posted_and_its_author_is_reminded_once(
    scenario: Scenario,
    session: Session,
    kim: Actor,
    frozen: Traveller,
    happens: Callable[[str], None],
    because: str,
) -> None:
    code = declare(scenario).code
    schedule(code, plan(), sheet(kim))
    happens(code)
    before = posted(session, code)
    assert (tick(frozen), tick(frozen)) == (0, 0)
    assert posted(session, code) == before
    [reason] = held(session)
    assert reason.startswith(because)
    [notice] = session.scalars(select(Message).filter_by(step=Step.NOT_POSTED))
    assert f"Why: {reason.split('“', maxsplit=1)[0].strip()}" in notice.body
    told = session.execute(
        select(Delivery.channel, Delivery.email).filter_by(message_id=notice.id)
    ).all()
    assert {tuple(row) for row in told} == {
        (Channel.CHAT, "file"), (Channel.EMAIL, "kim@example.com"),
    }  # fmt: skip
    entry = session.scalars(
        select(AuditEntry).filter_by(action="incident.scheduled_not_posted")
    ).one()
    assert (entry.actor, entry.after and entry.after["because"]) == ("system", reason)


def test_an_audience_that_has_grown_by_far_is_looked_at_first(
    scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    post(code, "monitoring")
    although = dict.fromkeys(("watched", "components", "approval", "customer_mail"), "A test")
    planned = plan("resolved", next_update_at=None, although=although)
    schedule(code, planned, sheet(kim, texts={}))
    grow(code)
    assert (tick(frozen), mails()) == (0, ["kim@example.com"])
    assert held(session) == ["It would email 24 customers now; when it was scheduled it was 4."]


def test_a_resolution_passes_the_gate_twice_and_emails_customers_at_its_time(
    scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    post(code, "monitoring")
    with writing() as session:
        session.execute(update(SeverityLevel).values(watch_minutes=60))
    planned = plan("resolved", next_update_at=None)
    with pytest.raises(Invalid) as refused:
        schedule(code, planned, sheet(kim, texts={}))
    assert refused.value.field == "because_watched"
    reasons = dict.fromkeys(("watched", "components", "approval", "customer_mail"), "A test")
    schedule(code, plan("resolved", next_update_at=None, although=reasons), sheet(kim, texts={}))
    assert mails() == []
    assert tick(frozen) == 1
    assert found(session, code).resolved_at == AT
    assert len(mails()) == 4


def test_one_whose_time_passed_while_no_worker_ran_is_looked_at_first(
    scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    schedule(code, plan(), sheet(kim))
    assert tick(frozen, late=timedelta(minutes=11)) == 0
    assert held(session) == ["It could not be posted at its time."]


def test_one_that_was_not_posted_can_be_scheduled_again(
    scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    row = schedule(code, plan(), sheet(kim)).id
    post(code, "identified")
    tick(frozen)
    later = AT + timedelta(minutes=10)
    schedule(code, replace(plan("monitoring"), publish_at=later, replaces=row), sheet(kim))
    assert held(session) == [""]
    frozen.move_to(later)
    assert (publish_due(), held(session)) == (1, [])


def test_several_workers_post_it_once(
    app: Flask, scenario: Scenario, session: Session, kim: Actor, frozen: Traveller
) -> None:
    code = declare(scenario).code
    schedule(code, plan(), sheet(kim))
    session.rollback()
    frozen.move_to(AT)
    start, done = threading.Barrier(3), []

    def work() -> None:
        with app.app_context():
            start.wait()
            done.append(publish_due())

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == [0, 0, 1]
    assert posted(session, code) == [("identified", WORDS[Audience.PUBLIC].body)]
    assert session.scalars(select(Message).filter_by(step=Step.NOT_POSTED)).all() == []


def test_a_worker_that_dies_while_it_posts_leaves_it_to_the_next(
    scenario: Scenario,
    session: Session,
    kim: Actor,
    frozen: Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = declare(scenario).code
    schedule(code, plan(), sheet(kim))
    whole = lifecycle.post_within

    def killed(*args: object, **kwargs: object) -> None:
        whole(*args, **kwargs)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "post_within", killed)
        with pytest.raises(KeyboardInterrupt):
            tick(frozen)
    assert (posted(session, code), held(session)) == ([], [""])
    assert (tick(frozen), tick(frozen)) == (1, 0)
    assert posted(session, code) == [("identified", WORDS[Audience.PUBLIC].body)]
