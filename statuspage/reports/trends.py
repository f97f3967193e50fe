"""What some months were like: incidents, their minutes, and how long each step of them took.

An incident counts in the month of its start in the page's zone, with all its minutes; an open one
counts until now.  Drills, false alarms and incidents that were merged into another are left out.
Times count from the start.  Incidents that came in from elsewhere have no time to the first update,
because nobody knows when it was posted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from statuspage.core.enums import Kind, Visibility
from statuspage.messages.incident_facts import read_detected
from statuspage.models import (
    Component,
    ComponentGroup,
    Incident,
    IncidentComponent,
    IncidentTag,
    IncidentUpdate,
)
from statuspage.public.days import day_of, following_month, midnight

MOST_ROWS: Final = 15
NO_SEVERITY: Final = "No severity"
NO_CAUSE: Final = "Unknown"
_MINUTE: Final = timedelta(minutes=1)
_NO_TIME: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Share:
    """How many incidents something had, and how many minutes they lasted together."""

    name: str
    incidents: int
    minutes: int


@dataclass(frozen=True, slots=True)
class MonthTrend:
    """One month by its first day; ``median_resolve`` is None where nothing was resolved."""

    first: date
    incidents: int
    minutes: int
    maintenances: int
    median_resolve: timedelta | None


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long a step took: in half of ``count`` incidents at most ``median``, in nine of ten at
    most ``ninetieth``.
    """

    name: str
    count: int
    median: timedelta | None
    ninetieth: timedelta | None


@dataclass(frozen=True, slots=True)
class Trends:
    """The figures of some months, the oldest first; shares have the longest first."""

    months: Sequence[MonthTrend]
    times: Sequence[StepTime]
    severities: Sequence[Share]
    components: Sequence[Share]
    tags: Sequence[Share]
    causes: Sequence[Share]
    promises: int
    promises_kept: int

    @property
    def incidents(self) -> int:
        """How many incidents there were in all."""
        return sum(month.incidents for month in self.months)

    @property
    def minutes(self) -> int:
        """How long they lasted together."""
        return sum(month.minutes for month in self.months)


@dataclass(frozen=True, slots=True)
class Spell:
    """What the figures need of one incident; a step that nobody knows of is None."""

    started: datetime
    ended: datetime
    severity: str = NO_SEVERITY
    cause: str = NO_CAUSE
    steps: Mapping[str, datetime | None] | None = None

    @property
    def length(self) -> timedelta:
        """How long it lasted, or has lasted."""
        return max(self.ended - self.started, _NO_TIME)


STEPS: Final = (
    "Time to detect",
    "Time to the first public update",
    "Time to mitigate",
    "Time to resolve",
)
_RESOLVE: Final = STEPS[-1]


