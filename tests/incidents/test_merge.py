"""Merging: two that turn out to be one end as one, and whoever it concerns hears so once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session, writing
from statuspage.core.enums import ComponentStatus, IncidentStatus, SubscriberState, Visibility
from statuspage.core.errors import Invalid
from statuspage.incidents import component_log, lifecycle
from statuspage.incidents import merge as merge_incidents
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.merge import merge_targets
from statuspage.incidents.publish import Submission
from statuspage.models import Component, ComponentChange, FollowedIncident, Incident, Subscriber
from tests.announcing import ACTOR, Scenario, declare, mails, post, resolve, set_up_scenario
from tests.factories import NOON

DOWN, SLOW = ComponentStatus.MAJOR_OUTAGE, ComponentStatus.DEGRADED_PERFORMANCE


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    scenario = set_up_scenario(app, customers=1)
    with app.app_context():
        yield scenario


@pytest.fixture
def two(scenario: Scenario) -> tuple[str, str]:
    """A SEV1 at the checkout, and a lesser one at the catalog that it turns out to be part of."""
    grave = declare(scenario).code
    lesser = declare(
        scenario, title="Slow", severity_rank=2, components={scenario.catalog: SLOW}
    ).code
    return grave, lesser


def merge(code: str, into: str, key: str = "a sheet", **seen: int) -> None:
    merge_incidents.merge(code, into, Submission(ACTOR, key, **seen))


def incident(code: str) -> Incident:
    return current_session().scalars(select(Incident).filter_by(code=code)).one()


def test_the_one_ends_and_the_other_takes_over(two: tuple[str, str], scenario: Scenario) -> None:
    grave, lesser = two
    merge(grave, lesser)
    merge(grave, lesser)
    merged, into = incident(grave), incident(lesser)
    assert (merged.status, merged.merged_into, merged.next_update_at) == ("resolved", lesser, None)
    assert (into.status, into.severity_name, into.worst_rank) == ("investigating", "SEV1", 1)
    assert {row.component_id: row.status for row in into.affected} == {
        scenario.checkout: DOWN, scenario.catalog: SLOW,
    }  # fmt: skip
    assert [len(one.updates) for one in (merged, into)] == [2, 2]
    assert f"/incidents/{lesser}" in merged.updates[-1].body
    assert f"/incidents/{grave}" in into.updates[-1].body
    # Nobody is mailed by it, and nothing is back yet.
    assert mails() == []
    assert current_session().get_one(Component, scenario.checkout).status is DOWN


def test_whoever_would_hear_of_the_end_of_either_hears_once(two: tuple[str, str]) -> None:
    grave, lesser = two
    merge(grave, lesser)
    resolve(lesser)
    # One uses everything, one the checkout, one the catalog.
    assert mails() == ["c1@example.com", "reader@example.com", "shopper@example.com"]


def test_what_concerned_everybody_still_does(scenario: Scenario) -> None:
    everything = declare(scenario, components={}).code
    lesser = declare(scenario, severity_rank=2).code
    merge(everything, lesser)
    resolve(lesser)
    assert mails() == ["c1@example.com", "reader@example.com", "shopper@example.com"]


def test_followers_come_along(two: tuple[str, str]) -> None:
    grave, lesser = two
    with writing() as session:
        sam = Subscriber(
            address="sam@example.com", email="sam@example.com", state=SubscriberState.CONFIRMED,
            incidents=False,
        )  # fmt: skip
        session.add(sam)
        session.flush()
        session.add(FollowedIncident(subscriber_id=sam.id, incident_id=incident(grave).id))
    merge(grave, lesser)
    resolve(lesser)
    assert mails().count("sam@example.com") == 1


def test_no_component_is_shown_as_back_in_between(
    two: tuple[str, str], scenario: Scenario, frozen: Traveller
) -> None:
    grave, lesser = two
    frozen.shift(timedelta(minutes=10))
    merge(grave, lesser)
    frozen.shift(timedelta(minutes=10))
    resolve(lesser)
    changes = select(ComponentChange.status).where(
        ComponentChange.component_id == scenario.checkout
    )
    in_order = changes.order_by(ComponentChange.at)
    assert current_session().scalars(in_order).all() == [DOWN, ComponentStatus.OPERATIONAL]
    # Told anew from the posts alone, it is the same.
    with writing() as session:
        component_log.rewrite(session, [scenario.checkout], since=NOON)
    assert current_session().scalars(in_order).all() == [DOWN, ComponentStatus.OPERATIONAL]


def test_there_is_no_circle(two: tuple[str, str]) -> None:
    grave, lesser = two
    merge(grave, lesser)
    with pytest.raises(Invalid, match="Both must be open"):
        merge(lesser, grave, key="back")
    with pytest.raises(Invalid, match="Choose another"):
        merge(lesser, lesser, key="itself")


def test_nothing_internal_becomes_public(scenario: Scenario, two: tuple[str, str]) -> None:
    hidden = declare(scenario, visibility=Visibility.INTERNAL).code
    with pytest.raises(Invalid, match="Both must be public"):
        merge(hidden, two[0])
    assert [one.code for one in merge_targets(current_session(), incident(two[0]))] == [two[1]]


def test_it_is_not_merged_over_somebody_elses_post(two: tuple[str, str]) -> None:
    grave, lesser = two
    seen = incident(grave).version
    post(grave, "identified")
    with pytest.raises(Conflict):
        merge(grave, lesser, seen_version=seen)


def test_opened_again_it_is_its_own_once_more(two: tuple[str, str]) -> None:
    grave, lesser = two
    merge(grave, lesser)
    lifecycle.reopen(grave, NewUpdate(IncidentStatus.IDENTIFIED), Submission(ACTOR, "again"))
    assert (incident(grave).merged_into, incident(grave).is_open) == (None, True)
