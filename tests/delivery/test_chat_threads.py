"""Threads: one for each incident in a room, through the outbox, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import alarms
from statuspage.core.config import Settings
from statuspage.core.db import writing
from statuspage.core.enums import Channel, DeliveryState, IncidentStatus
from statuspage.delivery import control, dispatch, retry
from statuspage.delivery.chat_threads import channel_name
from statuspage.delivery.dispatch import Dispatcher, open_lanes
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Drill, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.models import Contact, Delivery, Incident
from tests.announcing import ACTOR, Scenario, declare, post, set_up_scenario
from tests.factories import NOON, minutes
from tests.fakes.slack import DROP, TOKEN, FakeSlack


@pytest.fixture(scope="module")
def server() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def slack(server: FakeSlack) -> FakeSlack:
    server.messages.clear()
    server.calls.clear()
    server.script.clear()
    server.pinned.clear()
    return server


@pytest.fixture
def environ(environ: dict[str, str], slack: FakeSlack) -> dict[str, str]:
    return {
        **environ,
        "CHAT_URLS": "slack-bot://C0123456789",
        "SLACK_BOT_TOKEN": TOKEN,
        "SLACK_API_URL": slack.api,
        # Of mail alone: nothing would ever tell of what became of a post.
        "UNCERTAIN_WAIT": "600",
    }


@pytest.fixture
def scenario(app: Flask, frozen: Traveller, session: Session) -> Scenario:
    return set_up_scenario(app)


@pytest.fixture
def worker(app: Flask, settings: Settings) -> Dispatcher:
    return Dispatcher(app, 7, {Channel.CHAT: open_lanes(settings)[Channel.CHAT]})


def test_each_incident_has_one_thread_that_begins_with_its_status(
    scenario: Scenario, worker: Dispatcher, slack: FakeSlack
) -> None:
    code = declare(scenario).code
    declare(scenario, title="Carts are slow", severity_rank=2)
    worker.send_all()
    post(code, "identified")
    worker.send_all()
    post(code, "resolved")
    worker.send_all()
    assert slack.threads() == [
        (
            "SEV1 · Resolved: Payments fail",
            ["SEV1 · Identified: Payments fail", "✅ SEV1 resolved: Payments fail"],
        ),
        ("SEV2 · Investigating: Carts are slow", []),
    ]
    head = next(iter(slack.messages.values())).text
    assert head.startswith("SEV1 · Resolved: Payments fail\n\nStatus: Investigating\n")


def test_the_first_message_names_the_owner_and_is_pinned_until_the_end(
    scenario: Scenario, worker: Dispatcher, slack: FakeSlack, session: Session
) -> None:
    with writing():
        kim = Contact(name="Kim Lee")
        session.add(kim)
        session.flush()
        number = kim.id
    incident = declare(scenario)
    worker.send_all()
    [first] = slack.messages
    assert slack.pinned == [first]
    session.rollback()
    with writing():
        session.get_one(Incident, incident.id).commander_id = number
    post(incident.code, "identified")
    worker.send_all()
    head = "SEV1 · Identified: Payments fail · Incident commander: Kim Lee"
    assert slack.threads()[0][0] == head
    assert slack.pinned == [first]
    post(incident.code, "resolved")
    worker.send_all()
    assert slack.pinned == []
    lifecycle.reopen(
        incident.code, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, "again")
    )
    worker.send_all()
    assert slack.pinned == [first]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Payments fail!", "inc-20260304-payments-fail"),
        ("Zahlungen für Käufer", "inc-20260304-zahlungen-fur-kaufer"),
        ("決済ができません", "inc-20260304-c00000000001"),
        ("x" * 100, f"inc-20260304-{'x' * 57}"),
    ],
)
def test_a_channel_is_named_as_slack_takes_it(title: str, name: str) -> None:
    incident = Incident(code="c00000000001", title=title, started_at=NOON, is_drill=False)
    assert channel_name(incident) == name
    incident.is_drill = True
    assert channel_name(incident).startswith("drill-20260304-")


class TestIncidentChannels:
    """Where each incident has a channel of its own."""

    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return {
            **environ,
            "CHAT_URLS": "slack-bot://C0123456789 slack-bot://C0123456780",
            "SLACK_INCIDENT_CHANNELS": "yes",
        }

    def test_one_is_opened_for_all_rooms_and_linked_in_each(
        self, scenario: Scenario, worker: Dispatcher, slack: FakeSlack
    ) -> None:
        slack.channels.clear()
        code = declare(scenario).code
        worker.send_all()
        post(code, "identified")
        worker.send_all()
        assert list(slack.channels) == ["inc-20260304-payments-fail"]
        [own] = slack.channels.values()
        firsts = [one for one in slack.messages.values() if one.thread is None]
        linked = {one.channel for one in firsts if f"app_redirect?channel={own}" in one.text}
        assert {one.channel for one in firsts} == {"C0123456789", "C0123456780", own}
        assert linked == {"C0123456789", "C0123456780"}


def test_a_death_before_the_record_doubles_one_message_at_most(
    app: Flask, scenario: Scenario, worker: Dispatcher, slack: FakeSlack, settings: Settings,
    session: Session, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    code = declare(scenario).code
    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "record_outcomes", die)
        worker.send_all()
    restarted = Dispatcher(app, 7, {Channel.CHAT: open_lanes(settings)[Channel.CHAT]})
    assert restarted.rescue() == 1
    session.rollback()
    assert retry.settle_due() == 1
    assert restarted.send_all() == 1
    post(code, "identified")
    restarted.send_all()
    assert slack.threads() == [
        ("SEV1 · Investigating: Payments fail", []),
        ("SEV1 · Identified: Payments fail", ["SEV1 · Identified: Payments fail"]),
    ]


def die(*_: object, **__: object) -> None:
    raise RuntimeError("the process is gone")


def test_what_slack_may_have_taken_is_posted_once_more_without_waiting_for_news(
    scenario: Scenario, worker: Dispatcher, slack: FakeSlack, session: Session, frozen: Traveller
) -> None:
    slack.script.append(DROP)
    declare(scenario)
    worker.send_all()
    session.rollback()
    assert retry.settle_due() == 1
    frozen.shift(minutes(1))
    assert worker.send_all() == 1
    assert len(slack.messages) == 2


def test_a_drills_thread_says_what_it_is(
    scenario: Scenario, worker: Dispatcher, slack: FakeSlack, settings: Settings
) -> None:
    declare(scenario, drill=Drill([], list(settings.chat_rooms)))
    worker.send_all()
    assert slack.threads() == [("[DRILL] SEV1 · Investigating: Payments fail", [])]


def test_an_archived_channel_waits_for_a_person_and_loses_nothing(
    scenario: Scenario, worker: Dispatcher, slack: FakeSlack, session: Session, frozen: Traveller
) -> None:
    slack.script.append("is_archived")
    declare(scenario)
    worker.send_all()
    [row] = session.scalars(select(Delivery).filter_by(channel=Channel.CHAT))
    assert row.state is DeliveryState.PENDING
    [alarm] = alarms.open_alarms(session)
    assert alarm.text == (
        "Chat room 1 of CHAT_URLS takes no messages: Slack answered is_archived and did not take "
        "the message. Nothing is lost; it’s retried, and other rooms aren’t affected."
    )
    assert control.may_send(session, Channel.CHAT)
    session.rollback()
    frozen.shift(minutes(2))
    worker.send_all()
    assert len(slack.messages) == 1
    assert alarms.open_alarms(session) == []


def test_the_alarm_of_a_room_that_is_not_used_any_more_ends(
    scenario: Scenario, worker: Dispatcher, slack: FakeSlack, settings: Settings, session: Session
) -> None:
    slack.script.append("is_archived")
    declare(scenario)
    worker.send_all()
    with writing() as session:
        control.forget_rooms(session, settings.chat_rooms)
    assert len(alarms.open_alarms(session)) == 1
    session.rollback()
    with writing() as session:
        control.forget_rooms(session, [])
    assert alarms.open_alarms(session) == []
