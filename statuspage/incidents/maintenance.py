"""Maintenance: schedule, remind, start, verify, complete, move, cancel.

A maintenance is an incident like an incident, with a window instead of a severity.  Its components
are under maintenance from its start to its end; the worker reminds of it, starts and ends it by
itself when its time has come, once, however late that is noticed; a late start says so.  One that
is to be verified goes on for that long after its planned end, and then completes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from statuspage.access.audit import SYSTEM
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.enums import (
    RUNNING,
    Audience,
    ComponentStatus,
    Impact,
    Kind,
    MaintenanceStatus,
    Step,
    Visibility,
)
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.incidents.announcement import Announcement, affected_components, states_of
from statuspage.incidents.apply_update import detached_copy, locked
from statuspage.incidents.component_states import at_the_end, set_state
from statuspage.incidents.idempotency import code_for, posted_with
from statuspage.incidents.inputs import check_body, check_title
from statuspage.incidents.publish import Publication, Submission, begin, publish
from statuspage.messages.facts import TRANSLATIONS
from statuspage.models import Incident, IncidentUpdate

UNDER_MAINTENANCE = ComponentStatus.UNDER_MAINTENANCE
# A day ahead people can still plan around it.
USUAL_REMINDER = 24 * 60
LONGEST_REMINDER = 30 * 24 * 60
LONGEST_VERIFYING = 24 * 60
# A start noticed within this is on time for whoever reads of it.
LATE_AFTER = timedelta(minutes=5)
AS_ANNOUNCED = "It was announced like this and continues automatically."


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """When a maintenance begins and ends, and for how many minutes it verifies after that."""

    begins: datetime
    ends: datetime
    verify_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A maintenance as it is planned; ``what`` says in Markdown what is done and what is felt.

    ``remind_minutes`` before it begins people are reminded, unless it is announced later than that.
    From its planned end on it verifies for ``verify_minutes``, if any, before it completes.
    ``auto_starts`` and ``auto_ends`` say whether it takes these steps without anybody.
    ``form_key`` is the key of the form that it is typed into, as for a declaration.
    ``translations`` are title and notice in further languages, by language and name of the fact.
    """

    title: str
    what: str
    scheduled_for: datetime
    scheduled_until: datetime
    component_ids: Collection[int] = ()
    remind_minutes: int | None = USUAL_REMINDER
    verify_minutes: int | None = None
    auto_starts: bool = True
    auto_ends: bool = True
    form_key: str = ""
    tool_data: Mapping[str, Any] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def announcement_of_plan(plan: Plan) -> Announcement:
    """The step that scheduling it would be; changes nothing and raises as the verb does."""
    check_plan(plan)
    session, moment = current_session(), clock.now()
    named = states_of(session, dict.fromkeys(plan.component_ids, ComponentStatus.OPERATIONAL))
    planned = _planned(plan, code_for(plan.form_key), moment)
    return Announcement(session, planned, Step.SCHEDULED, named, moment)


def announcement_of_step(
    maintenance: Incident,
    status: MaintenanceStatus,
    *,
    window: MaintenanceWindow | None = None,
    cancels: bool = False,
) -> Announcement:
    """The next step, perhaps in another window or cancelled; changes nothing.

    Raises :class:`Invalid` as the verb does.
    """
    _check_step(maintenance, status)
    session, moment = current_session(), clock.now()
    copy = detached_copy(maintenance)
    if window is not None:
        copy.scheduled_for, copy.scheduled_until = window.begins, window.ends
        copy.verify_minutes = window.verify_minutes
    if _begins_verifying(maintenance, status):
        copy.scheduled_until = _end_of_verifying(maintenance, moment)
    copy.cancelled_at = moment if cancels else None
    copy.status = status.value
    return Announcement(
        session,
        copy,
        Step(status.value),
        affected_components(session, maintenance),
        moment,
        saved=maintenance,
        still=_is_still(maintenance, status),
        late=_is_late(maintenance, status, moment),
    )


@needs(Permission.PUBLISH)
def schedule(plan: Plan, submission: Submission) -> Incident:
    """Announce a maintenance; raises :class:`Invalid`."""
    check_plan(plan)
    with writing() as session:
        earlier = posted_with(session, submission.form_key)
        return earlier.incident if earlier else publish_plan(session, plan, submission)


