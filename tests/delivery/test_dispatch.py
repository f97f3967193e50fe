"""Claiming, sending, recording and rescuing, with a door that does as it is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.core.config import ConfigError, load_settings
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, CustomerMail, DeliveryState, IncidentStatus
from statuspage.delivery import claims, control
from statuspage.delivery.channels.provider import Fault, Outcome
from statuspage.delivery.dispatch import Dispatcher, Lane, check_rooms
from statuspage.delivery.report import tallies
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import cancel_window
from statuspage.models import SeverityLevel
from statuspage.runtime.worker import WorkerProcess
from tests.announcing import (
    ACTOR,
    Scenario,
    declare,
    mails,
    messages,
    post,
)
from tests.delivery.conftest import EVERYBODY, WORKER, Provider, make_dispatcher, states


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


def test_a_stopped_dispatcher_puts_back_what_it_did_not_come_to(
    resolved: str, app: Flask, provider: Provider, session: Session
) -> None:
    dispatcher = make_dispatcher(app, provider)
    provider.chunk = 1
    provider.before_each = lambda: dispatcher._stopping.set() if len(provider.sent) == 2 else None
    dispatcher.send_all()
    assert len(mails(DeliveryState.ACCEPTED)) == 2
    assert len(mails(DeliveryState.PENDING)) == 2


# Clocks that jump.


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


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (
            {"CHAT_URLS": "slack-bot://C0123456789 json://a nonsense://b", "SLACK_BOT_TOKEN": "x"},
            r"^CHAT_URLS: Apprise cannot read address 3",
        ),
        (
            {"CHAT_URLS": "json://a", "DELIVERY_TEST_CHAT_URL": "nonsense://b"},
            r"^DELIVERY_TEST_CHAT_URL: Apprise cannot read this address",
        ),
    ],
)
def test_a_room_that_apprise_cannot_read_is_named_before_it_is_needed(
    tmp_path: Path, given: dict[str, str], refused: str
) -> None:
    with pytest.raises(ConfigError, match=refused):
        check_rooms(load_settings({"DATA_DIR": str(tmp_path), **given}))
