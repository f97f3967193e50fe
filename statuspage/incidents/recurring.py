"""Recurring maintenance: a rule, and the occurrences that it has announced.

A series is a first start on the wall clock of its zone and an RRULE (RFC 5545, section 3.3.10).
Every occurrence is a maintenance of its own, with its own code, updates and mails: the worker
announces the next :data:`AHEAD` of them.  Single ones can be left out (EXDATE, section 3.8.5.1).
Wall times stay as they are when the clocks change; one that a change skips is taken by the offset
before it, one that comes twice the first time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, zip_longest
from uuid import uuid4

from dateutil.rrule import rruleset, rrulestr
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import SYSTEM, Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, MaintenanceStatus, Term
from statuspage.core.errors import Invalid
from statuspage.incidents import maintenance
from statuspage.incidents.check_texts import Overrides
from statuspage.incidents.drafts import Texts
from statuspage.incidents.idempotency import series_code_for
from statuspage.incidents.inputs import check_title
from statuspage.incidents.maintenance import AS_ANNOUNCED, USUAL_REMINDER, Plan
from statuspage.incidents.publish import Submission
from statuspage.models import Component, Incident, MaintenanceSeries, Page

AHEAD = 2
MOST_EVERY = 52
_AGREED = dict.fromkeys(Audience, AS_ANNOUNCED)
_WALL = "%Y-%m-%dT%H:%M"
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Unit(Term):
    """What a recurrence counts in."""

    WEEKS = "weeks"
    MONTHS_BY_DAY = "months_on_the_same_day"
    MONTHS_BY_WEEKDAY = "months_on_the_same_weekday"


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """A series as it is planned: the first window, how it recurs, and until which day if any.

    ``because`` says why its announcements go out although the checks would hold them back.
    """

    title: str
    what: str
    first_start: datetime
    length_minutes: int
    every: int = 1
    unit: Unit = Unit.WEEKS
    until: date | None = None
    component_ids: Sequence[int] = ()
    remind_minutes: int | None = USUAL_REMINDER
    verify_minutes: int | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A time at which a series begins: its incident if there is one, or that it is left out."""

    starts_at: datetime
    incident: Incident | None
    is_left_out: bool


def preview_dates(
    plan: SeriesPlan, *, time_zone: str, most: int, exdates: Sequence[str] = ()
) -> list[datetime]:
    """The next starts that the plan would have; changes nothing and raises :class:`Invalid`."""
    series = _planned(plan, time_zone, exdates)
    return list(islice(occurrences(series, after=clock.now()), most))


def next_plan(plan: SeriesPlan, *, time_zone: str, exdates: Sequence[str] = ()) -> Plan:
    """What its next occurrence would be; changes nothing and raises :class:`Invalid`."""
    series = _planned(plan, time_zone, exdates)
    return _occurrence(series, next(occurrences(series, after=clock.now())))


@needs(Permission.PUBLISH)
def plan_series(plan: SeriesPlan, *, actor: Actor, form_key: str) -> MaintenanceSeries:
    """Begin a series in the page's zone, and announce its next ones; raises :class:`Invalid`."""
    with writing() as session:
        # One sheet of the form makes one series, however often it is sent.
        code = series_code_for(form_key)
        earlier = session.scalars(select(MaintenanceSeries).filter_by(code=code)).one_or_none()
        if earlier is not None:
            return earlier
        page = session.get_one(Page, 1)
        series = MaintenanceSeries(code=code, time_zone=page.time_zone, exdates=[])
        _write(series, plan)
        session.add(series)
        session.flush()
        _announce_ahead(session, series, actor)
        audit.record(
            session, actor, "maintenance_series.plan", subject_kind="maintenance_series",
            subject=code, after=_as_record(series),
        )  # fmt: skip
        return series


@needs(Permission.PUBLISH)
def change_series(
    code: str, plan: SeriesPlan, *, actor: Actor, seen_version: int | None = None
) -> MaintenanceSeries:
    """Change it and every occurrence that has not started, with notice.

    The announced ones take the next dates in their order; one for which there is none is called
    off.  One that stays just as it was says nothing.  Raises :class:`Invalid`,
    :class:`~statuspage.core.conflict.Conflict`.
    """
    with writing() as session:
        series = _locked(session, code)
        if series.stopped_at is not None:
            raise Invalid("series", "This series is stopped. Schedule another.")
        check_unchanged(seen_version, series.version, series)
        before = _as_record(series)
        _write(series, plan)
        series.updated_at = clock.now()
        _realign(session, series, actor)
        _announce_ahead(session, series, actor)
        audit.record(
            session, actor, "maintenance_series.change", subject_kind="maintenance_series",
            subject=code, before=before, after=_as_record(series),
        )  # fmt: skip
        return series


