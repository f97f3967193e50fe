"""Severity schemes, and the rules of who hears what.

A scheme is data: four presets, one picked at set-up, every level editable afterwards.  The rules
read the levels; they never ask which preset it was.  'SEV1' means rank 1 of whatever is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.enums import CustomerMail, Impact, IncidentStatus, Kind, Role
from statuspage.models import Incident, SeverityLevel


@dataclass(frozen=True, slots=True)
class Level:
    """A preset's level; times are minutes unless they say otherwise."""

    name: str
    description: str
    impact: Impact
    respond_minutes: int | None = None
    resolve_minutes: int | None = None
    cadence_minutes: int | None = None
    watch_minutes: int | None = None
    needs_approval: bool = False
    customer_mail: CustomerMail = CustomerMail.NEVER
    review_hours: int | None = None
    review_business_days: int | None = None
    escalation: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scheme:
    """A preset: its name, what it is, and its levels, worst first."""

    name: str
    title: str
    levels: tuple[Level, ...]


_HOUR, _DAY = 60, 24 * 60

PRESETS: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "sev",
            "SEV1 to SEV3",
            (
                Level(
                    "SEV1",
                    "An outage, or the core flow is broken",
                    Impact.CRITICAL,
                    respond_minutes=15,
                    cadence_minutes=30,
                    watch_minutes=30,
                    customer_mail=CustomerMail.RESOLVED,
                    review_hours=48,
                    escalation=((30, "technical_lead"), (60, "commander")),
                ),
                Level(
                    "SEV2",
                    "A major feature is degraded",
                    Impact.MAJOR,
                    respond_minutes=60,
                    cadence_minutes=60,
                    watch_minutes=15,
                ),
                Level(
                    "SEV3",
                    "A minor fault with a workaround",
                    Impact.MINOR,
                    respond_minutes=_DAY,
                ),
            ),
        ),
        Scheme(
            "p0",
            "P0 to P3",
            (
                Level(
                    "P0",
                    "Everything is down, or data is being lost",
                    Impact.CRITICAL,
                    respond_minutes=0,
                    resolve_minutes=4 * _HOUR,
                    cadence_minutes=15,
                    watch_minutes=30,
                    customer_mail=CustomerMail.RESOLVED,
                    review_hours=48,
                    escalation=((0, "on_call"),),
                ),
                Level(
                    "P1",
                    "Core functions are broken and users are blocked",
                    Impact.MAJOR,
                    respond_minutes=_HOUR,
                    resolve_minutes=_DAY,
                    cadence_minutes=30,
                    watch_minutes=15,
                    review_hours=48,
                    escalation=((15, "on_call"),),
                ),
                Level(
                    "P2",
                    "A major feature is degraded; there is a workaround",
                    Impact.MINOR,
                    respond_minutes=4 * _HOUR,
                    resolve_minutes=3 * _DAY,
                ),
                Level(
                    "P3",
                    "A small fault that few users meet",
                    Impact.NONE,
                    respond_minutes=_DAY,
                    resolve_minutes=14 * _DAY,
                ),
            ),
        ),
        Scheme(
            "p1",
            "P1 to P4",
            (
                Level(
                    "P1",
                    "A complete outage, or data is lost",
                    Impact.CRITICAL,
                    respond_minutes=15,
                    cadence_minutes=30,
                    watch_minutes=30,
                    customer_mail=CustomerMail.EVERY_UPDATE,
                    review_business_days=3,
                    escalation=((30, "technical_lead"), (60, "management")),
                ),
                Level(
                    "P2",
                    "A major feature is unavailable",
                    Impact.MAJOR,
                    respond_minutes=_HOUR,
                    cadence_minutes=60,
                    watch_minutes=15,
                    customer_mail=CustomerMail.EVERY_UPDATE,
                    review_business_days=3,
                    escalation=((30, "technical_lead"),),
                ),
                Level(
                    "P3",
                    "Slow, or partly out",
                    Impact.MINOR,
                    respond_minutes=4 * _HOUR,
                ),
                Level(
                    "P4",
                    "A minor fault with a workaround",
                    Impact.NONE,
                    respond_minutes=_DAY,
                ),
            ),
        ),
        Scheme(
            "critical",
            "Critical to Low",
            (
                Level(
                    "Critical",
                    "A major effect on users; everybody on it at once",
                    Impact.CRITICAL,
                    respond_minutes=15,
                    cadence_minutes=30,
                    watch_minutes=30,
                    customer_mail=CustomerMail.RESOLVED,
                    review_hours=48,
                ),
                Level(
                    "High",
                    "A significant effect; perhaps a workaround",
                    Impact.MAJOR,
                    respond_minutes=_HOUR,
                    cadence_minutes=60,
                    watch_minutes=15,
                    review_hours=48,
                ),
                Level(
                    "Medium",
                    "A moderate effect; can be planned",
                    Impact.MINOR,
                    respond_minutes=4 * _HOUR,
                ),
                Level("Low", "Hardly felt", Impact.NONE, respond_minutes=_DAY),
            ),
        ),
    )
}


