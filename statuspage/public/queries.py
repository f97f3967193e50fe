"""The site's reads: rows into the views of :mod:`statuspage.public.snapshot`.

What they ask stands in :mod:`statuspage.public.statements`, with the gate that everything passes.
No read costs more as the history grows, and rows that did not change since the last read become the
very same views again: most of a rebuilt site is what it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.clock import EPOCH
from statuspage.core.db import reading
from statuspage.core.enums import (
    CLOSED,
    OVERALL,
    ComponentStatus,
    Impact,
    Kind,
    overall_indicator,
)
from statuspage.core.languages import N_
from statuspage.public import statements
from statuspage.public.days import day_of, following_month, midnight, month_of
from statuspage.public.incident_rows import incident_view, moment_or_none
from statuspage.public.metric_views import MetricView, of_component, read_metrics
from statuspage.public.notice_rows import read_begun, read_notices
from statuspage.public.ongoing import (
    begins_in,
    continues_in,
    first_moment,
    last_moment,
    read_continued,
    read_window,
)
from statuspage.public.page_rows import AnyRow, read_components, read_moment, read_page
from statuspage.public.snapshot import (
    ComponentPageView,
    ComponentView,
    DayView,
    DayWithIncidents,
    Frame,
    GroupView,
    IncidentLink,
    IncidentView,
    MonthView,
    NoticeView,
    PageView,
    Pinned,
    Snapshot,
)
from statuspage.public.uptime import Change, Day, Uptime, count_days, day_bounds, since_when

DAYS_SHOWN = 15
# What a day has beyond this is counted, and found in the history.
MOST_INCIDENTS_A_DAY = 12
INCIDENTS_ON_A_PAGE = 50
MOST_INCIDENTS_BEHIND_A_DAY = 5
MOST_INCIDENTS_CONTINUED = 5
# Before that nobody has looked at how things are.  The indicator stays none: clients know no other
# word for it, and some call somebody for what is not none.
NOT_SET_UP = N_("Not set up")
# While something is wrong the figures of the day are counted anew so often, else once a change:
# were it always to the second, no two editions would be alike.
RECKONED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Site:
    """One look at the public site: all reads through it see the same moment of the database.

    ``by_key`` are the components by their rows' keys, in the page's order, then the removed ones.
    """

    connection: Connection
    at: datetime
    page: PageView
    tree: tuple[GroupView | ComponentView, ...]
    by_key: Mapping[int, ComponentView]
    places: Mapping[int, int]

    @property
    def zone(self) -> ZoneInfo:
        """The page's zone."""
        return self.page.zone

    @property
    def tomorrow(self) -> datetime:
        """When the day ends in the page's zone."""
        today = self.at.astimezone(self.zone).date()
        return midnight(today + timedelta(days=1), self.zone)


@contextmanager
def open_site(engine: Engine, *, at: datetime | None = None) -> Iterator[Site]:
    """The site as it stands ``at`` a moment: now, where none is given.

    Within a transaction SQLite always shows one moment; PostgreSQL is asked for it.
    """
    with reading(engine) as session:
        yield read_site(session, at=at)


@contextmanager
def read_on(engine: Engine, site: Site) -> Iterator[Site]:
    """The same look once more, with a connection of its own, where only the incidents are to be
    read.

    For whoever asks for the revision and finds that the site has not changed since.
    """
    with reading(engine) as session:
        yield replace(site, connection=session.connection())


def read_site(session: Session, *, at: datetime | None = None) -> Site:
    """The site as :func:`open_site` gives it, within the caller's own transaction."""
    # Rows are read from the connection: the session's own layers cost more than the database.
    connection = session.connection()
    tree, by_key = read_components(connection)
    return Site(
        connection=connection,
        at=at or clock.now(),
        page=read_page(connection),
        tree=tree,
        by_key=by_key,
        places={key: place for place, key in enumerate(by_key)},
    )


