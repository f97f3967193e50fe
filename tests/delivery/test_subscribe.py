"""Subscribing: double opt-in, limits, and that whoever asks learns nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import alarms, visitor_limits
from statuspage.access.visitor_limits import TooManyVisitors
from statuspage.core.db import writing
from statuspage.core.enums import DeliveryState, SubscribedUpdates, SubscriberState
from statuspage.core.errors import Invalid
from statuspage.delivery import subscribe
from statuspage.delivery.subscribe import Scenario as Step
from statuspage.models import AuditEntry, Delivery, Subscriber, Suppression
from statuspage.models.delivery import LANE_URGENT
from statuspage.recipients.subscribers import (
    SubscriptionPreferences,
    preferences_of,
    remove_subscriber,
)
from tests.actors import acting
from tests.announcing import Scenario, declare, set_up_scenario
from tests.subscribing import (
    SAM,
    add_subscriber,
    ask,
    join,
    newest_link,
    sign_up_mails,
    subscriber,
)

DAY = timedelta(days=1)


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app, customers=1)


def steps(address: str = SAM) -> list[str]:
    return [message.step.value for _, message in sign_up_mails(address)]


def test_asking_queues_one_mail_ahead_of_all_news(session: Session, scenario: Scenario) -> None:
    ask("Sam@Example.com")
    ((delivery, message),) = sign_up_mails()
    assert (delivery.email, delivery.lane) == ("Sam@Example.com", LANE_URGENT)
    assert message.subject == "Confirm your subscription to Acme"
    assert subscriber().state is SubscriberState.PENDING


def test_the_mail_says_nothing_that_a_visitor_typed(session: Session, scenario: Scenario) -> None:
    ask("buy-now!=cheap@example.com")
    ask("other@example.com")
    (first,) = sign_up_mails("buy-now!=cheap@example.com")
    (second,) = sign_up_mails("other@example.com")
    assert first[1].id == second[1].id
    assert "cheap" not in first[1].subject + first[1].text + first[1].html
    assert first[0].name == ""


def test_the_link_confirms_once(session: Session, scenario: Scenario) -> None:
    ask(
        preferences=SubscriptionPreferences(
            maintenance=False, components=frozenset({scenario.checkout})
        )
    )
    token = newest_link()
    found = subscribe.find_subscription(session, token)
    assert found is not None
    assert found.scenario is Step.TO_CONFIRM
    assert subscriber().state is SubscriberState.PENDING
    confirmed = subscribe.confirm(token)
    assert (confirmed.scenario, confirmed.email) == (Step.CONFIRMED, SAM)
    assert preferences_of(subscriber()) == SubscriptionPreferences(
        maintenance=False, components=frozenset({scenario.checkout})
    )
    subscribe.unsubscribe_by_link(token)
    assert subscribe.confirm(token).scenario is Step.UNSUBSCRIBED
    assert subscriber().state is SubscriberState.UNSUBSCRIBED


def test_only_a_hash_of_the_link_is_kept(session: Session, scenario: Scenario) -> None:
    ask()
    token = newest_link()
    assert subscriber().token_hash == sha256(token.encode()).hexdigest()
    subscribe.confirm(token)
    assert subscriber().token_hash is None


def test_the_link_ends_after_48_hours(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    ask()
    token = newest_link()
    frozen.shift(timedelta(hours=48) - timedelta(seconds=1))
    assert subscribe.find_subscription(session, token).scenario is Step.TO_CONFIRM  # type: ignore[union-attr]
    frozen.shift(timedelta(seconds=1))
    assert subscribe.confirm(token).scenario is Step.OVER
    assert subscriber().state is SubscriberState.PENDING


def test_a_newer_link_ends_the_older_one(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    ask()
    older = newest_link()
    frozen.shift(DAY)
    ask()
    assert subscribe.confirm(older).scenario is Step.OVER
    assert subscribe.confirm(newest_link()).scenario is Step.CONFIRMED


@pytest.mark.parametrize("token", ["", "1", "1-", "1-00", "x-y", "١-abc", "9" * 40 + "-a"])
def test_a_forged_link_is_none(session: Session, scenario: Scenario, token: str) -> None:
    ask()
    assert subscribe.find_subscription(session, token) is None
    for act in (subscribe.confirm, subscribe.unsubscribe_by_link, subscribe.resubscribe_by_link):
        with pytest.raises(LookupError):
            act(token)


def test_one_mail_a_day_and_three_in_all_until_it_is_confirmed(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    counts = []
    for _ in range(6):
        for _ in range(3):
            ask()
        counts.append(len(steps()))
        frozen.shift(DAY)
    assert counts == [1, 2, 3, 3, 3, 3]


def test_forgetting_the_unconfirmed_does_not_begin_the_count_anew(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    for _ in range(3):
        ask()
        frozen.shift(DAY)
    frozen.shift(8 * DAY)
    subscribe.forget_unconfirmed()
    ask()
    assert len(steps()) == 3
    frozen.shift(90 * DAY)
    ask()
    assert len(steps()) == 4


def test_who_confirmed_is_told_so_within_the_same_limits(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    join(preferences=SubscriptionPreferences(maintenance=False))
    frozen.shift(DAY)
    for _ in range(6):
        ask(preferences=SubscriptionPreferences(incidents=False))
        frozen.shift(DAY)
    assert steps() == ["confirm", "subscribed", "subscribed", "subscribed"]
    assert preferences_of(subscriber()) == SubscriptionPreferences(maintenance=False)


def test_who_left_is_asked_anew_and_written_to_only_once_they_confirm(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    subscribe.unsubscribe_by_link(join())
    frozen.shift(DAY)
    ask()
    assert steps() == ["confirm", "confirm"]
    assert sign_up_mails()[-1][0].state is DeliveryState.PENDING
    assert session.get(Suppression, SAM) is not None
    subscribe.confirm(newest_link())
    session.expire_all()
    assert session.get(Suppression, SAM) is None


@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_no_request_goes_to_an_address_that_takes_no_mail(
    session: Session, scenario: Scenario, kind: str
) -> None:
    with writing() as session:
        session.add(Suppression(address=SAM, kind=kind, reason="the provider said so"))
    ask()
    ((delivery, _),) = sign_up_mails()
    assert (delivery.state, delivery.reason) == (DeliveryState.SUPPRESSED, "the provider said so")


def test_a_client_is_held_back_after_thirty_and_its_network_counts_as_one(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    for number in range(30):
        ask(f"s{number}@example.com", client=f"2001:db8::{number}")
    with pytest.raises(TooManyVisitors) as refused:
        ask(client="2001:db8::ffff")
    assert refused.value.reason == ("Too many sign-ups from your network. Try again in 1 hour.")
    ask(client="2001:db8:0:1::1")
    frozen.shift(timedelta(hours=1))
    ask("late@example.com", client="2001:db8::1")
    assert len(steps("late@example.com")) == 1


def test_the_brake_holds_everybody_back_and_tells_the_operator(
    session: Session,
    scenario: Scenario,
    frozen: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visitor_limits, "MOST_BY_ALL", 3)
    for number in range(3):
        ask(f"s{number}@example.com", client=f"192.0.2.{number}")
    with pytest.raises(TooManyVisitors, match="Too many sign-ups at present"):
        ask(client="198.51.100.1")
    (alarm,) = alarms.open_alarms(session)
    assert alarm.text.startswith("More than 3 sign-ups of visitors came within an hour")
    frozen.shift(timedelta(hours=1, seconds=1))
    subscribe.forget_unconfirmed()
    assert alarms.open_alarms(session) == []
    ask(client="198.51.100.1")


@pytest.mark.parametrize(
    ("email", "preferences", "field"),
    [
        ("no address", SubscriptionPreferences(), "email"),
        ("", SubscriptionPreferences(), "email"),
        (SAM, SubscriptionPreferences(incidents=False, maintenance=False), "kinds"),
    ],
)
def test_what_cannot_be_wished_for_is_refused_by_field(
    session: Session,
    scenario: Scenario,
    email: str,
    preferences: SubscriptionPreferences,
    field: str,
) -> None:
    with pytest.raises(Invalid) as refused:
        ask(email, preferences)
    assert refused.value.field == field
    assert session.scalars(select(Delivery)).all() == []


def test_the_mail_to_who_wants_to_follow_names_the_incident(
    session: Session, scenario: Scenario
) -> None:
    incident = declare(scenario)
    ask(
        preferences=SubscriptionPreferences(
            incidents=False, maintenance=False, follows=frozenset({incident.id})
        )
    )
    ((_, message),) = sign_up_mails()
    assert message.subject == "Confirm: updates on Payments fail"


def test_what_is_heard_is_changed_by_a_link_and_noted(session: Session, scenario: Scenario) -> None:
    token = join()
    preferences = SubscriptionPreferences(
        updates=SubscribedUpdates.LAST,
        components=frozenset({scenario.catalog}),
        time_zone="Asia/Tokyo",
    )
    assert subscribe.change(token, preferences).preferences == preferences
    subscribe.change(token, preferences)
    entries = session.scalars(
        select(AuditEntry).filter_by(subject_kind="subscriber").order_by(AuditEntry.id)
    ).all()
    assert [entry.action for entry in entries] == ["subscriber.confirm", "subscriber.change"]
    assert entries[1].before["components"] == []
    assert entries[1].after["components"] == [scenario.catalog]


def test_nothing_is_changed_before_it_is_confirmed_or_after_it_is_left(
    session: Session, scenario: Scenario
) -> None:
    ask()
    preferences = SubscriptionPreferences(maintenance=False)
    assert subscribe.change(newest_link(), preferences).scenario is Step.TO_CONFIRM
    token = newest_link()
    subscribe.confirm(token)
    subscribe.unsubscribe_by_link(token)
    assert subscribe.change(token, preferences).scenario is Step.UNSUBSCRIBED
    assert preferences_of(subscriber()) == SubscriptionPreferences()


def test_who_left_returns_by_the_link_that_they_have(session: Session, scenario: Scenario) -> None:
    token = join()
    assert subscribe.unsubscribe_by_link(token).scenario is Step.UNSUBSCRIBED
    assert subscribe.resubscribe_by_link(token).scenario is Step.CONFIRMED
    assert subscriber().state is SubscriberState.CONFIRMED


def test_who_never_confirmed_is_not_made_a_subscriber_by_staying(
    session: Session, scenario: Scenario
) -> None:
    ask()
    token = newest_link()
    subscribe.unsubscribe_by_link(token)
    subscribe.resubscribe_by_link(token)
    assert subscriber().state is SubscriberState.UNSUBSCRIBED


def test_who_was_removed_finds_their_link_over(session: Session, scenario: Scenario) -> None:
    token = join()
    remove_subscriber(subscriber().id, actor=acting("Ada"))
    assert subscribe.confirm(token).scenario is Step.OVER
    assert session.scalars(select(Subscriber)).all() == []


def test_the_unconfirmed_are_forgotten_after_a_week_and_nobody_else(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    ask("asked@example.com", SubscriptionPreferences(components=frozenset({scenario.checkout})))
    add_subscriber("heard@example.com")
    add_subscriber("left@example.com", state=SubscriberState.UNSUBSCRIBED)
    frozen.shift(7 * DAY)
    assert subscribe.forget_unconfirmed() == 0
    frozen.shift(timedelta(seconds=1))
    assert subscribe.forget_unconfirmed() == 1
    left = sorted(session.scalars(select(Subscriber.address)))
    assert left == ["heard@example.com", "left@example.com"]


def test_asking_again_keeps_what_was_asked_first_where_no_mail_goes_out(
    session: Session, scenario: Scenario, frozen: time_machine.Traveller
) -> None:
    ask(preferences=SubscriptionPreferences(maintenance=False))
    ask(preferences=SubscriptionPreferences(incidents=False))
    assert preferences_of(subscriber()) == SubscriptionPreferences(maintenance=False)
    frozen.shift(DAY)
    ask(preferences=replace(SubscriptionPreferences(), incidents=False))
    assert preferences_of(subscriber()) == SubscriptionPreferences(incidents=False)