def publish_plan(
    session: Session, plan: Plan, submission: Submission, *, series_id: int | None = None
) -> Incident:
    """What :func:`schedule` does, within its caller's transaction; perhaps one of a series."""
    maintenance = _planned(plan, code_for(plan.form_key), clock.now())
    if series_id is not None:
        maintenance.series_id, maintenance.occurs_at = series_id, plan.scheduled_for
    session.add(maintenance)
    session.flush()
    for component_id in plan.component_ids:
        # Named now, shown as under maintenance only from the start on.
        set_state(session, maintenance, component_id, ComponentStatus.OPERATIONAL)
    publish(
        session, maintenance, submission, Publication("maintenance.schedule", Step.SCHEDULED),
        after=lambda _: {
            "title": plan.title,
            "scheduled_for": plan.scheduled_for,
            "scheduled_until": plan.scheduled_until,
        },
    )  # fmt: skip
    return maintenance


def replan(session: Session, maintenance: Incident, plan: Plan, submission: Submission) -> None:
    """Give one that has not started another plan and say so, within its caller's transaction."""
    before = _as_record(maintenance)
    maintenance.title, maintenance.users_notice = plan.title, plan.what
    maintenance.public_facts = _translated(plan)
    maintenance.scheduled_for = maintenance.started_at = plan.scheduled_for
    maintenance.scheduled_until = plan.scheduled_until
    maintenance.remind_minutes = plan.remind_minutes
    maintenance.remind_at = _reminder_due(plan.scheduled_for, plan.remind_minutes)
    maintenance.verify_minutes = plan.verify_minutes
    maintenance.updated_at = clock.now()
    for row in list(maintenance.affected):
        if row.component_id not in plan.component_ids:
            session.delete(row)
    session.flush()
    session.expire(maintenance, ["affected"])
    for component_id in plan.component_ids:
        set_state(session, maintenance, component_id, ComponentStatus.OPERATIONAL)
    publication = Publication("maintenance.replan", Step.SCHEDULED)
    after = _as_record(maintenance)
    publish(session, maintenance, submission, publication, before=before, after=lambda _: after)


@needs(Permission.PUBLISH)
def advance(code: str, status: MaintenanceStatus, submission: Submission) -> IncidentUpdate:
    """Start, verify or complete by hand, or post another update at the present status.

    Raises :class:`Invalid`, :class:`~statuspage.core.conflict.Conflict`.
    """
    with writing() as session:
        maintenance, earlier = begin(session, code, submission, kind=Kind.MAINTENANCE)
        if earlier is not None:
            return earlier
        _check_step(maintenance, status)
        return _advance(session, maintenance, status, submission)


@needs(Permission.PUBLISH)
def move(code: str, window: MaintenanceWindow, submission: Submission) -> IncidentUpdate:
    """Move the window, or extend it while it runs, and say so.

    Raises :class:`Invalid`, :class:`~statuspage.core.conflict.Conflict`.
    """
    with writing() as session:
        maintenance, earlier = begin(session, code, submission, kind=Kind.MAINTENANCE)
        if earlier is not None:
            return earlier
        status = MaintenanceStatus(maintenance.status)
        _check_step(maintenance, status)
        _check_window(window.begins, window.ends)
        _check_verifying(window.verify_minutes)
        before = _as_record(maintenance)
        if status is MaintenanceStatus.SCHEDULED:
            maintenance.scheduled_for = maintenance.started_at = window.begins
            maintenance.remind_at = _reminder_due(window.begins, maintenance.remind_minutes)
        maintenance.scheduled_until = window.ends
        maintenance.verify_minutes = window.verify_minutes
        maintenance.updated_at = clock.now()
        still = _is_still(maintenance, status)
        publication = Publication("maintenance.move", Step(status.value), still=still)
        after = _as_record(maintenance)
        return publish(
            session, maintenance, submission, publication, before=before, after=lambda _: after
        )


@needs(Permission.PUBLISH)
def cancel(code: str, submission: Submission) -> IncidentUpdate:
    """Call it off before it starts, and say so; raises as :func:`move` does."""
    with writing() as session:
        maintenance, earlier = begin(session, code, submission, kind=Kind.MAINTENANCE)
        if earlier is not None:
            return earlier
        if maintenance.status != MaintenanceStatus.SCHEDULED:
            raise Invalid("status", "Only maintenance that hasn’t started can be cancelled.")
        return cancel_scheduled(session, maintenance, submission)


