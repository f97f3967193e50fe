"""The review document: begun from what is known, edited, sent to review, approved, reopened.

Each save is a version with who changed what; two editors at once make one version and one
:class:`~statuspage.core.conflict.Conflict`.  An approved review changes only once it is reopened.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import SYSTEM, Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, IncidentStatus, Kind, Milestone, ReviewState, Step
from statuspage.core.errors import Invalid
from statuspage.incidents.announcement import incident_facts
from statuspage.incidents.apply_update import locked
from statuspage.incidents.inputs import check_body
from statuspage.incidents.review import evidence
from statuspage.incidents.review.evidence import ReviewEntry, read_entry
from statuspage.messages.compose import compose
from statuspage.models import Incident, Review, ReviewVersion
from statuspage.models.columns import LINE_LIMIT, TITLE_LIMIT

log = logging.getLogger(__name__)

MOST_ENTRIES: Final = 500
"""So many entries a timeline takes; one that began with more keeps them."""
LATEST: Final = timedelta(days=3)
"""So long after it was due, a review still starts by itself."""

_HEADING: Final = re.compile(r"#{1,6}\s+(\S.*?)\s*#*")

Section = tuple[str, str]
"""A heading and its Markdown."""


@dataclass(frozen=True, slots=True)
class ReviewText:
    """What somebody makes of a review."""

    sections: Sequence[Section]
    timeline: Sequence[ReviewEntry]


def review_of(session: Session, incident: Incident) -> Review | None:
    """The review of an incident, if it was begun."""
    return session.scalars(select(Review).filter_by(incident_id=incident.id)).one_or_none()


def content_of(kept: Review | ReviewVersion) -> ReviewText:
    """What a review, or a version of one, says."""
    sections = [(heading, body) for heading, body in kept.sections]
    return ReviewText(sections, [read_entry(one) for one in kept.timeline])


def split_sections(text: str) -> list[Section]:
    """The sections of a Markdown text by its headings; what stands before the first is a summary.

    A heading that comes twice makes one section.
    """
    found: dict[str, list[str]] = {}
    heading = "Summary"
    for line in text.split("\n"):
        if begun := _HEADING.fullmatch(line):
            heading = begun[1][:TITLE_LIMIT]
            found.setdefault(heading, [])
        elif line.strip() or heading in found:
            found.setdefault(heading, []).append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in found.items()]


@needs(Permission.DRAFT)
def begin(code: str, *, actor: Actor) -> Review:
    """Begin the review of an incident that is over, with what is known; the one that there is.

    Raises :class:`~statuspage.core.errors.Invalid` while the incident is open.
    """
    with writing() as session:
        incident = locked(session, code, kind=Kind.INCIDENT)
        if found := review_of(session, incident):
            return found
        if incident.is_open or incident.resolved_at is None:
            raise Invalid("incident", "Resolve the incident before reviewing it.")
        facts = incident_facts(incident, Step.REVIEW)
        text = compose(session, facts, audience=Audience.INTERNAL, step=Step.REVIEW)
        draft = ReviewText(split_sections(text.body), evidence.timeline(session, incident))
        moment = clock.now()
        # Whoever starts one that was due long ago is not told so at once.
        reminded = None if actor is SYSTEM else moment
        review = Review(incident_id=incident.id, begun_at=moment, reminded_until=reminded)
        session.add(review)
        _keep(session, review, draft, actor, "Started")
        _record(session, actor, incident, "incident.review_begin", {"version": 1})
        return review


def begin_due() -> int:
    """Begin the reviews that the severity asks for; how many.  The worker's duty.

    One that fails costs no other its review: it is tried again on the next round.
    """
    codes = current_session().scalars(
        select(Incident.code).where(
            # Older ones were reviewed elsewhere: nobody is reminded of them by a new version.
            Incident.review_due_at > clock.now() - LATEST,
            Incident.status == IncidentStatus.RESOLVED,
            Incident.origin.is_(None),
            Incident.is_drill.is_(False),
            Incident.id.not_in(select(Review.incident_id)),
        )
    )
    found = codes.all()
    current_session().rollback()
    return sum(_has_begun(code) for code in found)


def _has_begun(code: str) -> bool:
    try:
        begin(code, actor=SYSTEM)
    except Exception:
        log.exception("the review of incident %s could not be started", code)
        return False
    return True


@needs(Permission.DRAFT)
def save(code: str, draft: ReviewText, *, actor: Actor, seen: int | None) -> Review:
    """Keep a review as it was edited; ``seen`` is the version that its author read.

    Entries of the timeline are left out, never removed: those that the draft does not have were
    added meanwhile, and stay.

    Raises :class:`~statuspage.core.errors.Invalid`, and
    :class:`~statuspage.core.conflict.Conflict` with the :class:`ReviewText` that is saved by now.
    """
    with writing() as session:
        incident, review = _locked(session, code)
        before = content_of(review)
        _check(draft, most=max(MOST_ENTRIES, len(before.timeline)))
        keys = {entry.key for entry in draft.timeline}
        meanwhile = [entry for entry in before.timeline if entry.key not in keys]
        draft = replace(draft, timeline=_together(draft.timeline, meanwhile))
        changed = _differences(before, draft)
        if not changed:
            return review
        check_unchanged(seen, review.version, before)
        if review.state is ReviewState.APPROVED:
            raise Invalid("state", "This review is approved. Reopen it before changing it.")
        _keep(session, review, draft, actor, ", ".join(changed))
        _record(session, actor, incident, "incident.review", {"changed": changed})
        return review


@needs(Permission.DRAFT)
def add_new_entries(code: str, *, actor: Actor) -> int:
    """Add to the timeline what has become known since it was begun; how many entries."""
    with writing() as session:
        incident, review = _locked(session, code)
        if review.state is ReviewState.APPROVED:
            raise Invalid("state", "This review is approved. Reopen it before changing it.")
        draft = content_of(review)
        known = {entry.key for entry in draft.timeline}
        new = [entry for entry in evidence.timeline(session, incident) if entry.key not in known]
        if new:
            draft = replace(draft, timeline=_together(draft.timeline, new))
            _keep(session, review, draft, actor, "Timeline")
            _record(session, actor, incident, "incident.review", {"changed": ["Timeline"]})
        return len(new)


@needs(Permission.DRAFT)
def request_approval(code: str, *, actor: Actor, seen: int | None) -> Review:
    """Say that a draft is complete, for others to read; raises as :func:`save` does."""
    return _move(code, ReviewState.IN_REVIEW, {ReviewState.DRAFT}, actor=actor, seen=seen)


@needs(Permission.PUBLISH)
def approve(code: str, *, actor: Actor, seen: int | None) -> Review:
    """Approve a review as it was read; raises as :func:`save` does."""
    moved = {ReviewState.DRAFT, ReviewState.IN_REVIEW}
    return _move(code, ReviewState.APPROVED, moved, actor=actor, seen=seen)


@needs(Permission.DRAFT)
def reopen_review(code: str, because: str, *, actor: Actor, seen: int | None) -> Review:
    """Make a review a draft again, with the reason; raises as :func:`save` does."""
    if not because:
        raise Invalid("because", "Say why the review is reopened.")
    moved = {ReviewState.IN_REVIEW, ReviewState.APPROVED}
    return _move(code, ReviewState.DRAFT, moved, actor=actor, seen=seen, because=because)


def _together(known: Iterable[ReviewEntry], new: Sequence[ReviewEntry]) -> list[ReviewEntry]:
    """All of them, the oldest first, each milestone where it is marked already; but of an incident
    that was reopened, the new end counts.
    """
    moved = {entry.mark for entry in new} & {Milestone.RESOLVED}
    kept = [replace(entry, mark=None) if entry.mark in moved else entry for entry in known]
    marked = {entry.mark for entry in kept if entry.mark and not entry.dropped}
    added = [replace(entry, mark=None) if entry.mark in marked else entry for entry in new]
    return sorted([*kept, *added], key=lambda entry: entry.at)


def _move(
    code: str,
    state: ReviewState,
    allowed: Iterable[ReviewState],
    *,
    actor: Actor,
    seen: int | None,
    because: str = "",
) -> Review:
    with writing() as session:
        incident, review = _locked(session, code)
        if review.state is state:
            return review
        draft = content_of(review)
        check_unchanged(seen, review.version, draft)
        if review.state not in allowed:
            raise Invalid("state", f"This review is {review.state.label.lower()}.")
        before, review.state = review.state, state
        review.approved_at = clock.now() if state is ReviewState.APPROVED else None
        what = "Reopened" if state is ReviewState.DRAFT else state.label
        _keep(session, review, draft, actor, f"{what}: {because}" if because else what)
        after = {"state": state, "because": because} if because else {"state": state}
        _record(session, actor, incident, "incident.review_state", after, {"state": before})
        return review


def _locked(session: Session, code: str) -> tuple[Incident, Review]:
    incident = locked(session, code, kind=Kind.INCIDENT)
    review = session.scalars(
        select(Review)
        .filter_by(incident_id=incident.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if review is None:
        raise Invalid("review", "This review was not started.")
    return incident, review


def _keep(session: Session, review: Review, draft: ReviewText, actor: Actor, changed: str) -> None:
    review.sections = [list(section) for section in draft.sections]
    review.timeline = [entry.stored() for entry in draft.timeline]
    review.updated_at = clock.now()
    session.flush()
    session.add(
        ReviewVersion(
            review_id=review.id,
            number=review.version,
            state=review.state,
            sections=review.sections,
            timeline=review.timeline,
            changed=changed[:LINE_LIMIT],
            author=actor.name,
            account_id=actor.account_id,
            saved_at=review.updated_at,
        )
    )


def _differences(before: ReviewText, after: ReviewText) -> list[str]:
    """The names of what differs: sections by their headings, and the timeline."""
    then = dict(before.sections)
    changed = [heading for heading, body in after.sections if then.get(heading) != body]
    return [*changed, "Timeline"] if list(before.timeline) != list(after.timeline) else changed


def _check(draft: ReviewText, *, most: int) -> None:
    for number, (_, body) in enumerate(draft.sections):
        check_body(f"section-{number}-body", body)
    if len(draft.timeline) > most:
        raise Invalid("timeline", f"Use at most {most} timeline entries.")
    seen: dict[Milestone, int] = {}
    for number, entry in enumerate(draft.timeline):
        if not entry.text:
            raise Invalid(f"entry-{number}-text", "Write what happened")
        if entry.mark is None or entry.dropped:
            continue
        if entry.mark in seen:
            first = clock.write_local(draft.timeline[seen[entry.mark]].at, clock.read_zone("UTC"))
            raise Invalid(
                f"entry-{number}-mark",
                f"{entry.mark.label} is marked twice: at {first.replace('T', ' ')} UTC too",
            )
        seen[entry.mark] = number


def _record(
    session: Session,
    actor: Actor,
    incident: Incident,
    action: str,
    after: Mapping[str, object],
    before: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        session, actor, action, subject_kind="incident", subject=incident.code,
        before=before, after=after,
    )  # fmt: skip
