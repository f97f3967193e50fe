"""What remains to be done once an incident has been over for an hour, and ticking it off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration import severity
from statuspage.configuration.closing_list import ClosingEntry, closing_list
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Audience, ComponentStatus, Kind
from statuspage.core.errors import Invalid
from statuspage.incidents.apply_update import locked
from statuspage.incidents.resolution.gate import watched_since
from statuspage.intake.suggestions import alerts_of_incident
from statuspage.messages.incident_facts import recorded_causes
from statuspage.models import Contact, Incident, Message

CALM: Final = timedelta(hours=1)
"""So long after the end, what is ticked off is meant to last."""

MINUTE: Final = timedelta(minutes=1)

REVIEW: Final = "review"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to tick off; ``done_at`` and ``done_by`` once it was.

    ``known`` says by what the service sees itself that it is done, so nobody is asked.
    """

    name: str
    label: str
    done_at: datetime | None = None
    done_by: str = ""
    known: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nobody is asked for it."""
        return self.done_at is not None or bool(self.known)


@dataclass(frozen=True, slots=True)
class Closing:
    """What remains: asked for from ``from_at`` on."""

    from_at: datetime
    items: tuple[Item, ...]

    @property
    def is_asked_for(self) -> bool:
        """Whether the hour of calm is over."""
        return clock.now() >= self.from_at

    @property
    def left(self) -> int:
        """How many are not done."""
        return sum(not item.is_done for item in self.items)


def closing_of(session: Session, incident: Incident) -> Closing | None:
    """What remains after the end of an incident; None while it is open, or for an imported one."""
    if incident.is_open or incident.resolved_at is None or incident.origin is not None:
        return None
    known = _known(session, incident)
    items = tuple(
        _item(entry, incident.closing.get(entry.name), known.get(entry.name, ""))
        for entry in _asked(session, incident)
    )
    return Closing(incident.resolved_at + CALM, items)


@needs(Permission.DRAFT)
def tick_off(
    code: str, names: Collection[str], *, actor: Actor, review_owner_id: int | None = None
) -> Incident:
    """Mark as done some of what remains; naming who owns the review ticks that.

    What is ticked already stays as it is, so sending it twice changes nothing.  Raises
    :class:`~statuspage.core.errors.Invalid`.
    """
    with writing() as session:
        incident = _over(session, code)
        labels = {entry.name: entry.label for entry in closing_list(session)}
        done = {name: "done" for name in names if name in labels and name not in incident.closing}
        done.pop(REVIEW, None)
        is_ticked = REVIEW in incident.closing and review_owner_id == incident.review_owner_id
        if review_owner_id is not None and not is_ticked:
            owner = session.get(Contact, review_owner_id)
            if owner is None:
                raise Invalid("review_owner", "Pick one of the contacts.")
            incident.review_owner_id = owner.id
            done[REVIEW] = owner.name
            labels.setdefault(REVIEW, "Owner of the review")
        if not done:
            return incident
        stamp = {"at": clock.now().isoformat(), "by": actor.name}
        incident.closing = {**incident.closing, **dict.fromkeys(done, stamp)}
        _record(session, actor, incident, {labels[name]: what for name, what in done.items()})
        return incident


@needs(Permission.DRAFT)
def untick(code: str, name: str, *, actor: Actor) -> Incident:
    """Say that something is not done after all; raises :class:`~statuspage.core.errors.Invalid`."""
    with writing() as session:
        incident = _over(session, code)
        if name not in incident.closing:
            return incident
        incident.closing = {key: entry for key, entry in incident.closing.items() if key != name}
        if name == REVIEW:
            incident.review_owner_id = None
        labels = {entry.name: entry.label for entry in closing_list(session)}
        _record(session, actor, incident, {labels.get(name, name): "not done after all"})
        return incident


def _asked(session: Session, incident: Incident) -> list[ClosingEntry]:
    """What applies to this incident: nobody is asked about mail that was not due."""
    mailed = exists().where(
        Message.incident_id == incident.id, Message.audience == Audience.CUSTOMER
    )
    applies = {
        "components": bool(incident.affected),
        "page": not incident.is_internal,
        "customers": bool(session.scalar(select(mailed))),
        REVIEW: incident.review_due_at is not None,
    }
    return [entry for entry in closing_list(session) if applies.get(entry.name, True)]


def _known(session: Session, incident: Incident) -> dict[str, str]:
    """What the service sees itself, by item, each with what it sees."""
    found: dict[str, str] = {}
    ended = incident.resolved_at
    if ended is None:
        return found
    if clock.now() >= ended + CALM:
        length = clock.show_duration(clock.now() - ended)
        found["stable"] = f"Resolved {length} ago, and not reopened since."
    is_confirmed, is_technical = recorded_causes(incident)
    if is_confirmed or is_technical:
        found["root_cause"] = (
            "The cause is recorded as confirmed." if is_confirmed
            else "The technical cause is recorded."
        )  # fmt: skip
    states = {row.component.status for row in incident.affected}
    if states == {ComponentStatus.OPERATIONAL}:
        found["components"] = "The page shows all of them as operational."
    # As the gate before the resolution asks it.
    level = severity.level_of(session, incident.worst_rank)
    needed = timedelta(minutes=level.watch_minutes or 0) if level else timedelta()
    since = watched_since(one for one in incident.updates if one.happened_at < ended)
    if since and ended - since >= max(needed, MINUTE):
        watched = clock.show_duration(ended - since)
        found["fix"] = f"The fix was monitored for {watched} before the end."
    alerts = alerts_of_incident(session, incident)
    if alerts and alerts.alerts and not alerts.firing:
        found["alerts"] = "All alerts behind this incident have resolved."
    found["page"] = f"The page says “{incident.step.label}”."
    return found


def _item(entry: ClosingEntry, ticked: Mapping[str, Any] | None, known: str) -> Item:
    if not ticked:
        return Item(entry.name, entry.label, known=known)
    done_at = clock.as_utc(datetime.fromisoformat(ticked["at"]))
    return Item(entry.name, entry.label, done_at, ticked["by"])


def _over(session: Session, code: str) -> Incident:
    incident = locked(session, code, kind=Kind.INCIDENT)
    if incident.is_open:
        raise Invalid("status", "This incident is still open.")
    return incident


def _record(session: Session, actor: Actor, incident: Incident, after: dict[str, str]) -> None:
    audit.record(
        session, actor, "incident.close", subject_kind="incident", subject=incident.code,
        after=after,
    )  # fmt: skip
