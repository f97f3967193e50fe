"""Recurring maintenance: its dates, what is announced of it, changing and stopping it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.configuration import components
from statuspage.core.conflict import Conflict
from statuspage.core.enums import Audience, MaintenanceStatus, Step
from statuspage.core.errors import Invalid
from statuspage.incidents import maintenance, recurring
from statuspage.incidents.publish import Submission
from statuspage.incidents.recurring import SeriesPlan, Unit, announce_due, plan_of
from statuspage.models import Incident, MaintenanceSeries, Message
from tests.announcing import ACTOR, Scenario, set_up_scenario
from tests.factories import NOON, the_page

# A Tuesday; NOON is a Wednesday.
FIRST = datetime(2026, 3, 10, 21, 0, tzinfo=UTC)


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


def make_plan(scenario: Scenario, **changes: Any) -> SeriesPlan:
    values: dict[str, Any] = {
        "title": "Weekly upgrade",
        "what": "Checkout is slow.",
        "first_start": FIRST,
        "length_minutes": 120,
        "component_ids": (scenario.checkout,),
        **changes,
    }
    return SeriesPlan(**values)


def begin(scenario: Scenario, **changes: Any) -> MaintenanceSeries:
    return recurring.plan_series(make_plan(scenario, **changes), actor=ACTOR, form_key=uuid4().hex)


def incidents(session: Session) -> list[Incident]:
    session.expire_all()
    return list(session.scalars(select(Incident).order_by(Incident.id)))


def starts(session: Session) -> list[datetime]:
    return [incident.scheduled_for for incident in incidents(session) if incident.scheduled_for]


def dates(plan: SeriesPlan, zone: str = "UTC", most: int = 4) -> list[str]:
    found = recurring.preview_dates(plan, time_zone=zone, most=most)
    return [f"{at:%m-%d %H:%M}" for at in found]


def test_the_next_two_are_announced_each_as_its_own_incident(
    scenario: Scenario, session: Session
) -> None:
    begin(scenario)
    assert starts(session) == [FIRST, FIRST + timedelta(days=7)]
    first, second = incidents(session)
    assert first.code != second.code
    assert first.scheduled_until == FIRST + timedelta(hours=2)
    assert "Mar 10, 2026, 21:00 – 23:00 UTC (2 hours)" in first.updates[0].body
    assert [row.component_id for row in first.affected] == [scenario.checkout]


def test_when_one_is_over_the_next_is_announced(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    begin(scenario)
    assert announce_due() == 0
    frozen.move_to(FIRST)
    maintenance.advance_due()
    assert [announce_due(), announce_due()] == [1, 0]
    assert starts(session)[-1] == FIRST + timedelta(days=14)


def test_a_worker_that_was_down_for_weeks_announces_only_what_is_to_come(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    begin(scenario)
    frozen.move_to(FIRST + timedelta(days=30))
    for _ in range(8):
        maintenance.advance_due()
    assert announce_due() == 2
    assert starts(session)[2:] == [FIRST + timedelta(days=35), FIRST + timedelta(days=42)]


def test_wall_time_stays_when_the_clocks_change(scenario: Scenario, session: Session) -> None:
    the_page(session).time_zone = "Europe/Berlin"
    session.commit()
    begin(scenario, first_start=datetime(2026, 3, 24, 21, 0, tzinfo=UTC))
    assert starts(session) == [
        datetime(2026, 3, 24, 21, 0, tzinfo=UTC),
        datetime(2026, 3, 31, 20, 0, tzinfo=UTC),
    ]
    first, second = incidents(session)
    assert "Mar 24, 2026, 22:00 CET" in first.updates[0].body
    assert "Mar 31, 2026, 22:00 CEST" in second.updates[0].body


def test_a_time_that_the_clocks_skip_keeps_the_offset_before(scenario: Scenario) -> None:
    plan = make_plan(scenario, first_start=datetime(2026, 3, 22, 1, 30, tzinfo=UTC))
    # 02:30 in Berlin, which March 29 does not have.
    assert dates(plan, "Europe/Berlin", 3) == ["03-22 01:30", "03-29 01:30", "04-05 00:30"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"every": 2}, ["03-10", "03-24", "04-07", "04-21"]),
        ({"until": date(2026, 3, 17)}, ["03-10", "03-17"]),
        ({"unit": Unit.MONTHS_BY_DAY}, ["03-10", "04-10", "05-10", "06-10"]),
        (
            {"unit": Unit.MONTHS_BY_DAY, "first_start": datetime(2026, 3, 31, 21, tzinfo=UTC)},
            ["03-31", "04-30", "05-31", "06-30"],
        ),
        ({"unit": Unit.MONTHS_BY_WEEKDAY}, ["03-10", "04-14", "05-12", "06-09"]),
        (
            {"unit": Unit.MONTHS_BY_WEEKDAY, "first_start": datetime(2026, 3, 31, 21, tzinfo=UTC)},
            ["03-31", "04-28", "05-26", "06-30"],
        ),
        ({"unit": Unit.MONTHS_BY_DAY, "every": 3}, ["03-10", "06-10", "09-10", "12-10"]),
    ],
)
def test_the_dates_are_those_of_the_rule(
    scenario: Scenario, changes: dict[str, Any], expected: list[str]
) -> None:
    assert dates(make_plan(scenario, **changes)) == [f"{day} 21:00" for day in expected]


@pytest.mark.parametrize("unit", list(Unit))
def test_a_series_reads_back_as_it_was_planned(
    scenario: Scenario, session: Session, unit: Unit
) -> None:
    plan = make_plan(scenario, unit=unit, every=3, until=date(2026, 12, 24))
    kept = recurring.plan_series(plan, actor=ACTOR, form_key="once")
    assert plan_of(kept) == plan


def test_the_same_form_sent_twice_makes_one_series(scenario: Scenario, session: Session) -> None:
    for _ in range(2):
        recurring.plan_series(make_plan(scenario), actor=ACTOR, form_key="once")
    assert len(starts(session)) == 2


def test_changing_it_changes_what_has_not_begun(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    kept = begin(scenario)
    frozen.move_to(FIRST)
    maintenance.advance_due()
    announce_due()
    later = make_plan(scenario, first_start=FIRST + timedelta(hours=1), title="Nightly upgrade")
    recurring.change_series(kept.code, later, actor=ACTOR)
    running, second, third, *more = incidents(session)
    assert (running.title, running.scheduled_for) == ("Weekly upgrade", FIRST)
    # One that is to begin in an hour takes the place of the first; the others follow.
    assert [second.scheduled_for, third.scheduled_for] == [
        FIRST + timedelta(hours=1),
        FIRST + timedelta(days=7, hours=1),
    ]
    assert second.title == "Nightly upgrade"
    assert "Mar 10, 2026, 22:00 UTC – Mar 11, 2026, 00:00 UTC" in second.updates[-1].body
    assert more == []


def test_what_a_change_leaves_as_it_was_says_nothing(scenario: Scenario, session: Session) -> None:
    kept = begin(scenario)
    recurring.change_series(kept.code, make_plan(scenario, until=date(2027, 1, 1)), actor=ACTOR)
    assert [len(incident.updates) for incident in incidents(session)] == [1, 1]


def test_a_new_end_calls_off_what_lies_behind_it(scenario: Scenario, session: Session) -> None:
    kept = begin(scenario)
    recurring.change_series(kept.code, make_plan(scenario, until=FIRST.date()), actor=ACTOR)
    first, second = incidents(session)
    assert (first.cancelled_at, second.cancelled_at) == (None, NOON)
    assert announce_due() == 0


def test_other_components_are_named_by_what_has_not_begun(
    scenario: Scenario, session: Session
) -> None:
    kept = begin(scenario)
    plan = make_plan(scenario, component_ids=(scenario.catalog,))
    recurring.change_series(kept.code, plan, actor=ACTOR)
    assert [[row.component_id for row in incident.affected] for incident in incidents(session)] == [
        [scenario.catalog]
    ] * 2


def test_one_called_off_or_started_early_is_not_announced_again(
    scenario: Scenario, session: Session
) -> None:
    kept = begin(scenario)
    first, second = incidents(session)
    maintenance.cancel(first.code, Submission(ACTOR, "off"))
    maintenance.advance(second.code, MaintenanceStatus.IN_PROGRESS, Submission(ACTOR, "early"))
    recurring.change_series(kept.code, make_plan(scenario, title="Renamed"), actor=ACTOR)
    assert starts(session)[2:] == [FIRST + timedelta(days=14), FIRST + timedelta(days=21)]


def test_a_stopped_series_announces_no_more(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    kept = begin(scenario)
    for _ in range(2):
        recurring.stop_series(kept.code, actor=ACTOR)
    frozen.move_to(FIRST + timedelta(days=1))
    maintenance.advance_due()
    assert announce_due() == 0
    assert len(starts(session)) == 2
    with pytest.raises(Invalid, match="stopped"):
        recurring.change_series(kept.code, make_plan(scenario), actor=ACTOR)


def test_of_two_people_the_second_is_refused(scenario: Scenario, session: Session) -> None:
    kept = begin(scenario)
    seen = kept.version
    recurring.change_series(
        kept.code, make_plan(scenario, title="A"), actor=ACTOR, seen_version=seen
    )
    with pytest.raises(Conflict):
        recurring.change_series(
            kept.code, make_plan(scenario, title="B"), actor=ACTOR, seen_version=seen
        )


def test_two_workers_announce_each_occurrence_once(
    app: Flask, scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    begin(scenario)
    frozen.move_to(FIRST)
    maintenance.advance_due()
    session.commit()
    counts: list[int] = []

    def work() -> None:
        with app.app_context():
            counts.append(announce_due())

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counts) == 1
    assert len(starts(session)) == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"every": 0}, "every"),
        ({"every": 53}, "every"),
        ({"until": date(2026, 3, 9)}, "until"),
        ({"length_minutes": 0}, "length_minutes"),
        ({"length_minutes": 8 * 24 * 60}, "length_minutes"),
        ({"title": ""}, "title"),
        ({"what": ""}, "what"),
        ({"component_ids": (4711,)}, "components"),
        (
            {"first_start": NOON - timedelta(days=60), "until": date(2026, 2, 1)},
            "until",
        ),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(
    scenario: Scenario, session: Session, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        begin(scenario, **changes)
    assert refusal.value.field == field
    assert incidents(session) == []


SECOND, THIRD = FIRST + timedelta(days=7), FIRST + timedelta(days=14)


def test_an_announced_one_that_is_left_out_is_called_off_and_does_not_come_back(
    scenario: Scenario, session: Session
) -> None:
    kept = begin(scenario)
    for _ in range(2):
        recurring.leave_out(kept.code, SECOND, actor=ACTOR)
    assert announce_due() == 1
    first, second, third = incidents(session)
    assert [first.cancelled_at, second.cancelled_at, third.cancelled_at] == [None, NOON, None]
    assert "This maintenance has been cancelled." in second.updates[-1].body
    assert len(second.updates) == 2
    assert third.scheduled_for == THIRD
    assert kept.exdates == ["2026-03-17T21:00"]


def test_one_that_was_not_announced_is_left_out_in_silence(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    kept = begin(scenario)
    recurring.leave_out(kept.code, THIRD, actor=ACTOR)
    frozen.move_to(FIRST)
    maintenance.advance_due()
    assert announce_due() == 1
    assert starts(session) == [FIRST, SECOND, FIRST + timedelta(days=21)]


def test_what_was_left_out_can_be_taken_back_until_its_time(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    kept = begin(scenario)
    recurring.leave_out(kept.code, SECOND, actor=ACTOR)
    announce_due()
    for _ in range(2):
        recurring.take_back(kept.code, SECOND, actor=ACTOR)
    assert [announce_due(), announce_due()] == [1, 0]
    assert starts(session) == [FIRST, SECOND, THIRD, SECOND]
    assert [incident.status for incident in incidents(session)] == [
        "scheduled", "completed", "scheduled", "scheduled",
    ]  # fmt: skip
    recurring.leave_out(kept.code, SECOND, actor=ACTOR)
    frozen.move_to(SECOND)
    with pytest.raises(Invalid, match="passed"):
        recurring.take_back(kept.code, SECOND, actor=ACTOR)


def test_a_day_left_out_stays_so_when_the_time_of_day_changes(
    scenario: Scenario, session: Session
) -> None:
    kept = begin(scenario)
    recurring.leave_out(kept.code, SECOND, actor=ACTOR)
    later = make_plan(scenario, first_start=FIRST + timedelta(hours=1))
    recurring.change_series(kept.code, later, actor=ACTOR)
    assert starts(session)[-1] == THIRD + timedelta(hours=1)
    assert recurring.left_out(kept) == [SECOND + timedelta(hours=1)]
    other_day = make_plan(scenario, first_start=FIRST + timedelta(days=1))
    recurring.change_series(kept.code, other_day, actor=ACTOR)
    assert kept.exdates == []


def test_one_at_a_time_that_the_clocks_skip_can_be_left_out(
    scenario: Scenario, session: Session
) -> None:
    the_page(session).time_zone = "Europe/Berlin"
    session.commit()
    kept = begin(scenario, first_start=datetime(2026, 3, 22, 1, 30, tzinfo=UTC))
    skipped = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    recurring.leave_out(kept.code, skipped, actor=ACTOR)
    announce_due()
    assert skipped not in [
        incident.scheduled_for for incident in recurring.announced(session, kept)
    ]
    recurring.take_back(kept.code, skipped, actor=ACTOR)
    announce_due()
    assert skipped in [incident.scheduled_for for incident in recurring.announced(session, kept)]


@pytest.mark.parametrize("moment", [FIRST + timedelta(hours=1), FIRST - timedelta(days=7)])
def test_only_a_time_of_the_series_can_be_left_out(
    scenario: Scenario, session: Session, moment: datetime
) -> None:
    kept = begin(scenario)
    with pytest.raises(Invalid):
        recurring.leave_out(kept.code, moment, actor=ACTOR)
    assert kept.exdates == []


def test_the_reason_to_let_a_text_go_is_kept_with_each_announcement(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    leaks = {"what": "We restart db-01.prod.internal."}
    with pytest.raises(Invalid) as refusal:
        begin(scenario, **leaks)
    assert refusal.value.field == "text_public"
    begin(scenario, **leaks, because="Customers know this host.")
    frozen.move_to(FIRST)
    maintenance.advance_due()
    announce_due()
    announcements = session.scalars(
        select(Message).filter_by(step=Step.SCHEDULED, audience=Audience.PUBLIC)
    ).all()
    assert [one.override["reason"] for one in announcements] == ["Customers know this host."] * 3


def test_each_occurrence_verifies_as_the_series_does(scenario: Scenario, session: Session) -> None:
    kept = begin(scenario, verify_minutes=30)
    assert [incident.verify_minutes for incident in incidents(session)] == [30, 30]
    recurring.change_series(kept.code, make_plan(scenario, verify_minutes=45), actor=ACTOR)
    assert [incident.verify_minutes for incident in incidents(session)] == [45, 45]


def test_a_component_that_is_gone_keeps_no_series_from_being_announced(
    scenario: Scenario, session: Session, frozen: Traveller
) -> None:
    begin(scenario, component_ids=(scenario.checkout, scenario.catalog))
    components.remove_component(scenario.checkout, actor=ACTOR)
    frozen.move_to(FIRST)
    maintenance.advance_due()
    assert announce_due() == 1
    assert [row.component_id for row in incidents(session)[-1].affected] == [scenario.catalog]
