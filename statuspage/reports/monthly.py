"""The report of a month: uptime against its targets, incidents, and how well people were told.

A component counts from its first logged state until it was removed, within the month in the page's
zone; the present month counts until now.  What a state counts as down is the page's own rule
(docs/uptime.md).  Where maintenance is left out, the announced windows that affect a component are
neither up nor down.  A group counts as its components together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session, aliased

from statuspage.core.enums import (
    Audience,
    Channel,
    ComponentStatus,
    DeliveryState,
    Kind,
    Visibility,
)
from statuspage.messages.facts import SLIPS
from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    Delivery,
    Incident,
    IncidentComponent,
    Message,
)
from statuspage.public.days import following_month, midnight
from statuspage.public.uptime import DOWN, percent_of
from statuspage.reports.trends import COUNTS, StepTime, read_trends

_TICK: Final = timedelta(microseconds=1)
_OUTSIDE: Final = (Audience.PUBLIC, Audience.CUSTOMER)
_REACHED: Final = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)

Window = tuple[datetime, datetime]
Log = Sequence[tuple[datetime, ComponentStatus]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Microseconds of which anything is known, and hundredths of them that count as down."""

    known: int = 0
    down: int = 0

    def __add__(self, other: Measured) -> Measured:
        return Measured(self.known + other.known, self.down + other.down)

    @property
    def ratio(self) -> Fraction | None:
        """The part of the known time in which it was up; None where nothing is known."""
        return 1 - Fraction(self.down, 100 * self.known) if self.known else None

    @property
    def percent(self) -> str | None:
        """The same as people read it, rounded down."""
        return percent_of(self.ratio)

    @property
    def down_minutes(self) -> int:
        """How many whole minutes count as down."""
        return self.down * _TICK // 100 // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class UptimeRow:
    """A component, or a group of them, with its uptime and target in percent."""

    code: str
    name: str
    measured: Measured
    target: str = ""
    is_group: bool = False
    is_removed: bool = False

    @property
    def is_met(self) -> bool | None:
        """Whether the target was met; None where there is none, or nothing is known."""
        ratio = self.measured.ratio
        return ratio >= Fraction(self.target) / 100 if self.target and ratio is not None else None


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident that began in the month."""

    code: str
    title: str
    severity: str
    started_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """All figures of a month; ``emails`` are those about incidents to customers and subscribers."""

    month: date
    until: datetime
    rows: Sequence[UptimeRow]
    incidents: Sequence[IncidentRow]
    minutes: int
    promises: int
    promises_kept: int
    slips: int
    first_word: StepTime
    emails: int
    emails_reached: int


def read_report(
    session: Session,
    month: date,
    *,
    now: datetime,
    zone: ZoneInfo,
    targets: Mapping[str, str],
    excludes_maintenance: bool = True,
) -> MonthlyReport:
    """The report of the month that begins on that day, until ``now`` at most.

    ``targets`` are percentages by the codes of components and groups.
    """
    since, end = midnight(month, zone), midnight(following_month(month), zone)
    until = min(now, end)
    trends = read_trends(session, since=month, now=min(now, end - _TICK), zone=zone)
    begun = (COUNTS, Incident.started_at >= since, Incident.started_at < until)
    found = session.execute(
        select(
            Incident.code, Incident.title, Incident.severity_name, Incident.started_at,
            Incident.resolved_at, Incident.public_facts,
        ).where(*begun).order_by(Incident.started_at, Incident.id)
    ).all()  # fmt: skip
    emails, reached = session.execute(_emails(since, until)).one()
    return MonthlyReport(
        month=month,
        until=until,
        rows=list(_rows(session, since, until, targets, leaves_out=excludes_maintenance)),
        incidents=[
            IncidentRow(
                row.code, row.title, row.severity_name or "", row.started_at, row.resolved_at
            )
            for row in found
        ],
        minutes=trends.minutes,
        promises=trends.promises,
        promises_kept=trends.promises_kept,
        slips=sum(len((row.public_facts or {}).get(SLIPS) or ()) for row in found),
        first_word=trends.times[1],
        emails=emails,
        emails_reached=reached or 0,
    )


def measure(log: Log, windows: Sequence[Window], since: datetime, until: datetime) -> Measured:
    """What a log of states says of a stretch of time, without the ``windows``.

    ``log`` stands in order of time; of several states at one moment the last holds.
    """
    total = Measured()
    ends = [*(at for at, _ in log[1:]), until]
    for (at, status), end in zip(log, ends, strict=False):
        for start, stop in _outside(max(at, since), min(end, until), windows):
            length = (stop - start) // _TICK
            total += Measured(length, DOWN.get(status, 0) * length)
    return total


def _outside(start: datetime, end: datetime, windows: Sequence[Window]) -> Iterator[Window]:
    """The parts of a stretch that no window covers."""
    for begins, ends in sorted(windows):
        if begins > start and begins < end:
            yield start, begins
        start = max(start, ends) if begins < end else start
    if start < end:
        yield start, end


_COMPONENTS: Final = (
    select(Component, ComponentGroup)
    .outerjoin(ComponentGroup, ComponentGroup.id == Component.group_id)
    .where(or_(Component.removed_at.is_(None), Component.removed_at > bindparam("since")))
    .order_by(
        Component.removed_at.is_not(None),
        func.coalesce(ComponentGroup.position, Component.position),
        ComponentGroup.id,
        Component.position,
        Component.id,
    )
)


def _rows(
    session: Session,
    since: datetime,
    until: datetime,
    targets: Mapping[str, str],
    *,
    leaves_out: bool,
) -> Iterator[UptimeRow]:
    components: list[tuple[Component, ComponentGroup | None]] = [
        (row[0], row[1]) for row in session.execute(_COMPONENTS, {"since": since})
    ]
    logs = _logs(session, since, until)
    windows = _windows(session, since, until) if leaves_out else {}
    measured: dict[int, Measured] = {}
    groups: dict[int, Measured] = defaultdict(Measured)
    for component, group in components:
        end = min(until, component.removed_at or until)
        of_one = measure(logs.get(component.id, ()), windows.get(component.id, ()), since, end)
        measured[component.id] = of_one
        if group is not None and component.removed_at is None:
            groups[group.id] += of_one
    shown: set[int] = set()
    for component, group in components:
        if group is not None and group.id in groups and group.id not in shown:
            shown.add(group.id)
            target = targets.get(group.code, "")
            yield UptimeRow(group.code, group.name, groups[group.id], target, is_group=True)
        name = f"{group.name} - {component.name}" if group else component.name
        target = targets.get(component.code, "")
        is_removed = component.removed_at is not None
        if measured[component.id].known or not is_removed:
            yield UptimeRow(
                component.code, name, measured[component.id], target, is_removed=is_removed
            )


def _logs(session: Session, since: datetime, until: datetime) -> Mapping[int, Log]:
    """The states of each component in a stretch of time, with the one that stood before it."""
    log, older = ComponentChange, aliased(ComponentChange)
    before = (
        select(older.id)
        .where(older.component_id == Component.id, older.at < since)
        .order_by(older.at.desc(), older.id.desc())
        .limit(1)
        .correlate(Component)
        .scalar_subquery()
    )
    earlier = select(log.component_id, log.at, log.status).join(Component, log.id == before)
    within = select(log.component_id, log.at, log.status).where(log.at >= since, log.at < until)
    found: dict[int, list[tuple[datetime, ComponentStatus]]] = defaultdict(list)
    for component_id, at, status in session.execute(earlier):
        found[component_id].append((at, status))
    for component_id, at, status in session.execute(within.order_by(log.at, log.id)):
        found[component_id].append((at, status))
    return found


def _windows(session: Session, since: datetime, until: datetime) -> Mapping[int, list[Window]]:
    """The announced windows of maintenance that affect each component."""
    rows = session.execute(
        select(IncidentComponent.component_id, Incident.scheduled_for, Incident.scheduled_until)
        .join(Incident, Incident.id == IncidentComponent.incident_id)
        .where(
            Incident.kind == Kind.MAINTENANCE,
            Incident.visibility == Visibility.PUBLIC,
            Incident.cancelled_at.is_(None),
            Incident.scheduled_for < until,
            Incident.scheduled_until > since,
        )
    )
    found: dict[int, list[Window]] = defaultdict(list)
    for component_id, begins, ends in rows:
        if begins and ends:
            found[component_id].append((begins, ends))
    return found


def _emails(since: datetime, until: datetime) -> Any:
    """How many emails about incidents were queued in a stretch of time, and reached somebody."""
    messages = select(Message.id).where(
        Message.created_at >= since,
        Message.created_at < until,
        Message.incident_id.is_not(None),
        Message.audience.in_(_OUTSIDE),
    )
    return select(func.count(), func.count().filter(Delivery.state.in_(_REACHED))).where(
        Delivery.message_id.in_(messages), Delivery.channel == Channel.EMAIL
    )