def read_snapshot(site: Site) -> Snapshot:
    """All that the page, the feeds and the JSON of the present and recent past tell."""
    window = read_window(
        site.connection, DAYS_SHOWN, zone=site.zone, now=site.at, until=site.tomorrow
    )
    keys: set[int] = set()
    for begun, went_on in window.values():
        keys.update([*begun[:MOST_INCIDENTS_A_DAY], *went_on[:MOST_INCIDENTS_CONTINUED]])
    keys.update(site.connection.scalars(statements.OPEN))
    keys.update(site.connection.scalars(statements.LATEST_TOLD))
    for kind in Kind:
        keys.update(site.connection.scalars(statements.RECENT, {"kind": kind}))
    by_key = read_incidents(site, keys)
    visible = list(by_key.values())
    incidents = [incident for incident in visible if not incident.is_maintenance]
    maintenances = [incident for incident in visible if incident.is_maintenance]
    open_incidents = [incident for incident in incidents if incident.is_open]
    # Unlike everything else, what is planned is told soonest first.
    planned = [incident for incident in reversed(maintenances) if incident.is_open]
    recent = [
        *incidents[: statements.RECENT_INCIDENTS],
        *maintenances[: statements.RECENT_INCIDENTS],
    ]
    told = [(incident, update) for incident in visible for update in incident.updates]
    notices = read_notices(site.connection, site.at)
    public_notices = tuple(notice for notice in notices if notice.begins_at <= site.at)
    turns = [*_turns(site, visible, notices), *_reckonings(site)]
    return Snapshot(
        at=site.at,
        frame=_frame(site, open_incidents, planned),
        tree=site.tree,
        open_incidents=tuple(open_incidents),
        active=tuple(incident for incident in planned if not incident.is_upcoming),
        upcoming=tuple(incident for incident in planned if incident.is_upcoming),
        days=tuple(_day(day, *visible, by_key) for day, visible in window.items()),
        incidents=tuple(incidents[: statements.RECENT_INCIDENTS]),
        maintenances=tuple(maintenances[: statements.RECENT_INCIDENTS]),
        recent=tuple(
            sorted(recent, key=attrgetter("told_at"), reverse=True)[: statements.FEED_INCIDENTS]
        ),
        updates=tuple(
            sorted(told, key=lambda each: each[1].posted_at, reverse=True)[
                : statements.FEED_UPDATES
            ]
        ),
        updated_at=_updated_at(site, visible, public_notices),
        last_change_at=max(moment for moment in turns if moment <= site.at),
        next_change_at=min(moment for moment in turns if moment > site.at),
        uptimes=read_uptimes(site),
        notices=public_notices,
        metrics=read_metrics(site.connection),
    )


def read_frame(site: Site) -> Frame:
    """What stands around every page, for pages that are made on demand."""
    visible = read_incidents(site, site.connection.scalars(statements.OPEN).all()).values()
    incidents = [incident for incident in visible if not incident.is_maintenance]
    return _frame(site, incidents, [incident for incident in visible if incident.is_maintenance])


def read_incident(site: Site, code: str) -> IncidentView | None:
    """One incident with all its posts; None where there is none that the public may see."""
    keys = site.connection.scalars(statements.BY_CODE, {"code": code}).all()
    return next(iter(read_incidents(site, keys).values()), None)


def read_notice(site: Site, code: str) -> NoticeView | None:
    """One notice; None where there is none that the public may see yet."""
    return read_begun(site.connection, code, site.at)


def read_recent_incidents(site: Site, part: ComponentView | GroupView) -> tuple[IncidentView, ...]:
    """The most recent incidents of a component, or of a group's components, newest first."""
    components = part.components if isinstance(part, GroupView) else (part,)
    codes = {"codes": [component.code for component in components]}
    keys = site.connection.scalars(statements.RECENT_OF_PARTS, codes).all()
    return tuple(read_incidents(site, keys).values())


