"""The verbs: declare, update, reopen, publish, hide, correct.

The same form sent twice makes one update (``form_key``); two editors at once make one update and
one :class:`~statuspage.core.conflict.Conflict` (``seen_version``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs, require
from statuspage.configuration.ticket_numbers import next_number
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged
from statuspage.core.db import writing
from statuspage.core.enums import Audience, ComponentStatus, IncidentStatus, Kind, Step, Visibility
from statuspage.core.errors import Invalid
from statuspage.incidents import component_log, declaration_drafts
from statuspage.incidents.announcement import incident_facts, worst_impact
from statuspage.incidents.apply_update import (
    apply_update_to,
    declared,
    locked,
    permission_to_change,
    step_of,
)
from statuspage.incidents.check_texts import hold_title_back, let_correction_pass
from statuspage.incidents.component_states import at_the_end, settle
from statuspage.incidents.idempotency import posted_with
from statuspage.incidents.inputs import (
    Declaration,
    NewUpdate,
    check_body,
    check_declaration,
    check_update,
)
from statuspage.incidents.publish import Publication, Submission, begin, publish
from statuspage.incidents.resolution import gate
from statuspage.intake import suggestions
from statuspage.messages.compose import Text
from statuspage.models import Incident, IncidentUpdate, UpdateRevision, revision


@needs(Permission.DRAFT)
def declare(declaration: Declaration, submission: Submission) -> Incident:
    """Declare an incident and publish its first update; raises :class:`Invalid`."""
    check_declaration(declaration)
    with writing() as session:
        earlier = posted_with(session, submission.form_key)
        if earlier is not None:
            return earlier.incident
        incident = declared(session, declaration, clock.now())
        hold_title_back(session, incident, field="title", overrides=submission.overrides)
        if not incident.is_drill:
            incident.number = next_number(session, declaration.components)
        session.add(incident)
        session.flush()
        publication = Publication(
            "incident.declare",
            Step(declaration.status.value),
            declaration.components,
            # The incident began when it began, though it is announced only now.
            states_at=incident.started_at,
            no_promise_because=declaration.no_promise_because,
            declares=True,
        )
        publish(
            session, incident, submission, publication,
            after=lambda update: {
                "title": incident.title,
                "severity": incident.severity_name,
                "status": incident.status,
                "visibility": incident.visibility,
                **_drill(incident),
                "started_at": incident.started_at,
                "components": _component_states(update),
                **_no_promise(update),
            },
        )  # fmt: skip
        declaration_drafts.end_draft(session, submission.form_key)
        if declaration.suggestion:
            suggestions.accept(session, declaration.suggestion, incident, actor=submission.actor)
        return incident


@needs(Permission.DRAFT)
def post_update(incident_code: str, update: NewUpdate, submission: Submission) -> IncidentUpdate:
    """Publish an update on an open incident.

    Raises :class:`Invalid`, :class:`~statuspage.core.conflict.Conflict`.
    """
    with writing() as session:
        return post_within(session, incident_code, update, submission)


@needs(Permission.DRAFT)
def reopen(incident_code: str, update: NewUpdate, submission: Submission) -> IncidentUpdate:
    """Open a resolved incident again, and say so to those who were sent that it is over.

    Raises :class:`Invalid`, :class:`~statuspage.core.conflict.Conflict`.
    """
    with writing() as session:
        return post_within(session, incident_code, update, submission, reopens=True)


@needs(Permission.PUBLISH)
def make_public(incident_code: str, update: NewUpdate, submission: Submission) -> IncidentUpdate:
    """Make an internal incident public with its first public update.

    What was published before stays internal.  Raises :class:`Invalid`,
    :class:`~statuspage.core.conflict.Conflict`.
    """
    with writing() as session:
        return post_within(session, incident_code, update, submission, publishes=True)


@needs(Permission.PUBLISH)
def hide(incident_code: str, *, actor: Actor) -> Incident:
    """Take an incident off every public surface; it goes on as an internal one."""
    with writing() as session:
        incident = locked(session, incident_code, kind=Kind.INCIDENT)
        if incident.is_internal:
            return incident
        incident.visibility = Visibility.INTERNAL
        incident.updated_at = clock.now()
        session.flush()
        given_back = {row.component_id: ComponentStatus.OPERATIONAL for row in incident.affected}
        if incident.is_open:
            settle(session, given_back, incident=incident, update=None, at=clock.now())
        # What is not public any more is not counted any more.
        component_log.rewrite(session, given_back, since=incident.started_at)
        audit.record(
            session, actor, "incident.hide", subject_kind="incident", subject=incident.code,
            before={"visibility": Visibility.PUBLIC}, after={"visibility": Visibility.INTERNAL},
        )  # fmt: skip
        revision.bump(session)
        return incident


@needs(Permission.DRAFT)
def correct_update(
    update_code: str,
    *,
    body: str,
    actor: Actor,
    seen_revisions: int | None = None,
    because: str = "",
    taken_off_because: str = "",
) -> IncidentUpdate:
    """Correct the text of an update: it keeps its id, place and date, and says that it was edited.

    ``because`` says why it stays although something in it would leak;
    ``taken_off_because`` why visitors shall not read what it said before.  Nobody is notified.
    ``seen_revisions`` is how often it had been corrected when it was read.
    Raises :class:`Invalid`, :class:`~statuspage.core.conflict.Conflict`.
    """
    check_body("body", body, needed=True)
    with writing() as session:
        update = session.scalars(
            select(IncidentUpdate).filter_by(code=update_code).with_for_update()
        ).one_or_none()
        if update is None:
            raise Invalid("update", "This update doesn’t exist.")
        require(actor, permission_to_change(update.incident))
        if update.body == body and not taken_off_because:
            return update
        if update.body == body and not update.revisions:
            raise Invalid(
                "taken_off_because", "It has only one version: there’s nothing to remove."
            )
        check_unchanged(seen_revisions, len(update.revisions), update.incident)
        if update.visibility is Visibility.PUBLIC:
            step = Step(update.status)
            let_correction_pass(
                session,
                update.incident,
                Text("", body),
                audience=Audience.PUBLIC,
                step=step,
                facts=incident_facts(update.incident, step),
                reason=because,
                actor=actor,
            )
        before = update.body
        _revise(update, body, actor=actor, taken_off_because=taken_off_because)
        audit.record(
            session, actor, "incident.correct", subject_kind="incident",
            subject=update.incident.code, before={"body": before},
            after={
                "body": body,
                **({"earlier texts taken off": taken_off_because} if taken_off_because else {}),
            },
        )  # fmt: skip
        if not update.incident.is_internal:
            revision.bump(session)
        return update


def _revise(update: IncidentUpdate, body: str, *, actor: Actor, taken_off_because: str) -> None:
    moment = clock.now()
    if update.body != body:
        update.revisions.append(
            UpdateRevision(body=update.body, replaced_at=moment, account_id=actor.account_id)
        )
        # What was said in other languages is not corrected with it.
        update.translations = {}
    for earlier in update.revisions:
        earlier.taken_off_because = earlier.taken_off_because or taken_off_because
    update.body = body
    # Also where nothing but an earlier text went: copies of the page are made again by this time.
    update.edited_at = update.incident.updated_at = moment


def post_within(
    session: Session,
    incident_code: str,
    new_update: NewUpdate,
    submission: Submission,
    *,
    reopens: bool = False,
    publishes: bool = False,
) -> IncidentUpdate:
    """Publish an update within the caller's transaction, that of a verb.

    It may open a resolved incident again, or make an internal one public.  Raises :class:`Invalid`,
    :class:`~statuspage.core.conflict.Conflict`.
    """
    incident, earlier = begin(session, incident_code, submission, kind=Kind.INCIDENT)
    if earlier is not None:
        return earlier
    check_update(incident, new_update, reopens=reopens)
    although: dict[str, str] = {}
    if new_update.status is IncidentStatus.RESOLVED:
        choice = submission.choice
        checked = gate.inspect(session, incident, new_update, submission.texts, choice=choice)
        although = gate.let_through(checked, new_update)
        because = choice.because or although.get("customer_mail", "")
        submission = replace(submission, choice=replace(choice, because=because))
    if publishes:
        _make_public(session, incident, submission)
    is_renamed = new_update.title not in {None, incident.title}
    before = {"status": incident.status, "severity": incident.severity_name}
    publication = Publication(
        _action(reopens=reopens, publishes=publishes),
        step_of(new_update, reopens=reopens),
        happened_at=new_update.happened_at,
        no_promise_because=new_update.no_promise_because,
        reopens=reopens,
        still=incident.status == new_update.status,
        no_change=new_update.no_change,
        impact_before=worst_impact(session, incident),
    )
    recounts = new_update.false_alarm or incident.cancelled_at is not None
    apply_update_to(session, incident, new_update, clock.now(), reopens=reopens)
    if is_renamed:
        hold_title_back(session, incident, field="title", overrides=submission.overrides)
    states = _states_after(incident, new_update, publishes=publishes)
    update = publish(
        session, incident, submission, replace(publication, states=states), before=before,
        after=lambda update: _as_kept(update, incident, although, new_update),
    )  # fmt: skip
    update.gate = although
    if recounts and not incident.is_internal:
        named = [row.component_id for row in incident.affected]
        component_log.rewrite(session, named, since=incident.started_at)
    return update


def _as_kept(
    update: IncidentUpdate, incident: Incident, although: Mapping[str, str], new_update: NewUpdate
) -> dict[str, object]:
    """What the audit trail keeps of a finished update."""
    return {
        "status": incident.status,
        "severity": incident.severity_name,
        "body": update.body,
        "next_update_at": incident.next_update_at,
        **_no_promise(update),
        **({"resolved although": although} if although else {}),
        **({"false alarm": True} if new_update.false_alarm else {}),
        "components": _component_states(update),
    }


def _action(*, reopens: bool, publishes: bool) -> str:
    """What the audit trail calls it."""
    return "incident.reopen" if reopens else "incident.publish" if publishes else "incident.update"


def _make_public(session: Session, incident: Incident, submission: Submission) -> None:
    if incident.is_drill:
        raise Invalid("publishes", "A drill never becomes public.")
    incident.visibility = Visibility.PUBLIC
    hold_title_back(session, incident, field="text_public", overrides=submission.overrides)


def _states_after(
    incident: Incident, update: NewUpdate, *, publishes: bool
) -> Mapping[int, ComponentStatus]:
    if update.status is IncidentStatus.RESOLVED:
        return {**update.components, **at_the_end(incident, update.components)}
    if publishes:
        return {row.component_id: row.status for row in incident.affected} | dict(update.components)
    return update.components


def _component_states(update: IncidentUpdate) -> dict[str, str]:
    return {entry["name"]: entry["new_status"] for entry in update.affected}


def _drill(incident: Incident) -> dict[str, object]:
    # How many alone: an audit trail is no place for addresses.
    return {"drill for": len(incident.drill_list)} if incident.is_drill else {}


def _no_promise(update: IncidentUpdate) -> dict[str, str]:
    because = update.no_promise_because
    return {"no update promised because": because} if because else {}
