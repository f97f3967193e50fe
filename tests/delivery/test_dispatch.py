"""Claiming, sending, recording and rescuing, with a door that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, CustomerMail, DeliveryState, IncidentStatus
from statuspage.delivery import claims, control, provider_events, retry
from statuspage.delivery.channels.outgoing import Fault, Outcome, OutgoingMessage, Recipient, Result
from statuspage.delivery.channels.sendgrid_webhook import Event, EventKind
from statuspage.delivery.dispatch import Dispatcher, Lane
from statuspage.delivery.report import tallies
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import cancel_window
from statuspage.models import Attempt, Delivery, DeliveryEvent, SeverityLevel
from statuspage.runtime.worker import WorkerProcess
from tests.actors import acting
from tests.announcing import (
    ACTOR,
    Scenario,
    declare,
    mails,
    messages,
    post,
    resolve,
    set_up_scenario,
)

EVERYBODY = ["c1@example.com", "c2@example.com", "c3@example.com", "shopper@example.com"]
WORKER = 7


@dataclass
class Provider:
    """Answers as scripted by address, else accepts; remembers what it was given."""

    answers: dict[str, tuple[Outcome, Fault]] = field(default_factory=dict)
    sent: list[tuple[OutgoingMessage, Recipient]] = field(default_factory=list)
    max_batch: int = 1000
    before_each: Callable[[], None] = lambda: None
    chunk: int = 1000

    def send(
        self,
        outgoing: OutgoingMessage,
        recipients: Sequence[Recipient],
        *,
        still_ours: Callable[[], bool],
    ) -> Iterator[Sequence[Result]]:
        for start in range(0, len(recipients), self.chunk):
            self.before_each()
            if not still_ours():
                return
            yield [self._answer(outgoing, one) for one in recipients[start : start + self.chunk]]

    def _answer(self, outgoing: OutgoingMessage, recipient: Recipient) -> Result:
        self.sent.append((outgoing, recipient))
        outcome, fault = self.answers.get(recipient.address, (Outcome.ACCEPTED, Fault.NONE))
        reason = "" if outcome is Outcome.ACCEPTED else "as told"
        return Result(recipient, outcome, fault, reason)

    def close(self) -> None:
        """Nothing is kept open."""

    @property
    def addresses(self) -> list[str]:
        return sorted(recipient.address for _, recipient in self.sent)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app)


@pytest.fixture
def dispatcher(app: Flask, provider: Provider) -> Dispatcher:
    return make_dispatcher(app, provider)


def make_dispatcher(app: Flask, provider: Provider, *, worker_id: int = WORKER) -> Dispatcher:
    return Dispatcher(app, worker_id, {Channel.EMAIL: Lane(provider, parallel=1, batch=100)})


@pytest.fixture
def resolved(scenario: Scenario, session: Session) -> str:
    """A resolved SEV1 whose customers wait for their mail."""
    code = declare(scenario).code
    resolve(code)
    return code


def states(session: Session) -> dict[str, tuple[DeliveryState, str]]:
    rows = session.scalars(
        select(Delivery).filter_by(channel=Channel.EMAIL).execution_options(populate_existing=True)
    )
    found = {row.address: (row.state, row.reason) for row in rows}
    session.rollback()
    return found


def test_everybody_is_sent_their_mail_once(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session
) -> None:
    dispatcher.send_all()
    dispatcher.send_all()
    assert provider.addresses == EVERYBODY
    assert set(states(session).values()) == {(DeliveryState.ACCEPTED, "")}


def test_the_incident_says_how_many_were_accepted(
    resolved: str, dispatcher: Dispatcher, session: Session
) -> None:
    dispatcher.send_all()
    [mail] = messages(Audience.CUSTOMER)
    [(_, tally)] = [
        (told, counts)
        for told, counts in tallies(session, mail.incident_id or 0)
        if told.id == mail.id
    ]
    assert (tally.accepted, tally.waiting, tally.failed, tally.total) == (4, 0, 0, 4)


def test_each_mail_is_filled_for_its_recipient_alone(
    resolved: str, dispatcher: Dispatcher, provider: Provider
) -> None:
    dispatcher.send_all()
    [recipient] = [one for _, one in provider.sent if one.address == "shopper@example.com"]
    others = {one.message_id for _, one in provider.sent} | {
        one.unsubscribe_url for _, one in provider.sent
    }
    assert recipient.values["name"] == "Shopper"
    assert recipient.message_id.endswith("@status.example.com>")
    assert len(others) == 8


def test_a_mail_that_is_sent_again_keeps_its_message_id(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller
) -> None:
    provider.answers = {"c1@example.com": (Outcome.NOT_SENT, Fault.PROVIDER)}
    dispatcher.send_all()
    frozen.shift(timedelta(minutes=5))
    provider.answers = {}
    dispatcher.send_all()
    ids = {one.message_id for _, one in provider.sent if one.address == "c1@example.com"}
    assert provider.addresses == ["c1@example.com", *EVERYBODY]
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((Outcome.REFUSED, Fault.RECIPIENT), DeliveryState.FAILED),
        ((Outcome.NOT_SENT, Fault.PROVIDER), DeliveryState.PENDING),
        ((Outcome.UNKNOWN, Fault.PROVIDER), DeliveryState.UNCERTAIN),
    ],
)
def test_each_outcome_is_a_state_with_its_reason(
    resolved: str,
    dispatcher: Dispatcher,
    provider: Provider,
    session: Session,
    answer: tuple[Outcome, Fault],
    state: DeliveryState,
) -> None:
    provider.answers = {"c2@example.com": answer}
    dispatcher.send_all()
    assert states(session)["c2@example.com"] == (state, "as told")


def test_nothing_that_happened_to_a_delivery_is_overwritten(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session,
    frozen: time_machine.Traveller,
) -> None:  # fmt: skip
    provider.answers = {"c1@example.com": (Outcome.UNKNOWN, Fault.PROVIDER)}
    dispatcher.send_all()
    frozen.shift(1)
    retry.settle_due()
    provider.answers = {}
    dispatcher.send_all()
    events = session.scalars(
        select(DeliveryEvent.state)
        .join(Delivery, Delivery.id == DeliveryEvent.delivery_id)
        .where(Delivery.address == "c1@example.com")
        .order_by(DeliveryEvent.id)
    ).all()
    assert events == [DeliveryState.UNCERTAIN, DeliveryState.PENDING, DeliveryState.ACCEPTED]


def test_a_rejected_key_burns_no_attempt_and_raises_an_alarm(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session
) -> None:
    provider.answers = dict.fromkeys(EVERYBODY, (Outcome.NOT_SENT, Fault.CREDENTIALS))
    dispatcher.send_all()
    assert {row.attempts for row in session.scalars(select(Delivery))} == {0}
    assert [alarm.key for alarm in alarms.open_alarms(session)] == ["channel.email"]


def test_a_failing_provider_is_given_a_rest_and_the_alarm_ends_with_it(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session,
    frozen: time_machine.Traveller,
) -> None:  # fmt: skip
    provider.answers = dict.fromkeys(EVERYBODY, (Outcome.NOT_SENT, Fault.PROVIDER))
    for _ in range(3):
        dispatcher.send_all()
        assert not control.may_send(session, Channel.EMAIL)
        session.rollback()
        frozen.shift(timedelta(minutes=2))
    assert [alarm.key for alarm in alarms.open_alarms(session)] == ["channel.email"]
    provider.answers = {}
    dispatcher.send_all()
    session.rollback()
    assert alarms.open_alarms(session) == []
    assert mails(DeliveryState.ACCEPTED) == EVERYBODY


def test_nothing_is_sent_while_the_outbox_is_held(
    resolved: str, dispatcher: Dispatcher, provider: Provider
) -> None:
    control.hold(control.EVERYTHING, reason="restored", actor=acting("Ada"))
    dispatcher.send_all()
    assert provider.sent == []
    control.release(control.EVERYTHING, actor=acting("Ada"))
    dispatcher.send_all()
    assert provider.addresses == EVERYBODY


def test_what_is_too_old_to_be_news_expires(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller
) -> None:
    frozen.shift(timedelta(days=4))
    retry.settle_due()
    dispatcher.send_all()
    assert provider.sent == []
    assert mails(DeliveryState.EXPIRED) == EVERYBODY


def test_mail_waits_for_a_database_that_is_away_before_the_call_and_is_sent_once(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    begin, away = claims.begin_call, iter([True])

    def begin_call(attempt_id: str) -> bool:
        if next(away, False):
            raise OperationalError("", {}, Exception("away"))
        return begin(attempt_id)

    monkeypatch.setattr(claims, "begin_call", begin_call)
    dispatcher.send_all()
    assert provider.addresses == EVERYBODY
    assert mails(DeliveryState.ACCEPTED) == EVERYBODY


def test_a_fault_of_our_own_is_told_to_people_and_loses_nothing(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail() -> None:
        raise ValueError("a fault of our own")

    provider.before_each = fail
    dispatcher.send_all()
    assert [(alarm.key, "ValueError" in alarm.text) for alarm in alarms.open_alarms(session)] == [
        ("sending.email", True)
    ]
    session.rollback()
    dispatcher.rescue()
    provider.before_each = lambda: None
    dispatcher.send_all()
    assert provider.addresses == EVERYBODY
    # Not at the first success: other mail may go out beside the one that fails.
    assert len(alarms.open_alarms(session)) == 1
    session.rollback()
    monkeypatch.setattr("statuspage.delivery.dispatch.FAULT_SECONDS", 0)
    dispatcher._calm(Channel.EMAIL)
    session.rollback()
    assert alarms.open_alarms(session) == []


@pytest.mark.parametrize("does", ["stopped", "cancelled", "posted"])
def test_what_happens_while_a_batch_goes_out_reaches_the_rest_of_it(
    resolved: str, app: Flask, provider: Provider, session: Session, does: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("statuspage.delivery.dispatch.RECHECK_SECONDS", 0)

    def happen() -> None:
        if len(provider.sent) != 2:
            return
        with app.app_context():
            if does == "stopped":
                control.hold(control.EVERYTHING, reason="wrong", actor=ACTOR)
            elif does == "cancelled":
                cancel_window.cancel_mails(resolved, actor=ACTOR)
            else:
                post = NewUpdate(IncidentStatus.INVESTIGATING)
                lifecycle.reopen(resolved, post, Submission(ACTOR, "again"))

    provider.chunk, provider.before_each = 1, happen
    # Three are in hand, the fourth waits.
    Dispatcher(app, WORKER, {Channel.EMAIL: Lane(provider, parallel=1, batch=3)}).send_all()
    left, told = EVERYBODY[2:], EVERYBODY[:2]
    about_the_end = [
        one.address for outgoing, one in provider.sent if "Resolved" in outgoing.subject
    ]
    assert about_the_end == told
    ended = {
        "stopped": DeliveryState.PENDING,
        "cancelled": DeliveryState.CANCELLED,
        "posted": DeliveryState.SUPERSEDED,
    }
    assert mails(ended[does]) == left
    # Who was told that it is over, or was just being told, hears that it is not.
    again = EVERYBODY[:3] if does == "posted" else []
    assert provider.addresses == sorted(told + again)


def test_a_claim_that_was_taken_away_is_not_sent(
    resolved: str, app: Flask, provider: Provider, session: Session
) -> None:
    dispatcher = make_dispatcher(app, provider)
    provider.before_each = lambda: take_away(app)
    provider.chunk = 1
    dispatcher._hand_over(claims.claim(WORKER, Channel.EMAIL, size=10))  # type: ignore[arg-type]
    assert provider.sent == []
    assert mails(DeliveryState.PENDING) == EVERYBODY


def take_away(app: Flask) -> None:
    with app.app_context():
        claims.rescue(WORKER, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=600)


def test_a_dead_workers_claim_is_due_again_where_it_was_certainly_not_sent(
    resolved: str, dispatcher: Dispatcher, session: Session
) -> None:
    claims.claim(WORKER, Channel.EMAIL, size=10)
    assert mails(DeliveryState.SENDING) == EVERYBODY
    session.rollback()
    assert dispatcher.rescue() == 4
    assert mails(DeliveryState.PENDING) == EVERYBODY


def test_a_dead_workers_claim_is_uncertain_where_its_call_had_begun(
    resolved: str, dispatcher: Dispatcher, session: Session
) -> None:
    claim = claims.claim(WORKER, Channel.EMAIL, size=10)
    assert claim is not None
    assert claims.begin_call(claim.attempt_id)
    assert dispatcher.rescue() == 4
    assert mails(DeliveryState.UNCERTAIN) == EVERYBODY
    assert session.scalars(select(Attempt)).all() == []


def test_uncertain_mail_waits_for_news_and_is_then_sent_once_more(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller,
    session: Session,
) -> None:  # fmt: skip
    claim = claims.claim(WORKER, Channel.EMAIL, size=10)
    assert claim is not None
    claims.begin_call(claim.attempt_id)
    claims.rescue(WORKER, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=600)
    frozen.shift(599)
    retry.settle_due()
    dispatcher.send_all()
    assert provider.sent == []
    frozen.shift(1)
    retry.settle_due()
    dispatcher.send_all()
    assert provider.addresses == EVERYBODY


def test_mail_that_an_event_tells_of_is_not_sent_again_before_the_event_is_folded_in(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller,
    session: Session,
) -> None:  # fmt: skip
    claim = claims.claim(WORKER, Channel.EMAIL, size=10)
    assert claim is not None
    claims.begin_call(claim.attempt_id)
    claims.rescue(WORKER, own_attempts=frozenset(), missed=claims.Missed(), uncertain_wait=600)
    told = claim.deliveries[0]
    provider_events.keep(
        [Event("e1", EventKind.DELIVERED, clock.now(), told.email, str(told.id), claim.attempt_id)]
    )
    frozen.shift(600)
    retry.settle_due()
    provider_events.fold()
    dispatcher.send_all()
    assert provider.addresses == [one for one in EVERYBODY if one != told.email]


def test_batches_are_as_large_as_the_lane_says(
    resolved: str, app: Flask, provider: Provider
) -> None:
    lane = Lane(provider, parallel=1, batch=3)
    assert Dispatcher(app, WORKER, {Channel.EMAIL: lane}).send_all() == 2


def test_a_stopped_dispatcher_puts_back_what_it_did_not_come_to(
    resolved: str, app: Flask, provider: Provider, session: Session
) -> None:
    dispatcher = make_dispatcher(app, provider)
    provider.chunk = 1
    provider.before_each = lambda: dispatcher._stopping.set() if len(provider.sent) == 2 else None
    dispatcher.send_all()
    assert len(mails(DeliveryState.ACCEPTED)) == 2
    assert len(mails(DeliveryState.PENDING)) == 2


def test_a_delivery_tells_its_last_change(
    resolved: str, dispatcher: Dispatcher, session: Session, frozen: time_machine.Traveller
) -> None:
    frozen.shift(30)
    dispatcher.send_all()
    assert {row.changed_at for row in session.scalars(select(Delivery).filter_by(
        channel=Channel.EMAIL))} == {clock.now()}  # fmt: skip


# Clocks that jump.


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=30)])
def test_what_waits_follows_a_clock_that_jumps(
    resolved: str, session: Session, frozen: time_machine.Traveller, jump: timedelta
) -> None:
    frozen.shift(timedelta(seconds=1))
    waiting = select(Delivery).filter_by(channel=Channel.EMAIL)
    before = {mail.id: (mail.due_at, mail.expires_at) for mail in session.scalars(waiting)}
    session.rollback()

    frozen.shift(jump)
    for _ in range(2):
        claims.follow_clock(jump)
        retry.settle_due()

    session.expire_all()
    moment = clock.now()
    assert len(before) == 4
    for mail in session.scalars(waiting):
        due_at, expires_at = before[mail.id]
        assert mail.state is DeliveryState.PENDING
        assert mail.due_at <= moment
        # Each end that the jump has reached moved along, and nothing moved twice.
        assert mail.expires_at == (expires_at + jump if expires_at else None)
        assert mail.due_at in {due_at, due_at + jump}


def test_a_clock_that_is_set_back_does_not_prolong_a_channels_rest(
    resolved: str, dispatcher: Dispatcher, provider: Provider, frozen: time_machine.Traveller
) -> None:
    provider.answers = dict.fromkeys(EVERYBODY, (Outcome.NOT_SENT, Fault.PROVIDER))
    dispatcher.send_all()
    frozen.shift(timedelta(hours=-1))
    claims.follow_clock(timedelta(hours=-1))
    provider.answers = {}
    frozen.shift(timedelta(seconds=31))
    dispatcher.send_all()
    assert provider.addresses == sorted(EVERYBODY * 2)


def test_a_worker_that_starts_anew_ends_the_alarms_of_the_one_before(
    app: Flask, session: Session
) -> None:
    """What it knew of them went with its process; else nobody would ever end them."""
    with writing() as session:
        alarms.raise_alarm(session, "sending.email", "Mail could not be sent because of a fault")
    WorkerProcess(app)._calm()
    assert alarms.open_alarms(session) == []


def test_a_mail_answers_the_first_one_about_its_incident_to_the_same_address(
    app: Flask, scenario: Scenario, provider: Provider, dispatcher: Dispatcher, session: Session
) -> None:
    with writing() as session:
        session.execute(update(SeverityLevel).values(customer_mail=CustomerMail.EVERY_UPDATE))
    code = declare(scenario).code
    dispatcher.send_all()
    post(code, "monitoring")
    dispatcher.send_all()
    post(code, "resolved")
    declare(scenario, title="Another story")
    dispatcher.send_all()
    of_c1 = [one for _, one in provider.sent if one.address == "c1@example.com"]
    first, later, end, other = sorted(of_c1, key=lambda one: int(one.delivery_id))
    assert [one.first_message_id for one in (first, later, end, other)] == [
        "", first.message_id, first.message_id, "",
    ]  # fmt: skip
