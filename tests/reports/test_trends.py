"""Figures of months, held against a slow and obvious count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import Visibility
from statuspage.incidents.promises import record_of
from statuspage.models import Incident, IncidentTag
from statuspage.reports.trends import Share, StepTime, Trends, months_before, read_trends
from tests.factories import (
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
)

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
SINCE = date(2026, 2, 1)


def read(session: Session) -> Trends:
    return read_trends(session, since=SINCE, now=NOW, zone=NEW_YORK)


@pytest.fixture
def page(app: Flask) -> Iterator[None]:
    with app.app_context():
        with writing() as session:
            make_page(session)
        yield


def test_a_year_begins_eleven_months_before_this_one() -> None:
    assert months_before(date(2026, 5, 20), 12) == date(2025, 6, 1)
    assert months_before(date(2026, 1, 31), 3) == date(2025, 11, 1)


@pytest.mark.usefixtures("page")
def test_without_incidents_every_month_is_there_and_empty(session: Session) -> None:
    found = read(session)
    assert [month.first.month for month in found.months] == [2, 3, 4, 5]
    assert (found.incidents, found.minutes, found.promises) == (0, 0, 0)
    assert found.times[0] == StepTime("Time to detect", 0, None, None)


@pytest.mark.usefixtures("page")
def test_an_incident_counts_in_the_month_of_its_start_in_the_pages_zone(session: Session) -> None:
    with writing() as transaction:
        make_incident(
            transaction,
            updates=("investigating", "resolved"),
            # March in UTC, and still February in New York.
            started_at=datetime(2026, 3, 1, 3, tzinfo=UTC),
            step_minutes=90,
        )
    found = read(session)
    assert [(month.incidents, month.minutes) for month in found.months] == [
        (1, 90), (0, 0), (0, 0), (0, 0),
    ]  # fmt: skip


@pytest.mark.usefixtures("page")
def test_what_did_not_happen_to_customers_is_left_out(session: Session) -> None:
    start = NOW - timedelta(days=3)
    with writing() as transaction:
        make_incident(transaction, "A drill", started_at=start, is_drill=True)
        make_incident(transaction, "A false alarm", started_at=start, cancelled_at=start)
        make_incident(transaction, "A part of another", started_at=start, merged_into="other")
        make_incident(transaction, "Too long ago", started_at=NOW - timedelta(days=200))
        make_maintenance(transaction, scheduled_for=start)
    found = read(session)
    assert found.incidents == 0
    assert [month.maintenances for month in found.months] == [0, 0, 0, 1]


@pytest.mark.usefixtures("page")
def test_an_open_incident_counts_until_now_and_has_no_time_to_resolve(session: Session) -> None:
    with writing() as transaction:
        checkout = make_component(transaction, "Checkout")
        make_incident(
            transaction, started_at=NOW - timedelta(minutes=40), components=[checkout],
            severity_rank=1, severity_name="SEV1",
        )  # fmt: skip
    found = read(session)
    assert found.severities == [Share("SEV1", 1, 40)]
    assert found.components == [Share("Checkout", 1, 40)]
    assert found.times[-1].count == 0


@pytest.mark.usefixtures("page")
def test_no_time_to_the_first_update_is_made_up(session: Session) -> None:
    start = NOW - timedelta(days=2)
    with writing() as transaction:
        make_incident(transaction, "Imported", started_at=start, origin="x", origin_id="1")
        make_incident(transaction, "Internal", started_at=start, visibility=Visibility.INTERNAL)
        make_incident(
            transaction,
            "Told after ten minutes",
            started_at=start,
            updates=[{"status": "investigating", "happened_at": start + timedelta(minutes=10)}],
        )
    assert read(session).times[1] == StepTime(
        "Time to the first public update", 1, timedelta(minutes=10), timedelta(minutes=10)
    )


@pytest.mark.usefixtures("page")
def test_components_of_one_name_in_two_groups_count_apart(session: Session) -> None:
    with writing() as transaction:
        parts = [
            make_component(transaction, "API", group_id=make_group(transaction, name).id)
            for name in ("Europe", "America")
        ]
        make_incident(transaction, started_at=NOW - timedelta(minutes=40), components=parts)
    found = read(session).components
    assert found == [Share("America - API", 1, 40), Share("Europe - API", 1, 40)]


@dataclass
class Made:
    started: datetime
    resolved: datetime | None
    components: set[str]


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("seed", range(4))
def test_random_histories_are_counted_as_slowly_as_by_hand(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    made: list[Made] = []
    with writing() as transaction:
        parts = [make_component(transaction, f"Part {number}") for number in range(3)]
        # The clocks change in New York on March 8.
        for _ in range(25):
            started = NOW - timedelta(minutes=chance.randrange(200 * 24 * 60))
            length = timedelta(minutes=chance.randrange(1, 3_000))
            is_over = started + length < NOW
            chosen = chance.sample(parts, chance.randrange(4))
            steps = ["investigating", *(["resolved"] if is_over else [])]
            make_incident(
                transaction, updates=steps, started_at=started, components=chosen,
                step_minutes=length / timedelta(minutes=1),
            )  # fmt: skip
            names = {part.name for part in chosen}
            made.append(Made(started, started + length if is_over else None, names))
    begun = [one for one in made if one.started.astimezone(NEW_YORK).date() >= SINCE]
    found = read(session)
    for month in found.months:
        mine = [
            one for one in begun
            if one.started.astimezone(NEW_YORK).date().replace(day=1) == month.first
        ]  # fmt: skip
        lengths = [(one.resolved or NOW) - one.started for one in mine]
        assert month.incidents == len(mine)
        assert month.minutes == int(sum(lengths, timedelta()).total_seconds()) // 60
    for share in found.components:
        assert share.incidents == sum(share.name in one.components for one in begun)
    over = sorted(one.resolved - one.started for one in begun if one.resolved)
    slow = next(one for one in over if 10 * sum(each <= one for each in over) >= 9 * len(over))
    resolve = found.times[-1]
    assert (resolve.count, resolve.ninetieth) == (len(over), slow)
    assert 2 * sum(one <= resolve.median for one in over if resolve.median) >= len(over)
    assert 2 * sum(one >= resolve.median for one in over if resolve.median) >= len(over)


@pytest.mark.usefixtures("page")
def test_promises_are_counted_as_each_incident_counts_them(session: Session) -> None:
    chance = random.Random(7)
    with writing() as transaction:
        for number in range(6):
            started = NOW - timedelta(days=number + 1)
            updates = [
                {
                    "status": "identified",
                    "happened_at": started + timedelta(minutes=20 * place),
                    "next_update_at": started
                    + timedelta(minutes=20 * place + chance.choice((10, 20, 30))),
                }
                for place in range(4)
            ]
            make_incident(transaction, started_at=started, updates=updates)
    records = [record_of(incident, NOW) for incident in session.query(Incident)]
    came = [one for record in records for one in record.promises if not one.is_waited_for]
    found = read(session)
    assert found.promises == len(came) == 18
    assert found.promises_kept == sum(record.kept for record in records)


@pytest.mark.usefixtures("page")
def test_an_incident_counts_for_each_of_its_tags_and_for_its_cause(session: Session) -> None:
    start = NOW - timedelta(days=2)
    with writing() as transaction:
        for length, tags, cause in ((30, "ab", "Network"), (60, "b", ""), (90, "", "Network")):
            made = make_incident(
                transaction, updates=("investigating", "resolved"), started_at=start,
                step_minutes=length, cause_category=cause,
            )  # fmt: skip
            made.tagged = [IncidentTag(tag=tag) for tag in tags]
        drill = make_incident(transaction, started_at=start, is_drill=True)
        drill.tagged = [IncidentTag(tag="a")]
    found = read(session)
    assert found.tags == [Share("b", 2, 90), Share("a", 1, 30)]
    assert found.causes == [Share("Network", 2, 120), Share("Unknown", 1, 60)]
