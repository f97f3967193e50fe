"""The gate before a resolution: what should hold, and why it goes on where something does not.

Nothing here is forbidden for good: whoever knows better says why, and the reason is kept with the
post and in the audit trail.  What is internal concerns nobody outside, and has no gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.configuration import severity
from statuspage.core import clock
from statuspage.core.enums import Audience, ComponentStatus, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.incidents.announcement import Announcement, of_update
from statuspage.incidents.drafts import Texts, drafts
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.incidents.resolution.approval import approval_of, state
from statuspage.models import Approval, Component, Incident, IncidentUpdate
from statuspage.recipients.who_receives import EVERYBODY, AudienceChoice

LONGEST_REASON: Final = 500

WHY_NOT: Final = {
    "watched": "The fix wasn’t monitored as long as the severity requires. Say why it’s "
    "resolved anyway.",
    "components": "Not everything is restored. Say why it’s resolved anyway.",
    "approval": "No one has approved exactly this. Request approval, or say why it "
    "doesn’t need one.",
    "customer_mail": "Customers are promised an email when this is resolved. Enter why they get "
    "none.",
}
"""What is asked where something does not hold, by its name."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What holds before a resolution, and what does not.

    ``watched`` is None where the fix is not being watched, ``watch_for`` where the severity does
    not ask for it; ``not_back`` names components that stay impaired.
    """

    watched: timedelta | None
    watch_for: timedelta | None
    not_back: tuple[str, ...]
    needs_approval: bool = False
    approval: Approval | None = None
    leaves_customers_out: bool = False

    @property
    def lacks(self) -> tuple[str, ...]:
        """The names of what does not hold."""
        is_approved = self.approval is not None and self.approval.approved_at is not None
        holds = {
            "watched": self.watch_for is None or (self.watched or timedelta()) >= self.watch_for,
            "components": not self.not_back,
            "approval": is_approved or not self.needs_approval,
            "customer_mail": not self.leaves_customers_out,
        }
        return tuple(name for name, does in holds.items() if not does)


def inspect(
    session: Session,
    incident: Incident,
    update: NewUpdate,
    texts: Texts,
    *,
    choice: AudienceChoice = EVERYBODY,
    announced: tuple[Announcement, Sequence[Draft]] | None = None,
) -> Gate:
    """What would hold if this update, with these edited texts, resolved the incident.

    ``choice`` leaves audiences out: of the worst severity's resolution, the customers only with a
    reason of its own.

    ``announced`` are its announcement and drafts, where they are made already.  Changes nothing.
    """
    level = severity.level_of(session, incident.worst_rank)
    ended = update.happened_at or clock.now()
    since = watched_since(incident.updates)
    is_watched = incident.tells_outsiders and not update.false_alarm
    minutes = level.watch_minutes if level and is_watched else None
    needs_approval = bool(level and level.needs_approval and incident.tells_outsiders)
    approval = None
    if needs_approval:
        # An update that cannot be made at all is refused where it is made.
        with suppress(Invalid):
            announcement = (
                announced[0] if announced else replace(of_update(incident, update), choice=choice)
            )
            made = announced[1] if announced else drafts(announcement, texts)
            statement = state(incident, update, announcement, made)
            approval = approval_of(session, incident, statement.fingerprint)
    return Gate(
        watched=None if since is None else max(ended - since, timedelta()),
        watch_for=None if minutes is None else timedelta(minutes=minutes),
        not_back=_not_back(session, incident, update) if incident.tells_outsiders else (),
        needs_approval=needs_approval,
        approval=approval,
        leaves_customers_out=is_watched
        and (incident.was_rank_one or update.severity_rank == 1)
        and Audience.CUSTOMER in choice.left_out,
    )


def watched_since(updates: Iterable[IncidentUpdate]) -> datetime | None:
    """Since when updates leave an incident “Monitoring” without a break; None where they do not."""
    since = None
    for update in updates:
        if update.status != IncidentStatus.MONITORING:
            since = None
        elif since is None:
            since = update.happened_at
    return since


def let_through(gate: Gate, update: NewUpdate) -> dict[str, str]:
    """The reasons that are kept; :class:`Invalid` on ``because_…`` where one is missing."""
    reasons = {name: update.although.get(name, "").strip()[:LONGEST_REASON] for name in gate.lacks}
    for name, reason in reasons.items():
        if not reason:
            raise Invalid(f"because_{name}", WHY_NOT[name])
    return reasons


def _not_back(session: Session, incident: Incident, update: NewUpdate) -> tuple[str, ...]:
    """The components that the update leaves impaired; all others are operational after it."""
    impaired = [
        id_
        for id_, status in update.components.items()
        if status is not ComponentStatus.OPERATIONAL
    ]
    chosen = select(Component.name).where(Component.id.in_(impaired))
    return tuple(session.scalars(chosen.order_by(Component.position, Component.id)))
