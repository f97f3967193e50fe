"""What a tool sends of an incident over v1, as the verbs that a person's form calls.

Statuspage knows an impact where we know a severity: the level is the mildest whose impact is at
least as grave, and the impact is shown as it was sent.  A text is the public post alone; colleagues
and customers get theirs from their own templates.  No next update is promised: nobody has said
that one will come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.api.v1_values import (
    read_codes,
    read_flag,
    read_line,
    read_moment,
    read_states,
    read_text,
    term_of,
)
from statuspage.configuration import severity
from statuspage.configuration.public_names import let_texts_pass
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import (
    CLOSED,
    Audience,
    ComponentStatus,
    Impact,
    IncidentStatus,
    Kind,
    MaintenanceStatus,
    indicator_of,
)
from statuspage.core.errors import Invalid
from statuspage.importers.published import PublishedIncident, PublishedUpdate
from statuspage.importers.store import store_incidents
from statuspage.incidents import lifecycle, maintenance
from statuspage.incidents.inputs import Declaration, NewUpdate, check_body, check_title
from statuspage.incidents.maintenance import MaintenanceWindow, Plan
from statuspage.incidents.publish import Submission
from statuspage.incidents.tool_data import change_quietly
from statuspage.messages.compose import Text
from statuspage.models import Component, Incident
from statuspage.models.columns import new_code
from statuspage.recipients.who_receives import EVERYBODY, AudienceChoice

ORIGIN: Final = "api"
"""Where backfilled incidents come from, as imports name it."""

# Statuspage reminds an hour before.
_REMINDER: Final = 60
_NO_PROMISE: Final = "Posted by a tool"
_NOBODY_OUTSIDE: Final = AudienceChoice(
    frozenset({Audience.SUBSCRIBER, Audience.CUSTOMER}),
    because="A tool sent it without notifications",
)
_GATE_ANSWERED: Final = ("watched", "components", "customer_mail")
_STATUSES: Final = {*(one.value for one in IncidentStatus if one != IncidentStatus.POSTMORTEM)}


@dataclass(frozen=True, slots=True)
class IncidentBody:
    """An incident as a tool sent it; None for what it did not send, or sent empty.

    ``states`` are those of components by their rows' ids.
    """

    name: str | None = None
    status: str | None = None
    body: str | None = None
    impact: Impact | None = None
    states: Mapping[int, ComponentStatus] = field(default_factory=dict)
    notifies: bool = True
    metadata: Mapping[str, Any] | None = None
    backfilled_at: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    reminds: bool = False
    auto_starts: bool = True
    auto_ends: bool = True

    @property
    def is_planned(self) -> bool:
        """Whether it is about a maintenance."""
        return self.begins is not None or self.status in set(MaintenanceStatus)

    @property
    def texts(self) -> dict[Audience, Text]:
        """The public post, where one was sent."""
        return {Audience.PUBLIC: Text("", self.body)} if self.body else {}

    @property
    def tool_data(self) -> dict[str, Any]:
        """What is kept for the tool."""
        return {} if self.metadata is None else {"metadata": dict(self.metadata)}


def read_incident_body(session: Session, sent: Mapping[str, Any]) -> IncidentBody:
    """What was sent, checked value by value; raises :class:`Invalid`."""
    status = read_line(sent, "status")
    if status not in {None, *_STATUSES, *MaintenanceStatus}:
        allowed = [word.value for word in (*IncidentStatus, *MaintenanceStatus)]
        allowed.remove(IncidentStatus.POSTMORTEM)
        raise Invalid("status", f"Send one of: {', '.join(allowed)}")
    impact = read_line(sent, "impact_override")
    is_backfilled = read_flag(sent, "backfilled", default=False)
    backfilled_at = read_moment(sent, "backfill_date") or clock.now()
    starts = read_flag(sent, "scheduled_auto_transition", default=True)
    return IncidentBody(
        name=read_line(sent, "name"),
        status=status,
        # The older form of v1, which many tools still send, says "message".
        body=read_text(sent, "body") or read_text(sent, "message"),
        impact=term_of(impact, "impact_override", Impact) if impact else None,
        states=read_components(session, sent),
        notifies=read_flag(sent, "deliver_notifications", default=True),
        metadata=_read_metadata(sent),
        backfilled_at=backfilled_at if is_backfilled else None,
        begins=read_moment(sent, "scheduled_for"),
        ends=read_moment(sent, "scheduled_until"),
        reminds=read_flag(sent, "scheduled_remind_prior", default=False),
        auto_starts=read_flag(sent, "scheduled_auto_in_progress", default=starts),
        auto_ends=read_flag(sent, "scheduled_auto_completed", default=True),
    )


@needs(Permission.PUBLISH)
def create(body: IncidentBody, *, actor: Actor) -> str:
    """Declare, schedule or record an incident; its code.  Raises :class:`Invalid`."""
    if body.backfilled_at is not None:
        return _record(body, body.backfilled_at, actor)
    if body.is_planned:
        return _schedule(body, actor)
    if body.status == IncidentStatus.RESOLVED:
        # It was over before anybody was told of it.
        return _record(body, clock.now(), actor)
    worst = Impact.worst(map(indicator_of, body.states.values()), Impact.NONE)
    declaration = Declaration(
        title=body.name or "",
        severity_rank=rank_of(current_session(), body.impact or worst),
        users_notice=body.body or "",
        components=body.states,
        status=IncidentStatus(body.status or IncidentStatus.INVESTIGATING),
        no_promise_because=_NO_PROMISE,
        impact=body.impact,
        tool_data=body.tool_data,
    )
    return lifecycle.declare(declaration, _submission(body, actor)).code


@needs(Permission.PUBLISH)
def update(incident: Incident, body: IncidentBody, *, actor: Actor) -> None:
    """Do to an incident what a tool sent; raises :class:`Invalid`, and ``Conflict``."""
    if incident.kind is Kind.MAINTENANCE:
        _update_maintenance(incident, body, actor)
        return
    if body.is_planned:
        raise Invalid("status", "This is an incident, and no maintenance.")
    status = IncidentStatus(body.status or incident.status)
    is_update = status != incident.status or body.body or _changes_components(incident, body)
    if not is_update:
        change_quietly(
            incident.code, actor=actor, title=body.name, impact=body.impact,
            tool_data=body.tool_data,
        )  # fmt: skip
        return
    ends = status is IncidentStatus.RESOLVED
    is_new_impact = body.impact not in {None, incident.impact_override}
    rank = rank_of(current_session(), body.impact) if body.impact and is_new_impact else None
    change = NewUpdate(
        status,
        components=body.states,
        no_promise_because=_NO_PROMISE,
        severity_rank=None if ends else rank,
        although=dict.fromkeys(_GATE_ANSWERED, f"Resolved over the API by {actor.name}"),
        title=body.name,
        impact=body.impact,
        tool_data=body.tool_data,
    )
    reopens = not incident.is_open and status not in CLOSED
    verb = lifecycle.reopen if reopens else lifecycle.post_update
    verb(incident.code, change, _submission(body, actor))


def rank_of(session: Session, impact: Impact) -> int:
    """The rank of the mildest level whose impact is at least this; of the worst where none is."""
    levels = severity.severity_levels(session)
    fitting = [level.rank for level in levels if level.impact.gravity >= impact.gravity]
    return max(fitting, default=1)


def _changes_components(incident: Incident, body: IncidentBody) -> bool:
    stand = {row.component_id: row.status for row in incident.affected}
    return any(stand.get(one) != status for one, status in body.states.items())


def _update_maintenance(incident: Incident, body: IncidentBody, actor: Actor) -> None:
    code, present = incident.code, MaintenanceStatus(incident.status)
    if body.status in _STATUSES:
        raise Invalid("status", "This is a maintenance: its status is one of a maintenance.")
    status = MaintenanceStatus(body.status) if body.status else present
    if present is MaintenanceStatus.SCHEDULED and status is MaintenanceStatus.COMPLETED:
        maintenance.cancel(code, _submission(body, actor))
        return
    begins, ends = body.begins or incident.scheduled_for, body.ends or incident.scheduled_until
    moves = (begins, ends) != (incident.scheduled_for, incident.scheduled_until)
    window = MaintenanceWindow(begins, ends, incident.verify_minutes) if begins and ends else None
    if body.name or body.metadata is not None:
        change_quietly(code, actor=actor, title=body.name, tool_data=body.tool_data)
    if moves and window is not None:
        maintenance.move(code, window, _submission(body, actor))
    if status is not present or (body.body and not moves):
        maintenance.advance(code, status, _submission(body, actor))


def _schedule(body: IncidentBody, actor: Actor) -> str:
    if body.begins is None or body.ends is None:
        missing = "scheduled_for" if body.begins is None else "scheduled_until"
        raise Invalid(missing, "A maintenance has a start and an end; send both.")
    if body.status not in {None, MaintenanceStatus.SCHEDULED, MaintenanceStatus.IN_PROGRESS}:
        raise Invalid("status", "A maintenance is created as scheduled, or as in progress.")
    plan = Plan(
        title=body.name or "",
        what=body.body or body.name or "",
        scheduled_for=body.begins,
        scheduled_until=body.ends,
        component_ids=list(body.states),
        remind_minutes=_REMINDER if body.reminds else None,
        auto_starts=body.auto_starts,
        auto_ends=body.auto_ends,
        tool_data=body.tool_data,
    )
    code = maintenance.schedule(plan, _submission(body, actor)).code
    if body.status == MaintenanceStatus.IN_PROGRESS:
        maintenance.advance(code, MaintenanceStatus.IN_PROGRESS, Submission(actor, uuid4().hex))
    return code


def _record(body: IncidentBody, at: datetime, actor: Actor) -> str:
    """Keep an incident that is over: it is in the history, and nobody is notified."""
    if at > clock.now():
        raise Invalid("backfill_date", "This is in the future.")
    title, text = body.name or "", body.body or ""
    check_title(title)
    check_body("body", text, needed=True)
    let_texts_pass(current_session(), (("name", title), ("body", text)), reason="")
    status = IncidentStatus.RESOLVED.value
    code = new_code()
    store_incidents(
        [
            PublishedIncident(
                where=f"incident {code}",
                origin=ORIGIN,
                code=code,
                kind=Kind.INCIDENT,
                title=title,
                impact=body.impact or Impact.NONE,
                status=status,
                started_at=at,
                updates=(PublishedUpdate(at=at, posted_at=at, status=status, body=text),),
                resolved_at=at,
            )
        ],
        # Whoever may publish what goes on may record what is over.
        actor=replace(actor, permissions=actor.permissions | {Permission.IMPORT}),
        source=ORIGIN,
    )
    return code


def _submission(body: IncidentBody, actor: Actor) -> Submission:
    choice = EVERYBODY if body.notifies else _NOBODY_OUTSIDE
    return Submission(actor, uuid4().hex, texts=body.texts, choice=choice)


def _read_metadata(sent: Mapping[str, Any]) -> Mapping[str, Any] | None:
    value = sent.get("metadata")
    if value is None or value == "":
        return None
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        raise Invalid("metadata", "Send an object whose values are objects")
    return value


def read_components(session: Session, sent: Mapping[str, Any]) -> dict[int, ComponentStatus]:
    """Components with their states; one that is only named keeps the state that it has."""
    states = read_states(sent, "components")
    for code in read_codes(sent, "component_ids") or ():
        states.setdefault(code, None)
    chosen = select(Component).where(Component.code.in_(states), Component.removed_at.is_(None))
    known = {component.code: component for component in session.scalars(chosen)}
    for code in states:
        if code not in known:
            raise Invalid("components", f"There is no component “{code[:40]}”")
    return {known[code].id: status or known[code].status for code, status in states.items()}