ESCALATED_TO: dict[str, str] = {
    "on_call": "On-call engineer",
    Role.TECHNICAL_LEAD.value: Role.TECHNICAL_LEAD.label,
    Role.COMMANDER.value: Role.COMMANDER.label,
    Role.COMMS_LEAD.value: Role.COMMS_LEAD.label,
    "management": "Management",
}
"""Whom a level may be escalated to: the roles of an incident, and two that stand outside of it."""

FALLBACK_IMPACT = Impact.MINOR
"""The impact of an incident whose severity level does not exist any more."""


def install_scheme(session: Session, name: str) -> None:
    """Replace all severity levels by a preset's; ``KeyError`` for an unknown preset."""
    preset = PRESETS[name]
    for old in severity_levels(session):
        session.delete(old)
    session.flush()
    for rank, level in enumerate(preset.levels, start=1):
        session.add(
            SeverityLevel(
                rank=rank,
                name=level.name,
                description=level.description,
                impact=level.impact,
                respond_minutes=level.respond_minutes,
                resolve_minutes=level.resolve_minutes,
                cadence_minutes=level.cadence_minutes,
                watch_minutes=level.watch_minutes,
                needs_approval=level.needs_approval,
                customer_mail=level.customer_mail,
                review_hours=level.review_hours,
                review_business_days=level.review_business_days,
                escalation=[
                    {"after_minutes": minutes, "to": role} for minutes, role in level.escalation
                ],
            )
        )


def severity_levels(session: Session) -> list[SeverityLevel]:
    """The levels of the chosen scheme, worst first."""
    return list(session.scalars(select(SeverityLevel).order_by(SeverityLevel.rank)))


def level_of(session: Session, rank: int | None) -> SeverityLevel | None:
    """The level of that rank; None where the scheme has none (any more)."""
    return session.scalars(select(SeverityLevel).filter_by(rank=rank)).one_or_none()


def writes_to_customers(session: Session, incident: Incident, status: str) -> bool:
    """Whether a public post with this status mails the customers of the affected components.

    A resolution asks the worst level that the incident ever had, so a SEV1 that was downgraded on
    the way still tells everybody it touched; other posts ask the present one.  Nothing internal
    and no maintenance ever mails a customer.
    """
    if not incident.tells_outsiders or incident.kind is not Kind.INCIDENT:
        return False
    is_resolution = status == IncidentStatus.RESOLVED
    if is_resolution and incident.was_rank_one:
        return True
    rank = incident.worst_rank if is_resolution else incident.severity_rank
    level = level_of(session, rank)
    if level is None or level.customer_mail is CustomerMail.NEVER:
        return False
    return is_resolution or level.customer_mail is CustomerMail.EVERY_UPDATE


def promise_next_update(level: SeverityLevel | None, moment: datetime) -> datetime | None:
    """When the level's cadence has the next public update due; None where it promises none."""
    if level is None or level.cadence_minutes is None:
        return None
    return (moment + timedelta(minutes=level.cadence_minutes)).replace(second=0, microsecond=0)


def promised(
    level: SeverityLevel | None, moment: datetime, wanted: datetime | None, *, because: str | None
) -> datetime | None:
    """When a post's next update is due: when it says, or by the level's cadence.

    So no promise is forgotten: a post goes without one only where the level has no cadence, or
    where it says why (``because``).
    """
    if wanted is not None or because is not None:
        return wanted
    return promise_next_update(level, moment)


def review_due(level: SeverityLevel | None, resolved_at: datetime) -> datetime | None:
    """When the level's review is due: hours after the end, or business days (Monday to Friday)."""
    if level is None:
        return None
    if level.review_hours is not None:
        return resolved_at + timedelta(hours=level.review_hours)
    if level.review_business_days is None:
        return None
    due, left = resolved_at, level.review_business_days
    while left:
        due += timedelta(days=1)
        left -= due.weekday() < 5
    return due
