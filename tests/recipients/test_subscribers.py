"""What somebody may ask for, and what the list of subscribers tells of it."""

from __future__ import annotations

import csv

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from statuspage.core.enums import Impact, SubscribedUpdates, SubscriberState, Visibility
from statuspage.core.errors import Invalid
from statuspage.recipients import subscribers
from statuspage.recipients.subscribers import (
    SubscriptionPreferences,
    apply_preferences,
    check_preferences,
    preferences_of,
)
from tests.announcing import Scenario, declare, set_up_scenario
from tests.configuration_edits import ACTOR, last_entry
from tests.subscribing import add_subscriber, subscriber


@pytest.fixture
def scenario(app: Flask, frozen: time_machine.Traveller) -> Scenario:
    return set_up_scenario(app)


@pytest.mark.parametrize(
    ("preferences", "field"),
    [
        (SubscriptionPreferences(incidents=False, maintenance=False), "kinds"),
        (SubscriptionPreferences(components=frozenset({4711})), "components"),
        (SubscriptionPreferences(follows=frozenset({4711})), "follows"),
        (SubscriptionPreferences(time_zone="Moon/Base"), "time_zone"),
        (SubscriptionPreferences(language="xx-nonsense"), "language"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_field(
    session: Session, scenario: Scenario, preferences: SubscriptionPreferences, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_preferences(session, preferences)
    assert refused.value.field == field


def test_an_internal_incident_cannot_be_followed(session: Session, scenario: Scenario) -> None:
    hidden = declare(scenario, visibility=Visibility.INTERNAL)
    wanted = SubscriptionPreferences(
        incidents=False, maintenance=False, follows=frozenset({hidden.id})
    )
    with pytest.raises(Invalid, match="can no longer subscribe"):
        check_preferences(session, wanted)


def test_what_is_asked_for_takes_the_place_of_all_that_was_asked_before(
    session: Session, scenario: Scenario
) -> None:
    incident = declare(scenario)
    add_subscriber(components=[scenario.checkout, scenario.catalog])
    row = subscriber()
    wanted = SubscriptionPreferences(
        maintenance=False,
        updates=SubscribedUpdates.LAST,
        least_impact=Impact.MAJOR,
        components=frozenset({scenario.catalog}),
        follows=frozenset({incident.id}),
        time_zone="Asia/Tokyo",
    )
    apply_preferences(row, wanted)
    assert (preferences_of(row), row.all_components) == (wanted, False)
    apply_preferences(row, SubscriptionPreferences())
    assert (preferences_of(row), row.all_components) == (SubscriptionPreferences(), True)
    session.rollback()


def test_subscribers_are_found_by_address_and_state_page_by_page(
    session: Session, scenario: Scenario
) -> None:
    for letter in "cab":
        add_subscriber(f"{letter}%@example.com")
    add_subscriber("left@example.org", state=SubscriberState.UNSUBSCRIBED)

    def found(**options: object) -> tuple[list[str], str | None, str | None]:
        page = subscribers.search_subscribers(session, **options)  # type: ignore[arg-type]
        return [one.email[0] for one in page.subscribers], page.before, page.after

    assert found(text="%@EXAMPLE.com") == (["a", "b", "c"], None, None)
    assert found(state=SubscriberState.UNSUBSCRIBED) == (["l"], None, None)
    assert found(page_size=2) == (["a", "b"], None, "b%@example.com")
    assert found(page_size=2, after="b%@example.com") == (["c", "l"], "c%@example.com", None)
    assert subscribers.count_by_state(session) == {
        SubscriberState.PENDING: 0,
        SubscriberState.CONFIRMED: 3,
        SubscriberState.UNSUBSCRIBED: 1,
    }


def test_an_export_says_of_each_what_they_asked_for(session: Session, scenario: Scenario) -> None:
    add_subscriber(
        components=[scenario.catalog], incidents=False, language="de", time_zone="Asia/Tokyo"
    )
    (row,) = csv.DictReader(subscribers.export_subscribers(session))
    told = {name: value for name, value in row.items() if not name.endswith("_at")}
    assert told == {
        "email": "sam@example.com", "state": "confirmed", "components": "Catalog",
        "incidents": "", "least_impact": "", "maintenance": "yes", "follows": "",
        "language": "de", "time_zone": "Asia/Tokyo",
    }  # fmt: skip


def test_who_is_forgotten_is_named_in_the_trail_and_cannot_be_forgotten_twice(
    session: Session, scenario: Scenario
) -> None:
    add_subscriber()
    key = subscriber().id
    subscribers.remove_subscriber(key, actor=ACTOR)
    entry = last_entry(session)
    assert (entry.action, entry.subject) == ("subscriber.remove", "sam@example.com")
    with pytest.raises(LookupError, match=f"no subscriber {key}"):
        subscribers.remove_subscriber(key, actor=ACTOR)
