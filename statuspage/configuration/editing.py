"""What people may edit of each thing, and how a change is kept: in the trail, and never blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import Base
from statuspage.core.enums import CustomerMail, Impact
from statuspage.core.languages import ENGLISH
from statuspage.models import Component, ComponentGroup, Contact, Metric, Page, SeverityLevel
from statuspage.models.page import USUAL_CAUSES


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What the page says about itself, and where people turn."""

    name: str
    about: str = ""
    time_zone: str = "UTC"
    language: str = ENGLISH
    support_email: str = ""
    support_url: str = ""
    sign_off: str = ""
    incident_channel: str = ""
    no_change_email_minutes: int = 60
    cause_categories: str = USUAL_CAUSES
    ticket_numbers: str = ""
    takes_reports: bool = False


def first_settings(name: str, *, time_zone: str, support_email: str = "") -> PageSettings:
    """What a page begins with; the rest can wait."""
    return PageSettings(
        name=name,
        time_zone=time_zone,
        support_email=support_email,
        sign_off=f"The {name} team",
        incident_channel="#incidents",
    )


@dataclass(frozen=True, slots=True)
class GroupDetails:
    """A heading that components stand under."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ComponentDetails:
    """A part of the product, apart from its state."""

    name: str
    description: str = ""
    group_id: int | None = None
    only_show_if_degraded: bool = False


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who answers for a component, and where to turn; contacts by their ids."""

    owner_id: int | None = None
    stand_in_id: int | None = None
    team_channel: str = ""
    runbook: str = ""
    vendor_contact: str = ""


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """A colleague who can be named on an incident."""

    name: str
    role: str = ""
    email: str = ""
    chat_handle: str = ""
    reached_by: str = ""


@dataclass(frozen=True, slots=True)
class MetricDetails:
    """A number that the page draws; without a ``query`` for Prometheus, tools send it."""

    name: str
    unit: str = ""
    decimals: int = 0
    component_id: int | None = None
    query: str = ""
    is_shown: bool = True


@dataclass(frozen=True, slots=True)
class LevelRules:
    """A severity level's rules; times are minutes unless they say otherwise.

    ``escalation`` is ``[{"after_minutes": 30, "to": "technical_lead"}]``, soonest first.
    """

    name: str
    description: str
    impact: Impact
    respond_minutes: int | None = None
    resolve_minutes: int | None = None
    cadence_minutes: int | None = None
    note_minutes: int | None = None
    watch_minutes: int | None = None
    needs_approval: bool = False
    customer_mail: CustomerMail = CustomerMail.NEVER
    review_hours: int | None = None
    review_business_days: int | None = None
    escalation: Sequence[dict[str, Any]] = field(default_factory=list)


Editable = (
    PageSettings
    | GroupDetails
    | ComponentDetails
    | Ownership
    | ContactDetails
    | MetricDetails
    | LevelRules
)
Edited = TypeVar("Edited", bound=Editable)


def read_as(kind: type[Edited], row: Base) -> Edited:
    """The editable fields of a row."""
    return kind(**{part.name: getattr(row, part.name) for part in fields(kind)})


def change_row(
    session: Session,
    row: Page | ComponentGroup | Component | Contact | Metric | SeverityLevel,
    values: Editable,
    *,
    actor: Actor,
    action: str,
    seen: str | None,
) -> bool:
    """Write what differs, with its audit entry; returns whether anything did."""
    saved = read_as(type(values), row)
    wanted, before = asdict(values), asdict(saved)
    changed = [name for name in wanted if wanted[name] != before[name]]
    if not changed:
        return False
    check_unchanged(seen, fingerprint(saved), saved)
    subject = row.name
    for name in changed:
        setattr(row, name, wanted[name])
    audit.record(
        session,
        actor,
        action,
        subject_kind=action.split(".")[0],
        subject=subject,
        before={name: before[name] for name in changed},
        after={name: wanted[name] for name in changed},
    )
    return True


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add an entry to the trail; the kind of its subject is what stands before the action's dot."""
    audit.record(
        session,
        actor,
        action,
        subject_kind=action.split(".")[0],
        subject=subject,
        before=before,
        after=after,
    )