def months_before(today: date, count: int) -> date:
    """The first day of the month that begins ``count`` months with the present one."""
    months = today.year * 12 + today.month - count
    return date(months // 12, months % 12 + 1, 1)


def read_trends(session: Session, *, since: date, now: datetime, zone: ZoneInfo) -> Trends:
    """The months from ``since``, the first day of one, until now."""
    begun = and_(COUNTS, Incident.started_at >= midnight(since, zone), Incident.started_at <= now)
    spells = [_spell(row, now) for row in session.execute(_INCIDENTS.where(begun))]
    planned = session.scalars(
        select(Incident.begins_at).where(
            Incident.kind == Kind.MAINTENANCE,
            Incident.cancelled_at.is_(None),
            Incident.begins_at >= midnight(since, zone),
            Incident.begins_at <= now,
        )
    ).all()
    promises, kept = session.execute(_promises(begun)).one()
    return Trends(
        months=list(_months(spells, planned, since=since, today=day_of(now, zone), zone=zone)),
        times=[_step_time(name, spells) for name in STEPS],
        severities=_shares((spell.severity, spell.length) for spell in spells),
        components=_shares(_lengths(session.execute(_OF_COMPONENTS.where(begun)), now))[:MOST_ROWS],
        tags=_shares(_lengths(session.execute(_OF_TAGS.where(begun)), now))[:MOST_ROWS],
        causes=_shares((spell.cause, spell.length) for spell in spells),
        promises=promises,
        promises_kept=kept or 0,
    )


# What counts: each of the reads below is asked of these incidents alone.
COUNTS: Final = and_(
    Incident.kind == Kind.INCIDENT,
    Incident.is_drill.is_(False),
    Incident.cancelled_at.is_(None),
    Incident.merged_into.is_(None),
)
_FIRST_WORD: Final = (
    select(func.min(IncidentUpdate.happened_at))
    .where(
        IncidentUpdate.incident_id == Incident.id,
        IncidentUpdate.visibility == Visibility.PUBLIC,
        Incident.visibility == Visibility.PUBLIC,
    )
    .scalar_subquery()
)
_INCIDENTS: Final = select(
    Incident.started_at,
    Incident.resolved_at,
    Incident.monitoring_at,
    Incident.severity_name,
    Incident.cause_category,
    Incident.origin,
    Incident.internal_facts,
    _FIRST_WORD.label("first_word"),
)
# By the name with its group, as the page's JSON shows it: groups repeat names.
_OF_COMPONENTS: Final = (
    select(
        func.coalesce(ComponentGroup.name + " - ", "") + Component.name,
        Incident.started_at,
        Incident.resolved_at,
    )
    .select_from(Incident)
    .join(IncidentComponent, IncidentComponent.incident_id == Incident.id)
    .join(Component, Component.id == IncidentComponent.component_id)
    .outerjoin(ComponentGroup, ComponentGroup.id == Component.group_id)
)

_OF_TAGS: Final = (
    select(IncidentTag.tag, Incident.started_at, Incident.resolved_at)
    .select_from(Incident)
    .join(IncidentTag, IncidentTag.incident_id == Incident.id)
)


def _lengths(rows: Iterable[Any], now: datetime) -> Iterator[tuple[str, timedelta]]:
    """Names with how long each lasted, of rows of name, start and end."""
    for name, started, resolved in rows:
        yield name, max((resolved or now) - started, _NO_TIME)


def _spell(row: Any, now: datetime) -> Spell:
    return Spell(
        row.started_at,
        row.resolved_at or now,
        row.severity_name or NO_SEVERITY,
        row.cause_category or NO_CAUSE,
        {
            STEPS[0]: read_detected(row.internal_facts),
            STEPS[1]: row.first_word if row.origin is None else None,
            STEPS[2]: row.monitoring_at,
            STEPS[3]: row.resolved_at,
        },
    )


def _promises(begun: ColumnElement[bool]) -> Any:
    """How many updates were promised and came, and how many of them in time.

    As :mod:`~statuspage.incidents.promises` counts them, in one statement.
    """
    following = func.lead(IncidentUpdate.posted_at).over(
        partition_by=IncidentUpdate.incident_id,
        order_by=(IncidentUpdate.posted_at, IncidentUpdate.id),
    )
    rows = (
        select(IncidentUpdate.next_update_at.label("due"), following.label("came"))
        .join(Incident, Incident.id == IncidentUpdate.incident_id)
        .where(begun)
        .subquery()
    )
    in_time = case((rows.c.came <= rows.c.due, 1), else_=0)
    is_known = and_(rows.c.due.is_not(None), rows.c.came.is_not(None))
    return select(func.count(), func.sum(in_time)).select_from(rows).where(is_known)


def _months(
    spells: Iterable[Spell],
    planned: Iterable[datetime],
    *,
    since: date,
    today: date,
    zone: ZoneInfo,
) -> Iterator[MonthTrend]:
    def first_day(moment: datetime) -> date:
        return day_of(moment, zone).replace(day=1)

    by_month: dict[date, list[Spell]] = defaultdict(list)
    for spell in spells:
        by_month[first_day(spell.started)].append(spell)
    maintenances = Counter(map(first_day, planned))
    first = since
    while first <= today:
        found = by_month[first]
        yield MonthTrend(
            first,
            len(found),
            _minutes(spell.length for spell in found),
            maintenances[first],
            _step_time(_RESOLVE, found).median,
        )
        first = following_month(first)


def _shares(named: Iterable[tuple[str, timedelta]]) -> list[Share]:
    lengths: dict[str, list[timedelta]] = defaultdict(list)
    for name, length in named:
        lengths[name].append(length)
    shares = [Share(name, len(found), _minutes(found)) for name, found in lengths.items()]
    return sorted(shares, key=lambda share: (-share.minutes, -share.incidents, share.name))


def _step_time(name: str, spells: Iterable[Spell]) -> StepTime:
    known = sorted(
        max(at - spell.started, _NO_TIME)
        for spell in spells
        if spell.steps and (at := spell.steps[name]) is not None
    )
    if not known:
        return StepTime(name, 0, None, None)
    # The nearest rank: the least length that nine of ten do not exceed.
    ninetieth = known[-(-9 * len(known) // 10) - 1]
    middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
    return StepTime(name, len(known), middle, ninetieth)


def _minutes(lengths: Iterable[timedelta]) -> int:
    return sum(lengths, _NO_TIME) // _MINUTE
