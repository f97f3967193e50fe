"""Severity: the schemes to choose from, the levels of the chosen one, and what a level asks for.

A scheme is data: four presets, one picked at set-up, every level editable afterwards.  The rules
read the levels; they never ask which preset it was.  'SEV1' means rank 1 of whatever is chosen.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import LevelRules, change_row, record
from statuspage.core.db import read_once, writing
from statuspage.core.enums import CustomerMail, Impact, IncidentRole, IncidentStatus, Kind
from statuspage.core.errors import Invalid
from statuspage.models import Incident, Page, SeverityLevel


@dataclass(frozen=True, slots=True)
class Scheme:
    """A preset: its name, what it is, and its levels, worst first."""

    name: str
    title: str
    levels: tuple[LevelRules, ...]
    # Its closing checklist as it is shipped: see statuspage.configuration.closing_list.
    closing: str


def _read_level(level: dict[str, Any]) -> LevelRules:
    mail = CustomerMail(level.pop("customer_mail", CustomerMail.NEVER))
    return LevelRules(**level | {"impact": Impact(level["impact"]), "customer_mail": mail})


def _read_presets() -> dict[str, Scheme]:
    text = Path(__file__).with_name("severity_presets.toml").read_text(encoding="utf-8")
    schemes = tomllib.loads(text)
    closing = schemes.pop("closing")
    return {
        name: Scheme(
            name,
            scheme["title"],
            tuple(map(_read_level, scheme["levels"])),
            scheme.get("closing", closing).strip(),
        )
        for name, scheme in schemes.items()
    }


PRESETS: Final = _read_presets()
"""The presets by name, as ``severity_presets.toml`` beside this module has them."""

VENDOR: Final = "vendor"

ESCALATED_TO: dict[str, str] = {
    "on_call": "On-call engineer",
    IncidentRole.TECHNICAL_LEAD.value: IncidentRole.TECHNICAL_LEAD.label,
    IncidentRole.COMMANDER.value: IncidentRole.COMMANDER.label,
    IncidentRole.COMMS_LEAD.value: IncidentRole.COMMS_LEAD.label,
    "owner": "Component’s owner",
    "management": "Management",
    VENDOR: "Vendor support",
}
"""Whom a level may be escalated to: the roles of an incident, and who stands outside of it."""

FALLBACK_IMPACT = Impact.MINOR
"""The impact of an incident whose severity level does not exist any more."""


def install_scheme(session: Session, name: str) -> None:
    """Replace all severity levels by a preset's; ``KeyError`` for an unknown preset."""
    preset = PRESETS[name]
    for old in severity_levels(session):
        session.delete(old)
    session.flush()
    for rank, level in enumerate(preset.levels, start=1):
        session.add(SeverityLevel(rank=rank, **asdict(level)))


@needs(Permission.SETTINGS)
def choose_scheme(name: str, *, actor: Actor) -> None:
    """Replace all levels by a preset's; incidents keep the name of the level that they had."""
    if name not in PRESETS:
        raise Invalid("scheme", "Pick one of the schemes")
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        before, page.scheme = page.scheme, name
        install_scheme(session, name)
        record(
            session,
            actor,
            "scheme.choose",
            PRESETS[name].title,
            before={"scheme": before},
            after={"scheme": name},
        )


@needs(Permission.SETTINGS)
def change_level(
    level_id: int, rules: LevelRules, *, actor: Actor, seen: str | None = None
) -> None:
    """Change a level's words and rules; :class:`Invalid` for a name that another level has."""
    with writing() as session:
        level = session.get_one(SeverityLevel, level_id, with_for_update=True)
        others = session.scalars(
            select(SeverityLevel.name).where(SeverityLevel.id != level_id)
        ).all()
        if rules.name.casefold() in {other.casefold() for other in others}:
            raise Invalid("name", "Another level has this name")
        change_row(session, level, rules, actor=actor, action="level.change", seen=seen)


def severity_levels(session: Session) -> list[SeverityLevel]:
    """The levels of the chosen scheme, worst first."""
    chosen = select(SeverityLevel).order_by(SeverityLevel.rank)
    return list(read_once(session, "severity levels", lambda: session.scalars(chosen).all()))


def level_of(session: Session, rank: int | None) -> SeverityLevel | None:
    """The level of that rank; None where the scheme has none (any more)."""
    return next((level for level in severity_levels(session) if level.rank == rank), None)


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