@needs(Permission.PUBLISH)
def stop_series(code: str, *, actor: Actor) -> None:
    """Announce no more of it; what is announced stays.  Doing it again changes nothing."""
    with writing() as session:
        series = _locked(session, code)
        if series.stopped_at is not None:
            return
        series.stopped_at = series.updated_at = clock.now()
        audit.record(
            session, actor, "maintenance_series.stop", subject_kind="maintenance_series",
            subject=code,
        )  # fmt: skip


@needs(Permission.PUBLISH)
def leave_out(
    code: str,
    moment: datetime,
    *,
    actor: Actor,
    texts: Texts | None = None,
    overrides: Overrides | None = None,
) -> None:
    """Have no occurrence begin at that time; one that is announced is cancelled, with notice.

    Doing it again changes nothing.  Raises :class:`Invalid` for a time that the series does not
    have, or that is past.
    """
    with writing() as session:
        series = _locked(session, code)
        if moment in left_out(series):
            return
        if series.stopped_at is not None:
            raise Invalid(
                "series", "This series is stopped; manage the announced dates one by one."
            )
        incident = _incident_at(session, series, moment)
        is_over = incident is not None and incident.status != MaintenanceStatus.SCHEDULED
        if is_over or moment <= clock.now():
            raise Invalid("series", "This one has started or is over.")
        wall, start = next(_starts(series, after=moment - timedelta(seconds=1)), ("", None))
        if start != moment:
            raise Invalid("series", "The series has no date then.")
        series.exdates = sorted([*series.exdates, wall])
        series.updated_at = clock.now()
        if incident is not None:
            reasons = {**_reasons(series, actor), **(overrides or {})}
            submission = Submission(actor, uuid4().hex, texts=texts or {}, overrides=reasons)
            maintenance.cancel_scheduled(session, incident, submission)
        audit.record(
            session, actor, "maintenance_series.leave_out", subject_kind="maintenance_series",
            subject=code, after={"starts_at": moment, "was_announced": incident is not None},
        )  # fmt: skip


@needs(Permission.PUBLISH)
def take_back(code: str, moment: datetime, *, actor: Actor) -> None:
    """Have the occurrence that was left out after all, announced again like any other.

    Doing it again changes nothing.  Raises :class:`Invalid` once its time is past.
    """
    with writing() as session:
        series = _locked(session, code)
        if moment <= clock.now():
            raise Invalid("series", "Its time has passed.")
        if series.stopped_at is not None:
            raise Invalid("series", "This series is stopped. Schedule another.")
        if moment not in left_out(series):
            return
        series.exdates = [wall for wall in series.exdates if _moment_of(series, wall) != moment]
        series.updated_at = clock.now()
        incident = _incident_at(session, series, moment)
        if incident is not None:
            # It was cancelled for good, and said so: the new one is an incident of its own.
            incident.occurs_at = None
        audit.record(
            session, actor, "maintenance_series.take_back", subject_kind="maintenance_series",
            subject=code, after={"starts_at": moment},
        )  # fmt: skip


def left_out(series: MaintenanceSeries) -> list[datetime]:
    """The starts to come that were left out, soonest first."""
    moments = (_moment_of(series, wall) for wall in series.exdates)
    return sorted(moment for moment in moments if moment > clock.now())


def coming(session: Session, series: MaintenanceSeries, *, most: int) -> list[Occurrence]:
    """Its next occurrences, those among them that are announced or cancelled, or left out."""
    moment = clock.now()
    found = select(Incident).where(Incident.series_id == series.id, Incident.occurs_at > moment)
    incidents = {incident.occurs_at: incident for incident in session.scalars(found)}
    starts = list(islice(occurrences(series, after=moment), most))
    left = left_out(series)
    return [
        Occurrence(start, incidents.get(start), is_left_out=start in left)
        for start in sorted({*starts, *left})
    ]


def announce_due() -> int:
    """Announce what is near enough; returns how many occurrences that were.  The worker's duty."""
    session = current_session()
    running = session.scalars(select(MaintenanceSeries).filter_by(stopped_at=None)).all()
    lacking = [series.code for series in running if _next_to_announce(session, series)]
    return sum(_announce_next(code) for code in lacking)


def occurrences(series: MaintenanceSeries, *, after: datetime) -> Iterator[datetime]:
    """The starts later than ``after``, soonest first, in UTC; endless where the rule has no end."""
    return (moment for _, moment in _starts(series, after=after))


def _starts(series: MaintenanceSeries, *, after: datetime) -> Iterator[tuple[str, datetime]]:
    """As :func:`occurrences`, each with its time on the wall, which a change may skip."""
    rule = rruleset()
    rule.rrule(rrulestr(series.rule, dtstart=datetime.fromisoformat(series.first_start)))
    for left_out_at in series.exdates:
        rule.exdate(datetime.fromisoformat(left_out_at))
    # No wall clock is as much as two days off UTC.
    early = after.astimezone(UTC).replace(tzinfo=None) - timedelta(days=2)
    for start in rule.xafter(early):
        wall = f"{start:{_WALL}}"
        moment = _moment_of(series, wall)
        if moment > after:
            yield wall, moment


