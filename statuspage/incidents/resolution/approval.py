"""A second account's approval: of the exact texts and facts of a resolution, and of no others.

What is approved is known by a fingerprint of what outsiders would read and of the facts behind it.
Whatever changes afterwards has another one, so its approval is void without anybody noticing it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, roles_with
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Kind, Step
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.incidents import announcement as announcements
from statuspage.incidents.announcement import Announcement, incident_facts
from statuspage.incidents.apply_update import locked
from statuspage.incidents.check_texts import OUTSIDE
from statuspage.incidents.drafts import Texts, drafts
from statuspage.incidents.inputs import Draft, NewUpdate
from statuspage.incidents.notify_staff import call_colleagues
from statuspage.messages.template_variables import phrase
from statuspage.models import Account, Approval, Contact, Incident
from statuspage.recipients.who_receives import EVERYBODY, AudienceChoice


@dataclass(frozen=True, slots=True)
class Statement:
    """What outsiders would read, by audience, and the fingerprint of it and of its facts."""

    texts: Mapping[str, Mapping[str, str]]
    fingerprint: str


def state(
    incident: Incident, update: NewUpdate, announcement: Announcement, made: Sequence[Draft]
) -> Statement:
    """What outsiders would read of this, by the drafts of its announcement."""
    contents = {
        one.audience.value: {"subject": one.text.subject, "body": one.text.body}
        for one in made
        if one.audience in OUTSIDE
    }
    after = announcement.incident
    facts: list[Any] = [
        incident.version,
        after.status,
        after.title,
        after.started_at.isoformat(),
        announcement.happened_at.isoformat(),
        after.severity_rank,
        after.impact,
        after.users_notice,
        after.public_facts,
        sorted((id_, status.value) for id_, status in update.components.items()),
        sorted(announcement.left_out),
    ]
    canonical = json.dumps([contents, facts], sort_keys=True, default=str)
    return Statement(contents, sha256(canonical.encode()).hexdigest())


def approval_of(session: Session, incident: Incident, fingerprint: str) -> Approval | None:
    """The newest request for approval of exactly that, an approved one first."""
    chosen = (
        select(Approval)
        .filter_by(incident_id=incident.id, fingerprint=fingerprint)
        .order_by(Approval.approved_at.is_(None), Approval.id.desc())
    )
    return session.scalars(chosen.limit(1)).first()


def open_approval(session: Session, incident: Incident) -> Approval | None:
    """The newest request that still holds for an incident as it stands; None where none does."""
    if not incident.is_open:
        return None
    chosen = (
        select(Approval)
        .filter_by(incident_id=incident.id, incident_version=incident.version)
        .order_by(Approval.id.desc())
    )
    return session.scalars(chosen.limit(1)).first()


def is_current(approval: Approval) -> bool:
    """Whether the incident is still as it was when the approval was asked for."""
    incident = approval.incident
    return incident.is_open and incident.version == approval.incident_version


@needs(Permission.DRAFT)
def ask_approval(
    incident_code: str,
    update: NewUpdate,
    *,
    form: Sequence[tuple[str, str]],
    actor: Actor,
    texts: Texts | None = None,
    choice: AudienceChoice = EVERYBODY,
) -> Approval:
    """Request approval of a resolution; ``form`` is what was typed, to go on with it afterwards.

    Everybody else who may publish is notified.  Asking for the same again adds nothing.  Raises
    :class:`Invalid`.
    """
    with writing() as session:
        incident = locked(session, incident_code, kind=Kind.INCIDENT)
        announcement = replace(announcements.of_update(incident, update), choice=choice)
        statement = state(incident, update, announcement, drafts(announcement, texts))
        earlier = approval_of(session, incident, statement.fingerprint)
        if earlier is not None:
            return earlier
        if actor.account_id is None:
            raise Invalid("form", "Only someone with an account can request approval.")
        approval = Approval(
            incident_id=incident.id,
            incident_version=incident.version,
            fingerprint=statement.fingerprint,
            texts=dict(statement.texts),
            form=[list(pair) for pair in form],
            asked_by_id=actor.account_id,
            asked_at=clock.now(),
        )
        session.add(approval)
        session.flush()
        _call_approvers(session, incident, approval)
        audit.record(
            session, actor, "approval.ask", subject_kind="incident", subject=incident.code,
            after={"texts": approval.texts},
        )  # fmt: skip
        return approval


def _call_approvers(session: Session, incident: Incident, approval: Approval) -> None:
    others = session.scalars(
        select(Account)
        .where(
            Account.id != approval.asked_by_id,
            Account.disabled_at.is_(None),
            Account.role.in_(roles_with(Permission.PUBLISH)),
        )
        .order_by(Account.name)
    ).all()
    facts = incident_facts(incident, Step.APPROVAL)
    internal = replace(
        facts.internal,
        asked=phrase([account.name for account in others]),
        admin_url=current_links().admin_approval(approval.id),
    )
    why = "Asked to approve"
    call_colleagues(
        session,
        incident,
        replace(facts, internal=internal),
        step=Step.APPROVAL,
        step_key=f"approval:{approval.id}",
        people={Contact(name=account.name, email=account.email): why for account in others},
    )


@needs(Permission.PUBLISH)
def approve(approval_id: int, *, actor: Actor) -> Approval:
    """Approve exactly what was shown; :class:`Invalid` for one's own, and for what changed."""
    with writing() as session:
        approval = session.get_one(Approval, approval_id, with_for_update=True)
        incident = locked(session, approval.incident.code, kind=Kind.INCIDENT)
        if approval.approved_at is not None:
            return approval
        if actor.account_id is None or actor.account_id == approval.asked_by_id:
            raise Invalid("form", "You can’t approve your own request.")
        if not is_current(approval):
            raise Invalid("form", "The incident has changed since. Request approval again.")
        approval.approved_by_id = actor.account_id
        approval.approved_at = clock.now()
        audit.record(
            session, actor, "approval.give", subject_kind="incident", subject=incident.code,
            after={"texts": approval.texts},
        )  # fmt: skip
        return approval
