"""The report of a month, held against a slow and obvious count."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from statuspage.core.db import db, writing
from statuspage.core.enums import ComponentStatus
from statuspage.models import Component, ComponentChange
from statuspage.public.days import following_month, midnight
from statuspage.public.uptime import DOWN
from statuspage.reports.monthly import Measured, MonthlyReport, UptimeRow, measure, read_report
from tests.factories import make_component, make_group, make_incident, make_maintenance, make_page
from tests.statements import noted

NEW_YORK = ZoneInfo("America/New_York")
# The clocks change in New York on March 8.
MARCH = date(2026, 3, 1)
SINCE, END = midnight(MARCH, NEW_YORK), midnight(following_month(MARCH), NEW_YORK)
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
UP, PARTIAL, MAJOR = (
    ComponentStatus.OPERATIONAL, ComponentStatus.PARTIAL_OUTAGE, ComponentStatus.MAJOR_OUTAGE,
)  # fmt: skip


def read(
    session: Session, month: date = MARCH, *, now: datetime = NOW, **targets: str
) -> MonthlyReport:
    return read_report(session, month, now=now, zone=NEW_YORK, targets=targets)


@pytest.fixture
def page(app: Flask) -> Iterator[None]:
    with app.app_context():
        with writing() as session:
            make_page(session)
        yield


def log(session: Session, component: Component, *changes: tuple[datetime, ComponentStatus]) -> None:
    session.add_all(
        ComponentChange(component_id=component.id, at=at, status=status) for at, status in changes
    )


def by_name(report: MonthlyReport) -> dict[str, UptimeRow]:
    return {row.name: row for row in report.rows}


@pytest.mark.parametrize("seed", range(6))
def test_random_logs_are_counted_as_slowly_as_minute_by_minute(seed: int) -> None:
    chance = random.Random(seed)
    minutes = int((END - SINCE) / timedelta(minutes=1))
    assert minutes == 31 * 24 * 60 - 60

    def moment() -> datetime:
        return SINCE + timedelta(minutes=chance.randrange(-9_000, minutes + 3_000))

    states = list(ComponentStatus)
    changes = sorted((moment(), chance.choice(states)) for _ in range(12))
    windows = [
        (begins, begins + timedelta(minutes=chance.randrange(1, 4_000)))
        for begins in (moment() for _ in range(chance.randrange(5)))
    ]
    known = down = 0
    for number in range(minutes):
        at = SINCE + timedelta(minutes=number)
        before = [status for changed, status in changes if changed <= at]
        if before and not any(begins <= at < ends for begins, ends in windows):
            known += 60_000_000
            down += 60_000_000 * DOWN.get(before[-1], 0)
    assert measure(changes, windows, SINCE, END) == Measured(known, down)


@pytest.mark.usefixtures("page")
def test_a_component_and_its_group_are_held_against_their_targets(session: Session) -> None:
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    with writing() as transaction:
        group = make_group(transaction, "Shop")
        pay, cart, alone = (
            make_component(transaction, name, group_id=parent)
            for name, parent in (("Pay", group.id), ("Cart", group.id), ("Alone", None))
        )
        early = datetime(2026, 1, 1, tzinfo=UTC)
        log(transaction, pay, (early, UP), (noon, MAJOR), (noon + timedelta(hours=1), UP))
        log(transaction, cart, (early, UP), (noon, PARTIAL), (noon + timedelta(hours=1), UP))
        codes = {name: one.code for name, one in (("group", group), ("pay", pay), ("cart", cart))}
    targets = {codes["pay"]: "99.9", codes["cart"]: "99.9", codes["group"]: "99.9"}
    rows = by_name(read(session, **targets))
    hour, whole = Fraction(1, 743), END - SINCE
    assert whole == timedelta(hours=743)
    assert rows["Shop - Pay"].measured.ratio == 1 - hour
    assert rows["Shop - Cart"].measured.ratio == 1 - hour * 30 / 100
    assert rows["Shop"].measured.ratio == 1 - hour * 65 / 100
    assert [rows[name].is_met for name in ("Shop - Pay", "Shop - Cart", "Shop")] == [
        False, True, True,
    ]  # fmt: skip
    assert (rows["Shop - Pay"].measured.down_minutes, rows["Shop"].is_group) == (60, True)
    assert (rows["Alone"].measured.percent, rows["Alone"].is_met) == (None, None)
    assert alone.removed_at is None


@pytest.mark.usefixtures("page")
def test_a_component_counts_until_it_was_removed_and_maintenance_not_at_all(
    session: Session,
) -> None:
    gone = SINCE + timedelta(days=10)
    with writing() as transaction:
        old = make_component(transaction, "Old", removed_at=gone)
        long_gone = make_component(transaction, "Long gone", removed_at=SINCE)
        early = datetime(2026, 1, 1, tzinfo=UTC)
        log(transaction, old, (early, UP), (gone - timedelta(days=1), MAJOR))
        log(transaction, long_gone, (early, MAJOR))
        make_maintenance(
            transaction, components=[old], scheduled_for=gone - timedelta(days=1),
            scheduled_until=gone - timedelta(hours=12),
        )  # fmt: skip
    rows = by_name(read(session))
    assert list(rows) == ["Old"]
    assert rows["Old"].is_removed
    assert rows["Old"].measured.ratio == 1 - Fraction(12, 240 - 12)
    (row,) = read_report(
        session, MARCH, now=NOW, zone=NEW_YORK, targets={}, excludes_maintenance=False
    ).rows
    assert row.measured.ratio == 1 - Fraction(24, 240)


@pytest.mark.usefixtures("page")
def test_the_present_month_counts_until_now(session: Session) -> None:
    with writing() as transaction:
        part = make_component(transaction)
        log(transaction, part, (datetime(2026, 1, 1, tzinfo=UTC), MAJOR))
        make_incident(transaction, started_at=NOW - timedelta(minutes=40))
        make_incident(transaction, "Earlier", started_at=datetime(2026, 5, 1, 2, tzinfo=UTC))
    found = read(session, date(2026, 5, 1))
    assert found.until == NOW
    assert [row.title for row in found.incidents] == ["Payments fail"]
    assert (found.minutes, found.rows[0].measured.percent) == (40, "0.00")
    assert [row.title for row in read(session, date(2026, 4, 1)).incidents] == ["Earlier"]


@pytest.mark.usefixtures("page")
def test_the_statements_do_not_grow_with_incidents_and_components(session: Session) -> None:
    counts = []
    for number in range(2):
        with writing() as transaction:
            for place in range(1 + 7 * number):
                part = make_component(transaction, f"Part {number} {place}")
                make_incident(
                    transaction, updates=("investigating", "resolved"), components=[part],
                    started_at=SINCE + timedelta(hours=place),
                )  # fmt: skip
        session.expire_all()
        with noted(db.engine) as statements:
            read(session)
        counts.append(len(statements))
    assert counts[0] == counts[1]
