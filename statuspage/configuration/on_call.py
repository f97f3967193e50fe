"""Who is on call: by the list of weeks with its swaps, else whoever's role says that they are.

A week begins on Monday at nine in the page's zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration import contacts
from statuspage.configuration.editing import record
from statuspage.core import clock
from statuspage.core.db import read_once, writing
from statuspage.core.errors import Invalid
from statuspage.models import Contact, OnCallSwap, OnCallWeek
from statuspage.models.page import the_page

HANDOVER: Final = time(9)
WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is on call at a moment, the one to call first before the other, and until when."""

    people: Sequence[Contact]
    until: datetime


def begins_at(monday: date, zone: ZoneInfo) -> datetime:
    """When the week of a Monday begins."""
    return datetime.combine(monday, HANDOVER, tzinfo=zone).astimezone(UTC)


def monday_of(moment: datetime, zone: ZoneInfo) -> date:
    """The Monday whose week a moment is in."""
    local = moment.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    return monday if moment >= begins_at(monday, zone) else monday - WEEK


def planned(session: Session, moment: datetime | None = None) -> OnCall | None:
    """Who is on call by the list; None where it names nobody who is still there."""
    if moment is None:
        return read_once(session, "on call", lambda: _planned(session, clock.now()))
    return _planned(session, moment)


def _planned(session: Session, moment: datetime) -> OnCall | None:
    page = the_page(session)
    zone = page.zone if page else ZoneInfo("UTC")
    monday = monday_of(moment, zone)
    week = session.scalars(select(OnCallWeek).filter_by(monday=monday)).one_or_none()
    if week is None:
        return None
    running = [one for one in swaps(session, moment) if one.starts_at <= moment]
    covered = {one.absent_id: one.cover_id for one in running}
    found = [
        session.get_one(Contact, covered.get(key, key))
        for key in (week.primary_id, week.secondary_id)
        if key is not None
    ]
    people = [one for one in dict.fromkeys(found) if one.removed_at is None]
    until = min([begins_at(monday + WEEK, zone), *(one.ends_at for one in running)])
    return OnCall(people, until) if people else None


def on_call_now(session: Session) -> Sequence[Contact]:
    """Whom to call: by the list, else the contacts whose own role says that they are on call."""
    found = planned(session)
    return found.people if found else contacts.contacts_by_role(session, "on_call")


def weeks(session: Session, since: date, count: int) -> dict[date, OnCallWeek | None]:
    """So many weeks from a Monday on, with what was entered for each."""
    mondays = [since + number * WEEK for number in range(count)]
    chosen = select(OnCallWeek).where(OnCallWeek.monday.in_(mondays))
    entered = {one.monday: one for one in session.scalars(chosen)}
    return {monday: entered.get(monday) for monday in mondays}


def swaps(session: Session, moment: datetime) -> list[OnCallSwap]:
    """The swaps that are not over, the earliest first."""
    chosen = select(OnCallSwap).where(OnCallSwap.ends_at > moment)
    people = joinedload(OnCallSwap.absent), joinedload(OnCallSwap.cover)
    return list(
        session.scalars(chosen.order_by(OnCallSwap.starts_at, OnCallSwap.id).options(*people))
    )


@needs(Permission.SETTINGS)
def plan_weeks(entered: Mapping[date, tuple[int | None, int | None]], *, actor: Actor) -> None:
    """Enter the first and second of some weeks, by their Mondays, in the place of those before.

    Raises :class:`Invalid`.
    """
    with writing() as session:
        names = {one.id: one.name for one in contacts.contacts(session)}
        for monday, pair in entered.items():
            _plan(session, monday, pair, names)
        after = {
            monday.isoformat(): [names[key] for key in pair if key is not None]
            for monday, pair in entered.items()
        }
        record(session, actor, "on_call.plan", f"{min(entered)} to {max(entered)}", after=after)


def _plan(
    session: Session, monday: date, pair: tuple[int | None, int | None], names: Mapping[int, str]
) -> None:
    for key in pair:
        if key is not None and key not in names:
            raise Invalid("weeks", "Pick contacts from the list.")
    if pair[0] is not None and pair[0] == pair[1]:
        raise Invalid("weeks", f"{monday}: pick two different people.")
    week = session.scalars(select(OnCallWeek).filter_by(monday=monday)).one_or_none()
    if week is None:
        week = OnCallWeek(monday=monday)
        session.add(week)
    week.primary_id, week.secondary_id = pair


@needs(Permission.SETTINGS)
def add_swap(
    starts_at: datetime, ends_at: datetime, *, absent_id: int, cover_id: int, actor: Actor
) -> None:
    """Have somebody cover for somebody else for a while; raises :class:`Invalid`."""
    if ends_at <= starts_at:
        raise Invalid("ends_at", "This is not after its start.")
    if absent_id == cover_id:
        raise Invalid("cover_id", "Pick somebody else.")
    with writing() as session:
        names = {one.id: one.name for one in contacts.contacts(session)}
        for field, key in (("absent_id", absent_id), ("cover_id", cover_id)):
            if key not in names:
                raise Invalid(field, "Pick one of the contacts.")
        session.add(
            OnCallSwap(starts_at=starts_at, ends_at=ends_at, absent_id=absent_id, cover_id=cover_id)
        )
        subject = f"{names[cover_id]} for {names[absent_id]}"
        after = {"from": starts_at, "until": ends_at}
        record(session, actor, "on_call.swap", subject, after=after)


@needs(Permission.SETTINGS)
def remove_swap(swap_id: int, *, actor: Actor) -> None:
    """Take a swap back; one that is gone already stays so."""
    with writing() as session:
        found = session.get(OnCallSwap, swap_id)
        if found is None:
            return
        subject = f"{found.cover.name} for {found.absent.name}"
        session.delete(found)
        record(session, actor, "on_call.remove_swap", subject)
