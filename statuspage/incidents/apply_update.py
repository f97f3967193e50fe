"""The rows that a verb writes: the incident, locked, new, changed or copied; and its update."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, make_transient

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission
from statuspage.configuration import owners, severity
from statuspage.core import clock
from statuspage.core.enums import (
    CLOSED,
    Impact,
    IncidentRole,
    IncidentStatus,
    Kind,
    Step,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.incidents.idempotency import code_for
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.messages.incident_facts import internal_after, public_after, told_by, with_slip
from statuspage.models import Incident, IncidentUpdate
from statuspage.models.columns import LINE_LIMIT, new_code
from statuspage.recipients.drill_recipients import as_stored


def permission_to_change(incident: Incident) -> Permission:
    """What changing an incident needs: an internal one, a drill too, is no publication."""
    return Permission.DRAFT if incident.is_internal else Permission.PUBLISH


def locked(session: Session, code: str, *, kind: Kind) -> Incident:
    """The incident as it stands now, kept from others until the end; :class:`Invalid` for none."""
    incident = session.scalars(
        select(Incident)
        .filter_by(code=code, kind=kind)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if incident is None:
        raise Invalid(kind.value, f"This {kind.value} does not exist.")
    return incident


def declared(session: Session, declaration: Declaration, moment: datetime) -> Incident:
    """The incident that a declaration describes, not yet in any session."""
    level = severity.level_of(session, declaration.severity_rank)
    told = told_by({}, {}, "", declaration.public_facts, declaration.internal_facts,
                 declaration.users_notice)  # fmt: skip
    code, drill = code_for(declaration.form_key), declaration.drill
    return Incident(
        code=code,
        # Written out because a preview's row never meets the database and its defaults.
        kind=Kind.INCIDENT,
        title=declaration.title,
        status=declaration.status.value,
        impact=declaration.impact or (level.impact if level else severity.FALLBACK_IMPACT),
        impact_override=declaration.impact,
        tool_data=dict(declaration.tool_data),
        visibility=Visibility.INTERNAL if drill else declaration.visibility,
        severity_rank=declaration.severity_rank,
        severity_name=level.name if level else None,
        worst_rank=declaration.severity_rank,
        started_at=declaration.started_at or moment,
        monitoring_at=moment if declaration.status is IncidentStatus.MONITORING else None,
        created_at=moment,
        updated_at=moment,
        next_update_at=severity.promised(
            level,
            moment,
            declaration.next_update_at,
            because=declaration.no_promise_because,
        ),
        users_notice=declaration.users_notice,
        public_facts=public_after({}, declaration.public_facts),
        internal_facts=internal_after({}, declaration.internal_facts, moment, "Declared", told),
        chat_channel=declaration.chat_channel,
        war_room=declaration.war_room,
        resolutions=0,
        closing={},
        is_drill=drill is not None,
        drill_list=as_stored(drill.people, drill.rooms) if drill else [],
        entry_id=current_links().incident_entry(code, moment),
        template_key=declaration.template_key[:64],
        **{f"{role.value}_id": _holder(session, declaration, role) for role in IncidentRole},
    )


def _holder(session: Session, declaration: Declaration, role: IncidentRole) -> int | None:
    """Who holds a role, by their id: who was chosen; an owner leads the technical work else."""
    chosen = declaration.roles.get(role)
    if chosen is not None or role is not IncidentRole.TECHNICAL_LEAD:
        return chosen
    owner = owners.first_owner(owners.owned(session, declaration.components))
    return owner.id if owner else None


def apply_update_to(
    session: Session, incident: Incident, update: NewUpdate, moment: datetime, *, reopens: bool
) -> None:
    """Change the columns of an incident, saved or a copy, to what an update says."""
    happened_at = update.happened_at or moment
    if update.severity_rank is not None:
        set_severity(session, incident, update.severity_rank)
    if update.title is not None:
        incident.title = update.title
    if update.impact is not None:
        incident.impact = incident.impact_override = update.impact
    told = told_by(incident.public_facts, incident.internal_facts, incident.users_notice or "",
                 update.public_facts, update.internal_facts, update.users_notice)  # fmt: skip
    if update.users_notice is not None:
        incident.users_notice = update.users_notice
    facts = public_after(incident.public_facts, update.public_facts)
    is_over = update.status in CLOSED
    incident.public_facts = facts if is_over else with_slip(incident.public_facts, facts, moment)
    incident.tool_data = {**incident.tool_data, **update.tool_data}
    label = step_of(update, reopens=reopens).label
    incident.internal_facts = internal_after(
        incident.internal_facts, update.internal_facts, happened_at, label, told
    )
    is_new = incident.status != update.status.value
    incident.status = update.status.value
    incident.updated_at = moment
    level = severity.level_of(session, incident.severity_rank)
    incident.next_update_at = severity.promised(
        level, moment, update.next_update_at, because=update.no_promise_because
    )
    if reopens:
        incident.resolved_at = None
        incident.closing = {}
        incident.review_due_at = None
        incident.merged_into = None
        if incident.cancelled_at is not None:
            incident.cancelled_at = None
            incident.impact = level.impact if level else severity.FALLBACK_IMPACT
    if update.status is IncidentStatus.MONITORING and (is_new or not incident.monitoring_at):
        incident.monitoring_at = happened_at
    if update.status in CLOSED:
        incident.next_update_at = None
    if update.status is IncidentStatus.RESOLVED:
        incident.resolved_at = happened_at
        incident.resolutions += 1
        worst = severity.level_of(session, incident.worst_rank)
        incident.review_due_at = severity.review_due(worst, happened_at)
    if update.false_alarm:
        # As of a maintenance that does not take place: nothing was wrong, so nobody felt anything.
        incident.cancelled_at = happened_at
        incident.impact = Impact.NONE
        incident.review_due_at = None


def step_of(update: NewUpdate, *, reopens: bool) -> Step:
    """The step that an update is, as the templates name it."""
    if update.false_alarm:
        return Step.FALSE_ALARM
    return Step.REOPENED if reopens else Step(update.status.value)


def set_severity(session: Session, incident: Incident, rank: int) -> None:
    """Give an incident that level and its impact; none that the scheme does not have."""
    level = severity.level_of(session, rank)
    if level is None or rank == incident.severity_rank:
        return
    incident.severity_rank = rank
    incident.severity_name = level.name
    incident.impact = incident.impact_override or level.impact
    incident.worst_rank = min(rank, incident.worst_rank or rank)


def detached_copy(incident: Incident) -> Incident:
    """The same columns on a row of no session, so that a preview can change it freely."""
    columns = inspect(Incident).column_attrs
    values = {
        column.key: getattr(incident, column.key) for column in columns if column.key != "begins_at"
    }
    copy = Incident(**values)
    make_transient(copy)
    return copy


def add_update(
    session: Session,
    incident: Incident,
    *,
    status: str,
    actor: Actor,
    form_key: str,
    happened_at: datetime | None = None,
    reopens: bool = False,
    no_promise_because: str | None = None,
) -> IncidentUpdate:
    """A new update, dated now and still without its text; its feed id is made here, for ever."""
    moment = clock.now()
    code = new_code()
    update = IncidentUpdate(
        code=code,
        incident_id=incident.id,
        status=status,
        visibility=incident.visibility,
        body="",
        happened_at=happened_at or moment,
        posted_at=moment,
        reopens=reopens,
        next_update_at=incident.next_update_at,
        no_promise_because=(no_promise_because or "")[:LINE_LIMIT],
        entry_id=current_links().update(incident.code, code),
        form_key=form_key,
        account_id=actor.account_id,
    )
    session.add(update)
    session.flush()
    return update