def cancel_scheduled(
    session: Session, maintenance: Incident, submission: Submission
) -> IncidentUpdate:
    """What :func:`cancel` does to one that has not started, within its caller's transaction."""
    maintenance.cancelled_at = clock.now()
    return _advance(
        session, maintenance, MaintenanceStatus.COMPLETED, submission, action="maintenance.cancel"
    )


def advance_due() -> int:
    """Remind of, start, verify and end what is due; returns the count of steps.  The worker's."""
    return sum(
        _take_due_step(code)
        for code in current_session().scalars(select(Incident.code).where(_due()))
    )


def _take_due_step(code: str) -> int:
    with writing() as session:
        maintenance = locked(session, code, kind=Kind.MAINTENANCE)
        submission = Submission(
            SYSTEM, uuid4().hex, overrides=dict.fromkeys(Audience, AS_ANNOUNCED)
        )
        status = _due_status(maintenance)
        if status is None:
            return _remind_if_due(session, maintenance, submission)
        _advance(session, maintenance, status, submission)
        return 1


def _remind_if_due(session: Session, maintenance: Incident, submission: Submission) -> int:
    due_at = maintenance.remind_at
    is_scheduled = maintenance.status == MaintenanceStatus.SCHEDULED
    if not is_scheduled or due_at is None or due_at > clock.now():
        return 0
    maintenance.remind_at, maintenance.updated_at = None, clock.now()
    publish(session, maintenance, submission, Publication("maintenance.remind", Step.REMINDER))
    return 1


def _due() -> ColumnElement[bool]:
    moment = clock.now()
    reminders = (Incident.status == MaintenanceStatus.SCHEDULED.value) & (
        Incident.remind_at <= moment
    )
    starts = (
        (Incident.status == MaintenanceStatus.SCHEDULED.value)
        & (Incident.scheduled_for <= moment)
        & Incident.auto_starts
    )
    ends = Incident.status.in_(RUNNING) & (Incident.scheduled_until <= moment) & Incident.auto_ends
    return (
        (Incident.kind == Kind.MAINTENANCE)
        & Incident.resolved_at.is_(None)
        & Incident.origin.is_(None)
        & (reminders | starts | ends)
    )


def _due_status(maintenance: Incident) -> MaintenanceStatus | None:
    moment = clock.now()
    starts_at, ends_at = maintenance.scheduled_for, maintenance.scheduled_until
    if maintenance.status == MaintenanceStatus.SCHEDULED and starts_at and starts_at <= moment:
        return MaintenanceStatus.IN_PROGRESS if maintenance.auto_starts else None
    if maintenance.status not in RUNNING or ends_at is None or ends_at > moment:
        return None
    if not maintenance.auto_ends:
        return None
    # Noticed after the time to verify, it is over as well.
    verifies = maintenance.status == MaintenanceStatus.IN_PROGRESS and (
        moment < ends_at + timedelta(minutes=maintenance.verify_minutes or 0)
    )
    return MaintenanceStatus.VERIFYING if verifies else MaintenanceStatus.COMPLETED


def _end_of_verifying(maintenance: Incident, moment: datetime) -> datetime | None:
    """When verifying that begins now is to end: not before the planned end, nor too short."""
    planned, minutes = maintenance.scheduled_until, maintenance.verify_minutes
    if planned is None or minutes is None:
        return planned
    return max(planned, min(planned, moment) + timedelta(minutes=minutes))


def _planned(plan: Plan, code: str, moment: datetime) -> Incident:
    """The incident that a plan describes, not yet in any session."""
    return Incident(
        code=code,
        kind=Kind.MAINTENANCE,
        title=plan.title,
        status=MaintenanceStatus.SCHEDULED.value,
        impact=Impact.MAINTENANCE,
        visibility=Visibility.PUBLIC,
        users_notice=plan.what,
        public_facts=_translated(plan),
        internal_facts={},
        resolutions=0,
        started_at=plan.scheduled_for,
        scheduled_for=plan.scheduled_for,
        scheduled_until=plan.scheduled_until,
        remind_minutes=plan.remind_minutes,
        remind_at=_reminder_due(plan.scheduled_for, plan.remind_minutes),
        verify_minutes=plan.verify_minutes,
        auto_starts=plan.auto_starts,
        auto_ends=plan.auto_ends,
        tool_data=dict(plan.tool_data),
        created_at=moment,
        updated_at=moment,
        entry_id=current_links().incident_entry(code, moment),
    )


