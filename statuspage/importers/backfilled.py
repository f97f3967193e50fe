"""Backfilling: an incident of the past with all its updates, kept at once; nobody is emailed.

It is kept as imports are, so it stands in the history, the feeds and the days of its components
with its own times, as old news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration import public_names, severity
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import CLOSED, ComponentStatus, Impact, IncidentStatus, Kind
from statuspage.core.errors import Invalid
from statuspage.importers.published import (
    Effect,
    PublishedIncident,
    PublishedUpdate,
    ended_at,
    watched_from,
)
from statuspage.importers.store import store_incidents
from statuspage.incidents.component_log import BACKFILLED
from statuspage.incidents.idempotency import code_for
from statuspage.incidents.inputs import check_body, check_start, check_title
from statuspage.models import Component


@dataclass(frozen=True, slots=True)
class PastUpdate:
    """An update of an incident that is over, and when it was; ``name`` is its place in a form."""

    at: datetime
    status: IncidentStatus
    body: str
    name: str = "updates"


@dataclass(frozen=True, slots=True)
class PastIncident:
    """An incident that is over, as somebody tells it; components by their ids, updates as given.

    Without ``started_at`` it began with its first update.  ``impact`` stands in the place of the
    severity's.  ``because`` says why its texts are shown although the checks block one.
    """

    title: str
    updates: Sequence[PastUpdate]
    severity_rank: int | None = None
    impact: Impact | None = None
    components: Mapping[int, ComponentStatus] = field(default_factory=dict)
    started_at: datetime | None = None
    because: str = ""

    @property
    def in_order(self) -> list[PastUpdate]:
        """The updates in the order of their times."""
        return sorted(self.updates, key=lambda update: update.at)


@needs(Permission.PUBLISH)
def backfill(past: PastIncident, *, form_key: str, actor: Actor, origin: str = BACKFILLED) -> str:
    """Keep an incident of the past, and show it in the history; its code.

    Sent twice, a form keeps one.  Raises :class:`Invalid`.
    """
    _check(past)
    texts = [("title", past.title), *((f"{one.name}-body", one.body) for one in past.updates)]
    found = public_names.let_texts_pass(current_session(), texts, reason=past.because)
    code = code_for(form_key)
    incident = _as_published(current_session(), past, code, origin)

    def note(session: Session) -> None:
        audit.record(
            session, actor, "incident.backfill", subject_kind="incident", subject=code,
            after={
                "title": past.title,
                "started_at": incident.started_at,
                "resolved_at": incident.resolved_at,
                "updates": len(past.updates),
                **({"shown although": past.because, "found": found} if found else {}),
            },
        )  # fmt: skip

    # Whoever may publish what goes on may tell what is over.
    importer = replace(actor, permissions=actor.permissions | {Permission.IMPORT})
    store_incidents([incident], actor=importer, source=origin, finish=note)
    return code


def _check(past: PastIncident) -> None:
    """Raise :class:`Invalid` for the first thing that is wrong with it."""
    check_title(past.title)
    check_start(past.started_at)
    if not past.updates:
        raise Invalid("updates", "Enter at least the update that resolved it.")
    for update in past.updates:
        check_body(f"{update.name}-body", update.body, needed=True)
        if update.at > clock.now():
            raise Invalid(f"{update.name}-at", "This is in the future.")
        if past.started_at is not None and update.at < past.started_at:
            raise Invalid(f"{update.name}-at", "This is before the incident started.")
    for before, after in zip(past.in_order, past.in_order[1:], strict=False):
        if before.at == after.at:
            raise Invalid(f"{after.name}-at", "Another update has this time. Give each its own.")
    last = past.in_order[-1]
    if last.status not in CLOSED:
        raise Invalid(
            f"{last.name}-status",
            "The last update of a past incident is “Resolved”. Declare one that’s still open "
            "instead.",
        )
    if past.components and all(update.status in CLOSED for update in past.updates):
        raise Invalid(
            "components",
            "Enter an update from before it was resolved too, or choose no components: they count "
            "as affected from the first open update to the resolution.",
        )
    if all(update.status != IncidentStatus.RESOLVED for update in past.updates):
        raise Invalid(f"{last.name}-status", "Enter the update that resolved it too.")


def _as_published(
    session: Session, past: PastIncident, code: str, origin: str
) -> PublishedIncident:
    level = severity.level_of(session, past.severity_rank)
    usual = level.impact if level else Impact.NONE
    updates = tuple(
        PublishedUpdate(at=one.at, posted_at=one.at, status=one.status.value, body=one.body)
        for one in past.in_order
    )
    return PublishedIncident(
        where=f"incident {code}",
        origin=origin,
        code=code,
        kind=Kind.INCIDENT,
        title=past.title,
        impact=past.impact or usual,
        status=updates[-1].status,
        started_at=past.started_at or updates[0].at,
        updates=_with_effects(session, updates, past.components),
        monitoring_at=watched_from(updates),
        resolved_at=ended_at(updates),
        severity=(level.rank, level.name) if level else None,
    )


def _with_effects(
    session: Session, updates: Sequence[PublishedUpdate], states: Mapping[int, ComponentStatus]
) -> tuple[PublishedUpdate, ...]:
    """The updates with what they did: a component is in its state while the incident is open."""
    chosen = select(Component).where(Component.id.in_(states)).order_by(Component.id)
    components = session.scalars(chosen).all()
    operational = ComponentStatus.OPERATIONAL
    was_open, told = False, []
    for update in updates:
        is_open = update.status not in CLOSED
        effects = tuple(
            Effect(
                one.name,
                states[one.id] if was_open else operational,
                states[one.id] if is_open else operational,
                one.code,
            )
            for one in components
        )
        told.append(replace(update, effects=effects))
        was_open = is_open
    return tuple(told)