def _moment_of(series: MaintenanceSeries, wall: str) -> datetime:
    # A skipped time keeps the offset before the change: RFC 5545, section 3.3.5.
    zone = clock.read_zone(series.time_zone)
    return datetime.fromisoformat(wall).replace(tzinfo=zone).astimezone(UTC)


def plan_of(series: MaintenanceSeries) -> SeriesPlan:
    """The plan of a series."""
    parts = dict(part.split("=") for part in series.rule.split(";"))
    unit = Unit.WEEKS
    if parts["FREQ"] == "MONTHLY":
        unit = Unit.MONTHS_BY_WEEKDAY if "BYDAY" in parts else Unit.MONTHS_BY_DAY
    until = parts.get("UNTIL")
    return SeriesPlan(
        title=series.title,
        what=series.users_notice,
        first_start=_moment_of(series, series.first_start),
        length_minutes=series.length_minutes,
        every=int(parts["INTERVAL"]),
        unit=unit,
        until=date.fromisoformat(until[:8]) if until else None,
        component_ids=tuple(series.component_ids),
        remind_minutes=series.remind_minutes,
        verify_minutes=series.verify_minutes,
        because=series.because,
    )


def announced(session: Session, series: MaintenanceSeries) -> list[Incident]:
    """Its occurrences that are announced and have not started, soonest first."""
    return list(
        session.scalars(
            select(Incident)
            .filter_by(series_id=series.id, status=MaintenanceStatus.SCHEDULED.value)
            .order_by(Incident.scheduled_for, Incident.id)
        )
    )


def _announce_next(code: str) -> int:
    with writing() as session:
        series = _locked(session, code)
        return 0 if series.stopped_at else _announce_ahead(session, series, SYSTEM)


def _announce_ahead(session: Session, series: MaintenanceSeries, actor: Actor) -> int:
    count = 0
    while moment := _next_to_announce(session, series):
        plan = _occurrence(series, moment)
        if actor is SYSTEM:
            # A component may have gone since it was planned: the others are announced.
            plan = replace(plan, component_ids=_existing(session, plan.component_ids))
        maintenance.publish_plan(session, plan, _submission(series, actor), series_id=series.id)
        count += 1
    return count


def _existing(session: Session, component_ids: Collection[int]) -> Sequence[int]:
    chosen = Component.id.in_(component_ids) & Component.removed_at.is_(None)
    return session.scalars(select(Component.id).where(chosen).order_by(Component.id)).all()


def _submission(series: MaintenanceSeries, actor: Actor) -> Submission:
    return Submission(actor, uuid4().hex, overrides=_reasons(series, actor))


def _reasons(series: MaintenanceSeries, actor: Actor) -> Overrides:
    """Why its texts are sent although the checks block them."""
    if series.because:
        return {Audience.PUBLIC: series.because}
    # A person planned it and its text was checked then; the worker cannot give reasons.
    return _AGREED if actor is SYSTEM else {}


def _next_to_announce(session: Session, series: MaintenanceSeries) -> datetime | None:
    start = next(_free_starts(session, series), None)
    if start is None:
        return None
    sooner = [one for one in announced(session, series) if one.occurs_at and one.occurs_at < start]
    return start if len(sooner) < AHEAD else None


def _free_starts(session: Session, series: MaintenanceSeries) -> Iterator[datetime]:
    """The starts to come that no incident has, not even one that was cancelled or
    started early.
    """
    moment = clock.now()
    taken = set(
        session.scalars(
            select(Incident.occurs_at).where(
                Incident.series_id == series.id, Incident.occurs_at > moment
            )
        )
    )
    return (start for start in occurrences(series, after=moment) if start not in taken)


def _realign(session: Session, series: MaintenanceSeries, actor: Actor) -> None:
    incidents = announced(session, series)
    for incident in incidents:
        # First out of the way of each other: an occurrence has one incident only.
        incident.occurs_at = None
    session.flush()
    moments = list(islice(_free_starts(session, series), len(incidents)))
    for incident, moment in zip_longest(incidents, moments):
        incident.occurs_at = moment
        if moment is None:
            maintenance.cancel_scheduled(session, incident, _submission(series, actor))
        elif _differs(incident, plan := _occurrence(series, moment)):
            maintenance.replan(session, incident, plan, _submission(series, actor))