def read_uptimes(site: Site) -> dict[str, Uptime]:
    """The last days of every listed component, by its code."""
    return _read_uptimes(site, statements.STATE_LOGS, {})


def read_uptime(site: Site, component: ComponentView) -> Uptime:
    """The last days of one component."""
    name = {"code": component.code}
    return _read_uptimes(site, statements.STATE_LOG, name)[component.code]


def _read_uptimes(
    site: Site, statement: Select[*tuple[Any, ...]], name: Mapping[str, str]
) -> dict[str, Uptime]:
    today, _ = _today(site)
    since = since_when(today, site.zone)
    reckoned = max(moment for moment in [today, *_reckonings(site)] if moment <= site.at)
    # Time alone changes the figures of a component that is not well, and only of that.
    well = {
        view.code
        for view in site.by_key.values()
        if view.status is ComponentStatus.OPERATIONAL and not view.is_removed
    }
    span = {"since": since, "until": site.at}
    zone = site.zone
    return {
        code: _uptime(before or "", log or "", since, today if code in well else reckoned, zone)
        for code, before, log in site.connection.execute(statement, {**span, **name})
    }


# As many as one page is likely to have: with fewer places than components each would push out the
# one that is asked for next.
@lru_cache(maxsize=8192)
def _uptime(before: str, log: str, since: datetime, at: datetime, zone: ZoneInfo) -> Uptime:
    changes = _read_log(before, log, since)
    return _count_days(changes, zone=zone, until=max(at, changes[-1].at) if changes else at)


_count_days = lru_cache(maxsize=8192)(count_days)


def _read_log(before: str, log: str, since: datetime) -> tuple[Change, ...]:
    """The changes of a log, in order; what stood before ``since`` is dated then.

    So components whose days were alike have equal changes, and their days are counted once.
    """
    words = (entry.split("|") for entry in f"{before},{log}".split(",") if entry)
    rows = sorted((read_moment(moment), int(key), status) for moment, key, status in words)
    changes = [Change(max(at, since), ComponentStatus(status)) for at, _, status in rows]
    begun = sum(at <= since for at, *_ in rows)
    return tuple(changes[max(0, begun - 1) :])


def read_component_page(site: Site, component: ComponentView) -> ComponentPageView:
    """What a component's own page tells."""
    key = next(key for key, view in site.by_key.items() if view is component)
    behind = site.connection.execute(statements.BEHIND, _days_counted(site) | {"key": key}).all()
    return component_page(
        site,
        component,
        uptime=read_uptime(site, component),
        behind=[tuple(row[1:]) for row in behind],
        incidents=read_recent_incidents(site, component),
        metrics=read_metrics(site.connection),
    )


def read_behind(site: Site) -> dict[int, list[tuple[Any, ...]]]:
    """What `component_page` asks for, of all components at once, by their keys."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for key, *columns in site.connection.execute(statements.ALL_BEHIND, _days_counted(site)):
        if len(found[key]) < statements.MOST_INCIDENTS_COUNTED:
            found[key].append(tuple(columns))
    return found


def read_recent_keys(site: Site) -> dict[int, list[int]]:
    """The keys of the most recent incidents of all components, newest first, by component's key."""
    found: dict[int, list[int]] = defaultdict(list)
    for component, key in site.connection.execute(statements.RECENT_OF_COMPONENTS):
        found[component].append(key)
    return found


def component_page(
    site: Site,
    component: ComponentView,
    *,
    uptime: Uptime,
    behind: Sequence[tuple[Any, ...]],
    incidents: tuple[IncidentView, ...],
    metrics: tuple[MetricView, ...],
) -> ComponentPageView:
    """What a component's own page tells, made of what was read before.

    ``behind`` are code, title, beginning and end of the incidents in its days, newest first;
    ``metrics`` those of the whole page.
    """
    days = _told_days(uptime, site.zone, tuple(behind))
    return ComponentPageView(
        component=component,
        uptime=uptime,
        days=days,
        incidents=incidents,
        metrics=of_component(metrics, component.code),
    )


