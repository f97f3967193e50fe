"""Rows for tests: plain functions that add to a session and flush, never commit.

Times not given are told backwards from `NOON`, a fixed moment, so that results can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from statuspage.configuration.severity import install_scheme
from statuspage.core.enums import ComponentStatus, Impact, IncidentStatus, Kind, Visibility
from statuspage.core.links import Links
from statuspage.models import (
    Component,
    ComponentGroup,
    Incident,
    IncidentComponent,
    IncidentUpdate,
    Page,
    PublicNotice,
    SeverityLevel,
)

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LINKS = Links("https://status.example.com")

_numbers = count(1)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def code(number: int) -> str:
    """A code that tells its number: ``c00000000007``."""
    return f"c{number:011d}"


def make_page(session: Session, *, scheme: str = "sev", **settings: Any) -> Page:
    """The page with its severity levels, set up on the first day of 2026."""
    set_up_at = datetime(2026, 1, 1, tzinfo=UTC)
    page = Page(
        **{
            "code": "page00000000",
            "name": "Acme",
            "time_zone": "UTC",
            "scheme": scheme,
            "support_email": "help@example.com",
            "set_up_at": set_up_at,
            "created_at": set_up_at,
            "updated_at": set_up_at,
            **settings,
        }
    )
    session.add(page)
    install_scheme(session, scheme)
    # Tests of the gate ask for it.
    session.execute(update(SeverityLevel).values(watch_minutes=None))
    session.flush()
    return page


def make_group(session: Session, name: str = "Shop", **columns: Any) -> ComponentGroup:
    """A heading for components."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    group = ComponentGroup(**{"name": name, "created_at": at, "updated_at": at, **columns})
    session.add(group)
    session.flush()
    return group


def make_component(session: Session, name: str = "Checkout", **columns: Any) -> Component:
    """A component that works, unless ``status`` says otherwise."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    component = Component(
        **{
            "name": name,
            "status": ComponentStatus.OPERATIONAL,
            "created_at": at,
            "updated_at": at,
            **columns,
        }
    )
    session.add(component)
    session.flush()
    return component


def make_notice(session: Session, title: str = "Slow networks", **columns: Any) -> str:
    """A notice that began a day ago; its code."""
    at = NOON - timedelta(days=1)
    values = {
        "code": code(next(_numbers)), "title": title, "body": "**Please** read this.",
        "begins_at": at, "entry_id": f"tag:example.com,{title}", "created_at": at,
        "updated_at": at, **columns,
    }  # fmt: skip
    session.add(PublicNotice(**values))
    return str(values["code"])


def make_incident(
    session: Session,
    title: str = "Payments fail",
    *,
    updates: Sequence[str | tuple[str, str] | Mapping[str, Any]] = ("investigating",),
    components: Mapping[Component, ComponentStatus] | Iterable[Component] = (),
    started_at: datetime = NOON - timedelta(hours=2),
    step_minutes: float = 10,
    **columns: Any,
) -> Incident:
    """An incident with posts ``step_minutes`` apart, the first when it started; the last settles
    it.

    Each of ``updates`` is a status, a pair of status and body, or a mapping of columns.
    """
    affected = (
        dict(components)
        if isinstance(components, Mapping)
        else dict.fromkeys(components, ComponentStatus.PARTIAL_OUTAGE)
    )
    posts = [_as_columns(update) for update in updates]
    for place, post in enumerate(posts):
        post.setdefault("happened_at", started_at + minutes(step_minutes * place))
        post.setdefault("posted_at", post["happened_at"])
    status = posts[-1]["status"] if posts else IncidentStatus.INVESTIGATING.value
    moments = {post["status"]: post["happened_at"] for post in posts}
    rank = columns.get("severity_rank")
    number = next(_numbers)
    incident = Incident(
        **{
            "code": code(number),
            "title": title,
            "kind": Kind.INCIDENT,
            "status": status,
            "impact": Impact.MAJOR,
            "started_at": started_at,
            "monitoring_at": moments.get("monitoring"),
            "resolved_at": moments.get("resolved") or moments.get("completed"),
            "created_at": started_at,
            "updated_at": posts[-1]["posted_at"] if posts else started_at,
            "worst_rank": rank,
            "resolutions": sum(post["status"] == "resolved" for post in posts),
            "entry_id": LINKS.incident(code(number)),
            **columns,
        }
    )
    session.add(incident)
    session.flush()
    for component, state in affected.items():
        session.add(
            IncidentComponent(incident_id=incident.id, component_id=component.id, status=state)
        )
    for post in posts:
        add_update(session, incident, **post)
    session.flush()
    return incident


def make_maintenance(
    session: Session,
    title: str = "Database upgrade",
    *,
    updates: Sequence[str | tuple[str, str] | Mapping[str, Any]] = ("scheduled",),
    scheduled_for: datetime = NOON + timedelta(days=2),
    scheduled_until: datetime | None = None,
    **columns: Any,
) -> Incident:
    """Planned work, announced two days before `NOON` and lasting two hours."""
    return make_incident(
        session,
        title,
        updates=updates,
        **{
            "kind": Kind.MAINTENANCE,
            "impact": Impact.MAINTENANCE,
            "started_at": NOON - timedelta(days=2),
            "scheduled_for": scheduled_for,
            "scheduled_until": scheduled_until or scheduled_for + timedelta(hours=2),
            **columns,
        },
    )


def add_update(session: Session, incident: Incident, **columns: Any) -> IncidentUpdate:
    """One more post; the incident itself is left as it is."""
    number = next(_numbers)
    moment = columns.get("happened_at") or NOON
    update = IncidentUpdate(
        **{
            "code": code(number),
            "incident_id": incident.id,
            "status": incident.status,
            "visibility": Visibility.PUBLIC,
            "body": f"We are {incident.status}.",
            "happened_at": moment,
            "posted_at": moment,
            "affected": [],
            "entry_id": LINKS.update(incident.code, columns.get("code", code(number))),
            **columns,
        }
    )
    session.add(update)
    session.flush()
    return update


def the_page(session: Session) -> Page:
    """The one page."""
    return session.scalars(select(Page)).one()


def _as_columns(update: str | tuple[str, str] | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(update, str):
        return {"status": update, "body": f"This is {update}."}
    if isinstance(update, tuple):
        return {"status": update[0], "body": update[1]}
    return dict(update)