def _differs(incident: Incident, plan: Plan) -> bool:
    stands = Plan(
        title=incident.title,
        what=incident.users_notice,
        scheduled_for=incident.scheduled_for or incident.started_at,
        scheduled_until=incident.scheduled_until or incident.started_at,
        component_ids=tuple(sorted(row.component_id for row in incident.affected)),
        remind_minutes=incident.remind_minutes,
        verify_minutes=incident.verify_minutes,
    )
    return stands != plan


def _occurrence(series: MaintenanceSeries, moment: datetime) -> Plan:
    return Plan(
        title=series.title,
        what=series.users_notice,
        scheduled_for=moment,
        scheduled_until=moment + timedelta(minutes=series.length_minutes),
        component_ids=tuple(sorted(series.component_ids)),
        remind_minutes=series.remind_minutes,
        verify_minutes=series.verify_minutes,
    )


def _planned(plan: SeriesPlan, time_zone: str, exdates: Sequence[str]) -> MaintenanceSeries:
    """The series that a plan describes, not yet in any session."""
    series = MaintenanceSeries(time_zone=time_zone, exdates=list(exdates))
    _write(series, plan)
    return series


def _incident_at(session: Session, series: MaintenanceSeries, moment: datetime) -> Incident | None:
    """The incident of the occurrence that the series has at that time, if there ever was one."""
    return session.scalars(
        select(Incident).filter_by(series_id=series.id, occurs_at=moment)
    ).one_or_none()


def _write(series: MaintenanceSeries, plan: SeriesPlan) -> None:
    check_title(plan.title)
    if not 1 <= plan.every <= MOST_EVERY:
        raise Invalid("every", f"Use a whole number from 1 to {MOST_EVERY}.")
    local = plan.first_start.astimezone(clock.read_zone(series.time_zone))
    if plan.until is not None and plan.until < local.date():
        raise Invalid("until", "This is before it begins.")
    if plan.length_minutes < 1:
        raise Invalid("length_minutes", "It must last a minute at least.")
    series.title, series.users_notice = plan.title, plan.what
    series.first_start = f"{local:{_WALL}}"
    series.rule = _rule(plan, local)
    series.exdates = _kept_exdates(series)
    series.length_minutes = plan.length_minutes
    series.remind_minutes, series.verify_minutes = plan.remind_minutes, plan.verify_minutes
    series.because = plan.because
    series.component_ids = sorted(set(plan.component_ids))
    start = next(occurrences(series, after=clock.now()), None)
    if start is None:
        raise Invalid(
            "until" if plan.until else "first_start", "None of its dates is in the future."
        )
    maintenance.check_plan(_occurrence(series, start))
    following = next(occurrences(series, after=start), None)
    busy = timedelta(minutes=plan.length_minutes + (plan.verify_minutes or 0))
    if following is not None and start + busy > following:
        raise Invalid("length_minutes", "It would last until after the next one starts.")


def _kept_exdates(series: MaintenanceSeries) -> list[str]:
    """A day that was left out stays so at another time of day, while the rule still has it."""
    days = (f"{wall[:10]}{series.first_start[10:]}" for wall in series.exdates)
    rule = rrulestr(series.rule, dtstart=datetime.fromisoformat(series.first_start))
    walls = (datetime.fromisoformat(day) for day in days)
    return [f"{wall:{_WALL}}" for wall in walls if rule.between(wall, wall, inc=True)]


def _rule(plan: SeriesPlan, first: datetime) -> str:
    """The RRULE; its end is a wall-clock time, as the start that it is read with."""
    end = f";UNTIL={plan.until:%Y%m%d}T235959" if plan.until else ""
    if plan.unit is Unit.WEEKS:
        return f"FREQ=WEEKLY;INTERVAL={plan.every}{end}"
    if plan.unit is Unit.MONTHS_BY_WEEKDAY:
        place = (first.day - 1) // 7 + 1
        # Not every month has a fifth one: the last is meant.
        day = f"{-1 if place == 5 else place}{_DAYS[first.weekday()]}"
        return f"FREQ=MONTHLY;INTERVAL={plan.every};BYDAY={day}{end}"
    # In a month that is too short, its last day; a plain RRULE would leave that month out.
    days = ",".join(str(day) for day in range(min(first.day, 28), first.day + 1))
    return f"FREQ=MONTHLY;INTERVAL={plan.every};BYMONTHDAY={days};BYSETPOS=-1{end}"


def _locked(session: Session, code: str) -> MaintenanceSeries:
    found = session.scalars(
        select(MaintenanceSeries)
        .filter_by(code=code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise Invalid("series", "This series does not exist.")
    return found


def _as_record(series: MaintenanceSeries) -> dict[str, object]:
    return {
        "title": series.title,
        "first_start": series.first_start,
        "time_zone": series.time_zone,
        "rule": series.rule,
        "length_minutes": series.length_minutes,
        "component_ids": list(series.component_ids),
        "verify_minutes": series.verify_minutes,
        "because": series.because,
    }