def _translated(plan: Plan) -> dict[str, Any]:
    return {TRANSLATIONS: dict(plan.translations)} if plan.translations else {}


def _as_record(maintenance: Incident) -> dict[str, object]:
    return {
        "scheduled_for": maintenance.scheduled_for,
        "scheduled_until": maintenance.scheduled_until,
        "verify_minutes": maintenance.verify_minutes,
    }


def _is_still(maintenance: Incident, status: MaintenanceStatus) -> bool:
    """Whether an update repeats the status of work that has begun."""
    return status is not MaintenanceStatus.SCHEDULED and maintenance.status == status


def _begins_verifying(maintenance: Incident, status: MaintenanceStatus) -> bool:
    return status is MaintenanceStatus.VERIFYING and maintenance.status != status


def _is_late(maintenance: Incident, status: MaintenanceStatus, moment: datetime) -> bool:
    """Whether a step begins the work later than was announced."""
    if maintenance.status != MaintenanceStatus.SCHEDULED or status not in RUNNING:
        return False
    planned = maintenance.scheduled_for
    return planned is not None and moment - planned >= LATE_AFTER


def _reminder_due(scheduled_for: datetime, minutes: int | None) -> datetime | None:
    """When to remind; None where nobody asked for it, or what is said now is the reminder."""
    if minutes is None:
        return None
    due_at = scheduled_for - timedelta(minutes=minutes)
    return due_at if due_at > clock.now() else None


def _advance(
    session: Session,
    maintenance: Incident,
    status: MaintenanceStatus,
    submission: Submission,
    *,
    action: str = "maintenance.advance",
) -> IncidentUpdate:
    moment, before = clock.now(), maintenance.status
    states: Mapping[int, ComponentStatus] = {}
    if status is MaintenanceStatus.COMPLETED:
        maintenance.resolved_at = moment
        states = at_the_end(maintenance, {})
    elif before == MaintenanceStatus.SCHEDULED != status:
        maintenance.started_at = moment
        states = {row.component_id: UNDER_MAINTENANCE for row in maintenance.affected}
    if _begins_verifying(maintenance, status):
        maintenance.scheduled_until = _end_of_verifying(maintenance, moment)
    publication = Publication(
        action,
        Step(status.value),
        states,
        still=_is_still(maintenance, status),
        late=_is_late(maintenance, status, moment),
    )
    maintenance.status, maintenance.updated_at = status.value, moment
    if action == "maintenance.cancel":
        return publish(session, maintenance, submission, publication)
    # The worker writes no text of its own: its audit entry has none.
    is_by_hand = submission.actor is not SYSTEM
    return publish(
        session, maintenance, submission, publication, before={"status": before},
        after=lambda update: {"status": status, **({"body": update.body} if is_by_hand else {})},
    )  # fmt: skip


def _check_step(maintenance: Incident, status: MaintenanceStatus) -> None:
    if not maintenance.is_open:
        raise Invalid("status", "This maintenance is over. Correct an update, or schedule another.")
    if status.gravity < MaintenanceStatus(maintenance.status).gravity:
        raise Invalid("status", "Maintenance can’t go back a step.")


def check_plan(plan: Plan) -> None:
    """Raise :class:`Invalid` for the first thing that is wrong with it."""
    check_title(plan.title)
    check_body("what", plan.what, needed=True)
    _check_window(plan.scheduled_for, plan.scheduled_until)
    _check_reminder(plan.remind_minutes)
    _check_verifying(plan.verify_minutes)


def _check_verifying(minutes: int | None) -> None:
    if minutes is not None and not 0 < minutes <= LONGEST_VERIFYING:
        raise Invalid("verify_minutes", "Verify for at least a minute and at most a day.")


def _check_window(scheduled_for: datetime, scheduled_until: datetime) -> None:
    if scheduled_until <= scheduled_for:
        raise Invalid("scheduled_until", "It must end after it starts.")
    if scheduled_until <= clock.now():
        raise Invalid("scheduled_until", "This window has already passed.")


def _check_reminder(minutes: int | None) -> None:
    if minutes is not None and not 0 < minutes <= LONGEST_REMINDER:
        raise Invalid("remind_minutes", "Remind at least a minute and at most 30 days before.")