@lru_cache(maxsize=8192)
def _told_days(
    uptime: Uptime, zone: ZoneInfo, behind: tuple[tuple[Any, ...], ...]
) -> tuple[DayWithIncidents, ...]:
    """The days, today first, each with the incidents that were open in it.

    No day is to come, so that what is open goes on in all that follow its beginning.
    """
    bounds = day_bounds(uptime.days[-1].day, zone, len(uptime.days))
    spans = [
        (IncidentLink(code, title), read_moment(begins_at), moment_or_none(ended_at))
        for code, title, begins_at, ended_at in behind
    ]
    days = [
        _told_day(
            day,
            [
                who
                for who, begin, end in spans
                if begins_in(begin, first, last) or continues_in(begin, end, first, now=first)
            ],
        )
        for day, (first, last) in zip(uptime.days, pairwise(bounds), strict=True)
    ]
    return tuple(reversed(days))


def _days_counted(site: Site) -> dict[str, datetime]:
    """From when to when days are counted, for a statement."""
    return {"since": since_when(site.at, site.zone), "until": site.at}


def _told_day(day: Day, incidents: Sequence[IncidentLink]) -> DayWithIncidents:
    shown = incidents[:MOST_INCIDENTS_BEHIND_A_DAY]
    return DayWithIncidents(day=day, incidents=tuple(shown), more=len(incidents) - len(shown))


def read_month(site: Site, month: date, *, number: int = 1) -> MonthView | None:
    """Page ``number`` of the incidents of the month of that first day.

    None for a page that is not there, and for a month outside of what the history spans.
    """
    tomorrow = site.tomorrow
    start = midnight(month, site.zone)
    end = min(midnight(following_month(month), site.zone), tomorrow)
    earlier = month_of(last_moment(site.connection, start, now=site.at), site.zone)
    later = month_of(first_moment(site.connection, end, tomorrow, now=site.at), site.zone)
    went_on = read_continued(site.connection, start, now=site.at) if start < end else []
    span = {"since": start, "until": end}
    count = site.connection.scalar(statements.HISTORY_COUNT, span) or 0
    pages = _pages(count)
    is_there = count or went_on or start <= site.at < end or (earlier and later)
    if number > pages or not is_there:
        return None
    offset = (number - 1) * INCIDENTS_ON_A_PAGE
    page = {**span, "offset": offset, "limit": INCIDENTS_ON_A_PAGE}
    keys = site.connection.scalars(statements.HISTORY_PAGE, page).all()
    before = [each.key for each in went_on] if number == pages else []
    incidents = read_incidents(site, [*keys, *before], whole=False)
    return MonthView(
        month=month,
        incidents=tuple(incident for key, incident in incidents.items() if key not in before),
        number=number,
        pages=pages,
        earlier=earlier,
        later=later,
        later_pages=_pages_of(site, later) if later else 1,
        continued=tuple(incident for key, incident in incidents.items() if key in before),
    )


def _pages_of(site: Site, month: date) -> int:
    end = min(midnight(following_month(month), site.zone), site.tomorrow)
    span = {"since": midnight(month, site.zone), "until": end}
    return _pages(site.connection.scalar(statements.HISTORY_COUNT, span) or 0)


