"""Scheduled updates: posted by the worker at their time, through the pipeline that the form uses.

One is rehearsed when it is scheduled and checked again when its time comes.  Where something has
changed since, it is not posted, and its author is reminded.  Posting it and removing it from here
are one transaction with the incident locked, so it is posted once, however many workers look and
whenever one of them dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import accounts, audit
from statuspage.access.audit import SYSTEM, Actor
from statuspage.access.permissions import Forbidden, Permission, needs, require
from statuspage.core import clock
from statuspage.core.conflict import Conflict, check_unchanged
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, ComponentStatus, Impact, IncidentStatus, Kind, Step
from statuspage.core.errors import Invalid
from statuspage.incidents import lifecycle
from statuspage.incidents.announcement import incident_facts, of_update
from statuspage.incidents.apply_update import locked, permission_to_change
from statuspage.incidents.drafts import drafts
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.incidents.notify_staff import call_colleagues
from statuspage.incidents.publish import Submission
from statuspage.messages.compose import Text
from statuspage.models import Account, Contact, Incident, IncidentUpdate, ScheduledUpdate
from statuspage.models.columns import LINE_LIMIT
from statuspage.recipients.who_receives import AudienceChoice

LATEST: Final = timedelta(minutes=10)
"""So long after its time an update is still posted; later, somebody looks at it first."""

GROWTH: Final = 2
LEAST_GROWTH: Final = 10
"""An audience has grown where it is that many times as large, and larger by that many people."""

_CHANGED: Final = "The incident has changed since this update was scheduled."
_MOMENTS: Final = ("next_update_at", "happened_at")


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """An update and its time; ``form`` is what was typed, to edit it.

    ``reopens`` and ``publishes`` are as for the verbs of an update.  ``replaces`` is the id of the
    scheduled update that its author edits.
    """

    publish_at: datetime
    update: NewUpdate
    reopens: bool = False
    publishes: bool = False
    form: Sequence[tuple[str, str]] = field(default=())
    replaces: int = 0


@needs(Permission.DRAFT)
def schedule(incident_code: str, planned: PlannedPost, submission: Submission) -> ScheduledUpdate:
    """Have an update posted at its time; sent twice, the form schedules it once.

    It is refused where it could not be posted now.  Raises :class:`Invalid`, on ``publish_at`` for
    the time, and :class:`~statuspage.core.conflict.Conflict`.
    """
    actor, key = submission.actor, _key(submission.form_key)
    if actor.account_id is None:
        raise Invalid("publish_at", "Only someone with an account can schedule an update.")
    _check_times(planned)
    earlier = _by_key(key)
    if earlier is not None:
        return earlier
    submission = replace(submission, form_key=key)
    _rehearse(incident_code, planned, submission)
    with writing() as session:
        incident = locked(session, incident_code, kind=Kind.INCIDENT)
        check_unchanged(submission.seen_version, incident.version, incident)
        row = session.scalars(select(ScheduledUpdate).filter_by(incident_id=incident.id)).first()
        if row is not None and row.id != planned.replaces:
            raise Invalid("publish_at", "Another update is scheduled already. Edit or cancel it.")
        seen = _as_seen(incident, planned, submission)
        if row is None:
            row = ScheduledUpdate(incident_id=incident.id)
            session.add(row)
        row.account_id, row.publish_at, row.form_key = actor.account_id, planned.publish_at, key
        row.form = [list(pair) for pair in planned.form]
        row.posting = _written(planned, submission)
        row.checked = seen
        row.seen_version, row.scheduled_at = incident.version, clock.now()
        row.held_at, row.held_because = None, ""
        audit.record(
            session, actor, "incident.schedule_update", subject_kind="incident",
            subject=incident.code,
            after={
                "publish_at": planned.publish_at, "status": planned.update.status,
                "body": seen["text"],
            },
        )  # fmt: skip
        return row


@needs(Permission.DRAFT)
def cancel(incident_code: str, *, actor: Actor) -> bool:
    """Forget the scheduled update of an incident; whether there was one."""
    with writing() as session:
        incident = locked(session, incident_code, kind=Kind.INCIDENT)
        require(actor, permission_to_change(incident))
        row = session.scalars(select(ScheduledUpdate).filter_by(incident_id=incident.id)).first()
        if row is None:
            return False
        session.delete(row)
        audit.record(
            session, actor, "incident.cancel_scheduled", subject_kind="incident",
            subject=incident.code,
            before={"publish_at": row.publish_at, "body": row.checked.get("text")},
        )  # fmt: skip
        return True


def scheduled_on(session: Session, incident: Incident) -> tuple[ScheduledUpdate, str] | None:
    """The scheduled update of an incident with its author's name; None where there is none."""
    row = session.execute(
        select(ScheduledUpdate, Account.name)
        .join(Account, Account.id == ScheduledUpdate.account_id)
        .where(ScheduledUpdate.incident_id == incident.id)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def status_of_scheduled(row: ScheduledUpdate) -> IncidentStatus:
    """The status that it sets."""
    return IncidentStatus(row.posting["update"]["status"])


def publish_due() -> int:
    """Post what is due; how many updates were posted.  The worker's duty."""
    due = select(ScheduledUpdate.id).where(
        ScheduledUpdate.publish_at <= clock.now(), ScheduledUpdate.held_at.is_(None)
    )
    return sum(_take(row_id) for row_id in current_session().scalars(due).all())


def _take(row_id: int) -> bool:
    try:
        with writing() as session:
            row = _waiting(session, row_id)
            if row is None:
                return False
            _post(session, row)
            session.delete(row)
            return True
    except Conflict:
        reason = _CHANGED
    except Forbidden:
        reason = "Its author may no longer publish it."
    except Invalid as refused:
        reason = refused.reason
    _hold(row_id, reason)
    return False


def _post(session: Session, row: ScheduledUpdate) -> None:
    """Post it as its author; raises where it is not to be posted."""
    account = session.get_one(Account, row.account_id)
    if account.disabled_at is not None:
        raise Invalid("account", "Its author’s account is disabled.")
    if clock.now() - row.publish_at > LATEST:
        raise Invalid("publish_at", "It could not be posted at its time.")
    incident = session.get_one(Incident, row.incident_id)
    actor = replace(accounts.as_actor(account), origin="scheduled update")
    planned, submission = _read(row, actor)
    check_unchanged(row.seen_version, incident.version, incident)
    _compare(row.checked, _as_seen(incident, planned, submission))
    post_scheduled(session, incident.code, planned, submission)


@needs(Permission.DRAFT)
def post_scheduled(
    session: Session, incident_code: str, planned: PlannedPost, submission: Submission
) -> IncidentUpdate:
    """Post a scheduled update within the caller's transaction; raises as the form's verbs do."""
    return lifecycle.post_within(
        session,
        incident_code,
        planned.update,
        submission,
        reopens=planned.reopens,
        publishes=planned.publishes,
    )


def _hold(row_id: int, reason: str) -> None:
    """Keep it from being posted, and remind its author."""
    with writing() as session:
        row = _waiting(session, row_id)
        if row is None:
            return
        row.held_at, row.held_because = clock.now(), reason[:LINE_LIMIT]
        incident = session.get_one(Incident, row.incident_id)
        author = session.get_one(Account, row.account_id)
        facts = incident_facts(incident, Step.NOT_POSTED)
        internal = replace(facts.internal, asked=author.name, not_posted_because=row.held_because)
        call_colleagues(
            session,
            incident,
            replace(facts, internal=internal),
            step=Step.NOT_POSTED,
            step_key=f"not_posted:{row.form_key}",
            people={Contact(name=author.name, email=author.email): "Scheduled the update"},
        )
        audit.record(
            session, SYSTEM, "incident.scheduled_not_posted", subject_kind="incident",
            subject=incident.code,
            after={"publish_at": row.publish_at, "because": row.held_because},
        )  # fmt: skip


def _waiting(session: Session, row_id: int) -> ScheduledUpdate | None:
    """A scheduled update that is due as it stands now, its incident locked; None for another."""
    code = session.scalar(
        select(Incident.code)
        .join(ScheduledUpdate, ScheduledUpdate.incident_id == Incident.id)
        .where(ScheduledUpdate.id == row_id)
    )
    if code is None:
        return None
    locked(session, code, kind=Kind.INCIDENT)
    row = session.get(ScheduledUpdate, row_id, populate_existing=True)
    is_due = row is not None and row.held_at is None and row.publish_at <= clock.now()
    return row if is_due else None


class _Rehearsed(Exception):
    """Takes back what a rehearsal wrote."""


def _rehearse(incident_code: str, planned: PlannedPost, submission: Submission) -> None:
    """Raise what posting it now would raise; nothing of it stays."""
    try:
        with writing() as session:
            post_scheduled(session, incident_code, planned, submission)
            raise _Rehearsed
    except _Rehearsed:
        return


def _check_times(planned: PlannedPost) -> None:
    if planned.publish_at <= clock.now():
        raise Invalid("publish_at", "This time has passed. Choose a later one, or leave it empty.")
    promised = planned.update.next_update_at
    if promised is not None and promised <= planned.publish_at:
        raise Invalid("next_update_at", "The next update must be due after this one is posted.")


# --- what its author saw -------------------------------------------------------------------------


def _as_seen(incident: Incident, planned: PlannedPost, submission: Submission) -> dict[str, Any]:
    """What counts as changed where it is not the same later: findings, and how many are emailed."""
    announcement = of_update(
        incident, planned.update, reopens=planned.reopens, publishes=planned.publishes
    )
    made = drafts(replace(announcement, choice=submission.choice), submission.texts)
    return {
        "text": made[0].as_sent.body,
        "findings": sorted({words for draft in made for words in _findings(draft)}),
        "emails": {name: number for draft in made for name, number in _emails(draft)},
    }


def _findings(draft: Draft) -> list[str]:
    """What the checks say; of what only warns, no more than the rule, for times in it may move."""
    return [f"{one.reason} “{one.excerpt}”" if one.blocks else one.reason for one in draft.findings]


def _emails(draft: Draft) -> list[tuple[str, int]]:
    if draft.left_out is not None:
        return []
    if draft.audience is Audience.CUSTOMER:
        return [("customers", draft.recipients)]
    return [("subscribers", draft.by_mail.total)] if draft.by_mail is not None else []


def _compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise :class:`Invalid` where the checks find more, or far more people would be emailed."""
    new = [words for words in now["findings"] if words not in before["findings"]]
    if new:
        raise Invalid("findings", f"The checks find something new: {new[0]}")
    for name, number in now["emails"].items():
        seen = before["emails"].get(name, 0)
        if number > seen * GROWTH and number - seen >= LEAST_GROWTH:
            raise Invalid(
                "emails",
                f"It would email {number:,} {name} now; when it was scheduled it was {seen:,}.",
            )


# --- as it is stored -----------------------------------------------------------------------------


def _key(form_key: str) -> str:
    """What it is posted with: another key than its form's, which may post something else."""
    return blake2b(f"scheduled {form_key}".encode(), digest_size=16).hexdigest()


def _by_key(key: str) -> ScheduledUpdate | None:
    return current_session().scalars(select(ScheduledUpdate).filter_by(form_key=key)).one_or_none()


def _written(planned: PlannedPost, submission: Submission) -> dict[str, Any]:
    update = asdict(planned.update)
    for name in _MOMENTS:
        update[name] = update[name].isoformat() if update[name] else None
    choice = submission.choice
    return {
        "update": update,
        "reopens": planned.reopens,
        "publishes": planned.publishes,
        "texts": {one.value: [text.subject, text.body] for one, text in submission.texts.items()},
        "overrides": {one.value: reason for one, reason in submission.overrides.items()},
        "left_out": sorted(one.value for one in choice.left_out),
        "because": choice.because,
    }


def _read(row: ScheduledUpdate, actor: Actor) -> tuple[PlannedPost, Submission]:
    kept, update = row.posting, dict(row.posting["update"])
    for name in _MOMENTS:
        update[name] = clock.read_exact(update[name]) if update[name] else None
    update |= {
        "status": IncidentStatus(update["status"]),
        "components": {
            int(key): ComponentStatus(state) for key, state in update["components"].items()
        },
        "impact": Impact(update["impact"]) if update["impact"] else None,
    }
    planned = PlannedPost(
        row.publish_at,
        NewUpdate(**update),
        reopens=kept["reopens"],
        publishes=kept["publishes"],
    )
    submission = Submission(
        actor,
        row.form_key,
        row.seen_version,
        {Audience(name): Text(*text) for name, text in kept["texts"].items()},
        {Audience(name): reason for name, reason in kept["overrides"].items()},
        AudienceChoice(frozenset(map(Audience, kept["left_out"])), kept["because"]),
    )
    return planned, submission
