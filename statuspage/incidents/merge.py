"""Merging: two incidents that turn out to be one go on as one.

The merged one ends, says so and points to the other.  What it affected and who follows it move
over, so that whoever follows either is notified of its end once.  No one is emailed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged
from statuspage.core.db import insert_new, writing
from statuspage.core.enums import ComponentStatus, IncidentStatus, Kind, Step
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.incidents.apply_update import set_severity
from statuspage.incidents.idempotency import posted_with
from statuspage.incidents.publish import Publication, Submission, publish
from statuspage.models import FollowedIncident, Incident


@needs(Permission.PUBLISH)
def merge(incident_code: str, into_code: str, submission: Submission) -> Incident:
    """End an open incident as a part of another open one, which takes over; the other one.

    Both are public, or neither is: nothing internal becomes public by it.  What is merged is over,
    and what is over takes nothing over, so no circle can come about.  Raises :class:`Invalid`,
    :class:`~statuspage.core.conflict.Conflict`.
    """
    with writing() as session:
        merged, into = _locked(session, incident_code, into_code)
        if posted_with(session, submission.form_key) is not None:
            return into
        check_unchanged(submission.seen_version, merged.version, merged)
        _check(merged, into)
        _transfer(session, merged, into)
        moment = clock.now()
        _end(merged, into, moment)
        there, here = (current_links().incident(code) for code in (into.code, merged.code))
        last = Publication(
            "incident.merge",
            Step.RESOLVED,
            happened_at=moment,
            body=f"This is part of [another incident]({there}). We’ll post updates there "
            "from now on.",
        )
        first = Publication(
            "incident.take_over",
            Step(into.status),
            _states(merged, into),
            happened_at=moment,
            body=f"[Another incident]({here}) is part of this one. We’ll post updates on "
            "both here.",
        )
        again = replace(submission, form_key=f"{submission.form_key[:59]}:into")
        for incident, sent, publication in ((merged, submission, last), (into, again, first)):
            publish(
                session, incident, sent, publication,
                after=lambda _: {"merged": merged.code, "into": into.code},
            )  # fmt: skip
        return into


def merge_targets(session: Session, incident: Incident) -> list[Incident]:
    """The incidents that an open one could be merged into, newest first."""
    if not incident.is_open or incident.is_drill:
        return []
    found = session.scalars(
        select(Incident)
        .where(
            Incident.kind == Kind.INCIDENT,
            Incident.resolved_at.is_(None),
            Incident.visibility == incident.visibility,
            Incident.id != incident.id,
        )
        .order_by(Incident.started_at.desc(), Incident.id.desc())
    )
    return [one for one in found if one.is_open and not one.is_drill]


def _locked(session: Session, *codes: str) -> tuple[Incident, Incident]:
    """Both, locked in an order of their own, so that two who merge crosswise wait in turn."""
    rows = session.scalars(
        select(Incident)
        .where(Incident.code.in_(codes), Incident.kind == Kind.INCIDENT)
        .order_by(Incident.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {row.code: row for row in rows}
    if len(found) != len(codes):
        raise Invalid("into", "Choose another incident to merge it into.")
    return found[codes[0]], found[codes[1]]


def _check(merged: Incident, into: Incident) -> None:
    if not (merged.is_open and into.is_open):
        raise Invalid("into", "Both must be open: one of them has ended.")
    if merged.is_drill or into.is_drill:
        raise Invalid("into", "A drill can’t be merged.")
    if merged.is_internal != into.is_internal:
        raise Invalid("into", "Both must be public or both internal.")


def _transfer(session: Session, merged: Incident, into: Incident) -> None:
    """What decides who receives it: the worse severity, everybody, and who follows it."""
    if merged.severity_rank is not None and (
        into.severity_rank is None or merged.severity_rank < into.severity_rank
    ):
        set_severity(session, into, merged.severity_rank)
    ranks = [rank for rank in (merged.worst_rank, into.worst_rank) if rank is not None]
    into.worst_rank = min(ranks, default=None)
    # One that names no component concerns everybody, and still does as a part.
    into.concerns_all = any(one.concerns_all or not one.affected for one in (merged, into))
    followers = select(FollowedIncident.subscriber_id).where(
        FollowedIncident.incident_id == merged.id
    )
    for subscriber_id in session.scalars(followers).all():
        session.execute(
            insert_new(session, FollowedIncident)
            .values(subscriber_id=subscriber_id, incident_id=into.id)
            .on_conflict_do_nothing()
        )


def _end(merged: Incident, into: Incident, moment: datetime) -> None:
    merged.status = IncidentStatus.RESOLVED.value
    merged.resolved_at = merged.updated_at = into.updated_at = moment
    merged.next_update_at = merged.review_due_at = None
    merged.merged_into = into.code


def _states(merged: Incident, into: Incident) -> dict[int, ComponentStatus]:
    """What the other says of components from now on: the worse of what the two said."""
    states = {row.component_id: row.status for row in into.affected}
    return {
        row.component_id: ComponentStatus.worst(
            [row.status, states.get(row.component_id, ComponentStatus.OPERATIONAL)],
            ComponentStatus.OPERATIONAL,
        )
        for row in merged.affected
    }