def _pages(count: int) -> int:
    return max(1, -(-count // INCIDENTS_ON_A_PAGE))


def read_newest_month(site: Site) -> date:
    """The first day of the newest month that has incidents; of this month where none has."""
    newest = month_of(last_moment(site.connection, site.tomorrow, now=site.at), site.zone)
    return newest or day_of(site.at, site.zone).replace(day=1)


# Rows into views.


def read_incidents(
    site: Site, keys: Collection[int], *, whole: bool = True
) -> dict[int, IncidentView]:
    """Those of the incidents that the public may see, newest first, by key.

    Those that are not read as a ``whole`` have their newest post alone.
    """
    statement = statements.INCIDENTS if whole else statements.INCIDENTS_WITH_NEWEST
    incidents, places = {}, site.places.__getitem__
    for row in site.connection.execute(statement, {"keys": list(keys)}):
        key, *columns, updates, affected, begun_at = row
        components = sorted(map(int, affected.split(",") if affected else ()), key=places)
        incidents[key] = incident_view(
            tuple(columns),
            updates or "",
            tuple(site.by_key[each] for each in components),
            is_overdue=_is_overdue(row, site.at),
            begun_at=begun_at,
        )
    newest_first = sorted(incidents.items(), key=lambda item: (item[1].begins_at, item[0]))
    return dict(reversed(newest_first))


def _is_overdue(row: AnyRow, at: datetime) -> bool:
    promised = moment_or_none(row.next_update_at)
    return promised is not None and promised <= at and row.status not in CLOSED


def _frame(
    site: Site, open_incidents: Collection[IncidentView], planned: Iterable[IncidentView]
) -> Frame:
    statuses = [view.status for view in site.by_key.values() if not view.is_removed]
    indicator = overall_indicator(statuses, [incident.impact for incident in open_incidents])
    under_maintenance = ComponentStatus.UNDER_MAINTENANCE in statuses or any(
        not incident.is_upcoming for incident in planned
    )
    is_only_planned = under_maintenance and indicator is Impact.NONE
    return Frame(
        page=site.page,
        indicator=indicator,
        description=(
            OVERALL[Impact.MAINTENANCE if is_only_planned else indicator]
            if site.page.is_set_up
            else NOT_SET_UP
        ),
        under_maintenance=under_maintenance,
        pinned=tuple(
            Pinned(incident.code, incident.title, incident.status, incident.is_overdue)
            for incident in open_incidents
            if incident.is_pinned
        ),
    )


def _day(
    day: date, begun: Sequence[int], went_on: Sequence[int], by_key: Mapping[int, IncidentView]
) -> DayView:
    return DayView(
        day=day,
        incidents=tuple(by_key[key] for key in begun[:MOST_INCIDENTS_A_DAY]),
        more=max(0, len(begun) - MOST_INCIDENTS_A_DAY),
        continued=tuple(by_key[key] for key in went_on[:MOST_INCIDENTS_CONTINUED]),
    )


def _updated_at(
    site: Site, incidents: Iterable[IncidentView], notices: Iterable[NoticeView]
) -> datetime:
    moments = [site.page.updated_at]
    moments += [view.updated_at for view in site.by_key.values()]
    moments += [incident.updated_at for incident in incidents]
    moments += [notice.changed_at for notice in notices]
    return max(moments)


def _turns(
    site: Site, incidents: Iterable[IncidentView], notices: Iterable[NoticeView]
) -> list[datetime]:
    """Moments when time alone changes what the site says, the bounds of the day among them."""
    moments: list[datetime | None] = [*_today(site)]
    for incident in incidents:
        if incident.is_open:
            moments += [incident.next_update_at, incident.scheduled_for, incident.scheduled_until]
    for notice in notices:
        moments += [notice.begins_at, notice.ends_at]
    return [moment for moment in moments if moment is not None]


def _reckonings(site: Site) -> list[datetime]:
    """When the figures of a day that has trouble were last counted, and are next."""
    statuses = (view.status for view in site.by_key.values() if not view.is_removed)
    if all(status is ComponentStatus.OPERATIONAL for status in statuses):
        return []
    last = site.at - (site.at - EPOCH) % RECKONED_EVERY
    return [last, last + RECKONED_EVERY]


def _today(site: Site) -> tuple[datetime, datetime]:
    """When the day began in the page's zone, and when it ends."""
    return midnight(day_of(site.at, site.zone), site.zone), site.tomorrow
