"""Incident templates: what a declaration begins with, for troubles that come again.

Those that are shipped stand here; the table keeps only what was added, changed or removed, so that
restoring one is forgetting its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.blocked_terms import blocked_terms_of
from statuspage.configuration.editing import record
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.messages.checks import Blocked, blocking, find_in_name
from statuspage.messages.facts import PUBLIC, Use
from statuspage.models import Component, IncidentTemplate
from statuspage.models.columns import new_code

FACTS: Final = tuple(fact.name for fact in PUBLIC if Use.TEMPLATES in fact.use)
"""The facts that a template fills in."""

CHECKED: Final = ("title", *FACTS)


@dataclass(frozen=True, slots=True)
class TemplateDetails:
    """What a template fills in; ``components`` are names, one per line, taken where they exist."""

    label: str
    title: str
    users_notice: str
    severity_rank: int | None = None
    components: str = ""
    state: ComponentStatus = ComponentStatus.PARTIAL_OUTAGE
    workaround: str = ""
    action: str = ""
    runbook: str = ""
    calls_management: bool = False

    @property
    def names(self) -> list[str]:
        """The names of its components."""
        return [name for line in self.components.splitlines() if (name := line.strip())]

    def facts(self) -> dict[str, str]:
        """The facts that a declaration begins with, by name."""
        return {name: getattr(self, name) for name in FACTS}


@dataclass(frozen=True, slots=True)
class Template:
    """A template as it stands; ``is_changed`` tells that a shipped one says something else now."""

    key: str
    details: TemplateDetails
    is_shipped: bool
    is_changed: bool = False


_OUT, _PARTLY, _SLOW = (
    ComponentStatus.MAJOR_OUTAGE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.DEGRADED_PERFORMANCE,
)

SHIPPED: Final[dict[str, TemplateDetails]] = {
    "database": TemplateDetails(
        "Database",
        "Data can’t be loaded or saved",
        "Some pages show errors instead of your data, and changes may not be saved.",
        1,
        "Database",
        _OUT,
        "Please keep a copy of what you enter until this is resolved.",
        "We’re restoring access to the data and will then check that it’s complete.",
    ),
    "api": TemplateDetails(
        "API failures",
        "Requests to the API fail",
        "Some requests to our API fail or time out. Applications that use it may not "
        "work as usual.",
        2,
        "API",
        _PARTLY,
        "Retry failed requests with exponential backoff.",
        "We’re finding out which requests are affected and restoring them.",
    ),
    "slowness": TemplateDetails(
        "Slowness",
        "Pages load slowly",
        "Pages take longer to load than usual, and some actions may need to be retried.",
        2,
        "Website\nStorefront\nApp",
        _SLOW,
        "",
        "We’re looking for the cause.",
    ),
    "security": TemplateDetails(
        "Security",
        "We’re investigating a security issue",
        "We’ve noticed unexpected activity on our service. We’re investigating what "
        "happened and who is affected.",
        1,
        "",
        _PARTLY,
        "If you get an unexpected request for your password, don’t enter it, and let us know.",
        "We’re protecting accounts and data first. We’ll contact everyone affected directly.",
        calls_management=True,
    ),
    "payments": TemplateDetails(
        "Payment provider",
        "Payments are declined or delayed",
        "Some payments are declined or take longer than usual to be confirmed.",
        1,
        "Payments\nPayment processing\nCheckout",
        _PARTLY,
        "Please don’t pay twice: an unconfirmed payment may still go through.",
        "We’re working with our payment provider.",
    ),
    "checkout": TemplateDetails(
        "Checkout",
        "Orders can’t be completed",
        "Orders can’t be completed: the last step ends with an error.",
        1,
        "Checkout",
        _OUT,
        "",
        "We’re restoring the checkout.",
    ),
    "mail": TemplateDetails(
        "E-mail",
        "Emails arrive late or not at all",
        "Emails from our service, such as confirmations and sign-in links, arrive late "
        "or not at all.",
        3,
        "E-mail\nEmail\nNotifications",
        _SLOW,
        "Check your spam folder before requesting another.",
        "We’re restoring delivery.",
    ),
    "third-party": TemplateDetails(
        "Third party",
        "Some features are unavailable",
        "Some features that depend on another company’s service aren’t working as usual.",
        2,
        "",
        _PARTLY,
        "",
        "We’re in contact with that company and are working on a workaround.",
    ),
}


def incident_templates(session: Session) -> list[Template]:
    """The templates as they stand: the shipped ones in their order, then those that were added."""
    rows = _rows(session)
    shipped = [
        Template(key, _details(rows[key]) if key in rows else details, True, key in rows)
        for key, details in SHIPPED.items()
        if key not in rows or not rows[key].removed
    ]
    added = [Template(key, _details(row), False) for key, row in rows.items() if key not in SHIPPED]
    return [*shipped, *sorted(added, key=lambda one: one.details.label.casefold())]


def removed_templates(session: Session) -> list[Template]:
    """The shipped ones that were removed."""
    rows = _rows(session)
    return [
        Template(key, details, True, True)
        for key, details in SHIPPED.items()
        if key in rows and rows[key].removed
    ]


def find_template(session: Session, key: str) -> Template | None:
    """The template of that key, unless it was removed."""
    return next((one for one in incident_templates(session) if one.key == key), None)


def components_of(session: Session, details: TemplateDetails) -> dict[int, ComponentStatus]:
    """The components that a template names and that are on the page, with its state for them."""
    wanted = {name.casefold() for name in details.names}
    present = session.execute(
        select(Component.id, Component.name).where(Component.removed_at.is_(None))
    )
    return {row[0]: details.state for row in present if row[1].casefold() in wanted}


@needs(Permission.TEMPLATES)
def save_template(
    key: str | None,
    details: TemplateDetails,
    *,
    actor: Actor,
    seen: str | None = None,
    because: str = "",
) -> str:
    """Add a template, or change the one of that key; its key.

    :class:`Invalid` for what outsiders should not read, unless ``because`` says why it stays.
    """
    with writing() as session:
        saved = find_template(session, key) if key else None
        if key and saved is None:
            raise Invalid("form", "This template has been removed.")
        if saved:
            check_unchanged(seen, fingerprint(saved.details), saved.details)
        _check(session, details, because=because)
        key = key or f"own-{new_code()}"
        row = _row(session, key)
        row.details, row.removed, row.updated_at = asdict(details), False, clock.now()
        record(
            session, actor, "template.change" if saved else "template.add", details.label,
            before=asdict(saved.details) if saved else None,
            after={**asdict(details), **({"because": because} if because else {})},
        )  # fmt: skip
        return key


@needs(Permission.TEMPLATES)
def import_templates(
    found: Mapping[str, TemplateDetails], *, source: str, actor: Actor, preview: bool = False
) -> int:
    """Add templates of another product by what each is known by there; how many are new.

    One that came before stays as it was made here.  What it says is checked when it is published.
    """
    with writing() as session:
        known = _rows(session)
        new = {
            key: details
            for name, details in found.items()
            if (key := f"from-{sha256(name.encode()).hexdigest()[:16]}") not in known
        }
        for key, details in () if preview else new.items():
            session.add(IncidentTemplate(key=key, details=asdict(details), removed=False))
            after = {**asdict(details), "source": source}
            record(session, actor, "template.add", details.label, after=after)
        return len(new)


@needs(Permission.TEMPLATES)
def remove_template(key: str, *, actor: Actor) -> None:
    """Take a template out of the choice; a shipped one can be restored."""
    with writing() as session:
        saved = find_template(session, key)
        if saved is None:
            return
        row = _row(session, key)
        if saved.is_shipped:
            row.details, row.removed, row.updated_at = asdict(saved.details), True, clock.now()
        else:
            session.delete(row)
        record(session, actor, "template.remove", saved.details.label)


@needs(Permission.TEMPLATES)
def restore_template(key: str, *, actor: Actor) -> None:
    """Have a shipped template say again what it was shipped with."""
    with writing() as session:
        row = _rows(session).get(key)
        if row is None or key not in SHIPPED:
            return
        session.delete(row)
        record(session, actor, "template.restore", SHIPPED[key].label)


def _check(session: Session, details: TemplateDetails, *, because: str) -> None:
    if because:
        return
    own = blocked_terms_of(session)
    for field in CHECKED:
        held = blocking(find_in_name(getattr(details, field), own=own))
        if held:
            raise Blocked(field, held)


def _rows(session: Session) -> dict[str, IncidentTemplate]:
    rows = session.scalars(select(IncidentTemplate).order_by(IncidentTemplate.id))
    return {row.key: row for row in rows}


def _row(session: Session, key: str) -> IncidentTemplate:
    row = _rows(session).get(key)
    if row is None:
        row = IncidentTemplate(key=key, details={}, removed=False)
        session.add(row)
    return row


def _details(row: IncidentTemplate) -> TemplateDetails:
    # Rows from before a field was added lack it.
    known = (part.name for part in fields(TemplateDetails))
    stored = {name: row.details[name] for name in known if name in row.details}
    return TemplateDetails(**{**stored, "state": ComponentStatus(stored["state"])})
