"""The review document: begun with what is known, saved in versions, approved, reopened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.enums import Milestone, NoteKind, ReviewState
from statuspage.core.errors import Invalid
from statuspage.incidents.notes import NewNote, add_note
from statuspage.incidents.review import documents
from statuspage.incidents.review.documents import ReviewText, content_of, split_sections
from statuspage.incidents.review.evidence import ReviewEntry
from statuspage.models import AuditEntry, Incident, Review
from tests.announcing import ACTOR, Scenario, declare, post, reopen, resolve
from tests.factories import NOON


@pytest.fixture
def code(scenario: Scenario, frozen: Traveller) -> str:
    """An incident that is over after half an hour, and asks for a review."""
    found = declare(scenario).code
    frozen.shift(timedelta(minutes=20))
    post(found, "identified")
    frozen.shift(timedelta(minutes=10))
    resolve(found)
    return found


def kept(code: str) -> Review:
    current_session().expire_all()
    incident = current_session().scalars(select(Incident).filter_by(code=code)).one()
    found = documents.review_of(current_session(), incident)
    assert found is not None
    return found


def with_section(draft: ReviewText, heading: str, text: str) -> ReviewText:
    sections = [(one, text if one == heading else body) for one, body in draft.sections]
    return replace(draft, sections=sections)


def test_the_worker_begins_it_once_with_what_is_known(code: str) -> None:
    assert (documents.begin_due(), documents.begin_due()) == (1, 0)
    review = kept(code)
    sections = dict(content_of(review).sections)
    assert list(sections) == [
        "Summary", "Impact", "Root cause", "Contributing factors", "Why it was not caught", "Fix",
        "Prevention", "What went well", "What did not go well", "Where we were lucky", "Links",
    ]  # fmt: skip
    assert "Payments are declined at checkout." in sections["Summary"]
    assert (review.state, review.versions[0].author) == (ReviewState.DRAFT, "system")
    marks = [entry.mark for entry in content_of(review).timeline if entry.mark]
    assert marks == [
        Milestone.DECLARED, Milestone.FIRST_WORD, Milestone.CAUSE_KNOWN, Milestone.RESOLVED,
    ]  # fmt: skip


def test_one_that_cannot_be_begun_keeps_no_other_from_it(
    code: str, scenario: Scenario, monkeypatch: pytest.MonkeyPatch, frozen: Traveller
) -> None:
    other = declare(scenario).code
    frozen.shift(timedelta(minutes=5))
    resolve(other)
    timeline = documents.evidence.timeline

    def broken(session: Session, incident: Incident) -> list[documents.ReviewEntry]:
        if incident.code == code:
            raise LookupError("a fault of ours")
        return timeline(session, incident)

    monkeypatch.setattr(documents.evidence, "timeline", broken)
    assert documents.begin_due() == 1
    monkeypatch.undo()
    assert documents.begin_due() == 1


def test_an_open_incident_has_none(scenario: Scenario) -> None:
    with pytest.raises(Invalid, match="Resolve the incident before reviewing it"):
        documents.begin(declare(scenario).code, actor=ACTOR)


def test_each_save_is_a_version_that_names_who_changed_what(code: str) -> None:
    documents.begin(code, actor=ACTOR)
    draft = with_section(content_of(kept(code)), "Root cause", "A **missing** index.")
    entries = [*draft.timeline[:-1], replace(draft.timeline[-1], dropped=True)]
    documents.save(code, replace(draft, timeline=entries), actor=ACTOR, seen=1)
    # Sent once more, it changes nothing.
    documents.save(code, replace(draft, timeline=entries), actor=ACTOR, seen=1)
    review = kept(code)
    assert [(one.number, one.author, one.changed) for one in review.versions] == [
        (1, "Ada", "Started"), (2, "Ada", "Root cause, Timeline"),
    ]  # fmt: skip
    assert content_of(review.versions[0]).timeline[-1].dropped is False


def test_two_editors_make_one_version_and_nothing_is_lost(code: str) -> None:
    documents.begin(code, actor=ACTOR)
    draft = content_of(kept(code))
    mine = with_section(draft, "Fix", "Rolled back.")
    documents.save(code, with_section(draft, "Fix", "Restarted."), actor=ACTOR, seen=1)
    with pytest.raises(Conflict) as refused:
        documents.save(code, mine, actor=ACTOR, seen=1)
    assert isinstance(refused.value.current, ReviewText)
    assert dict(refused.value.current.sections)["Fix"] == "Restarted."
    documents.save(code, mine, actor=ACTOR, seen=2)
    assert dict(content_of(kept(code)).sections)["Fix"] == "Rolled back."


def test_an_approved_review_changes_only_once_it_is_reopened(code: str) -> None:
    documents.begin(code, actor=ACTOR)
    documents.request_approval(code, actor=ACTOR, seen=1)
    review = documents.approve(code, actor=ACTOR, seen=2)
    assert (review.state, review.approved_at is not None) == (ReviewState.APPROVED, True)
    draft = with_section(content_of(kept(code)), "Fix", "Another.")
    with pytest.raises(Invalid, match="This review is approved"):
        documents.save(code, draft, actor=ACTOR, seen=3)
    with pytest.raises(Invalid, match="This review is approved"):
        documents.add_new_entries(code, actor=ACTOR)
    with pytest.raises(Invalid, match="Say why"):
        documents.reopen_review(code, "", actor=ACTOR, seen=3)
    documents.reopen_review(code, "The cause was another.", actor=ACTOR, seen=3)
    documents.save(code, draft, actor=ACTOR, seen=4)
    assert [one.changed for one in kept(code).versions] == [
        "Started", "In review", "Approved", "Reopened: The cause was another.", "Fix",
    ]  # fmt: skip


def test_who_approves_what_they_did_not_read_is_refused(code: str) -> None:
    documents.begin(code, actor=ACTOR)
    draft = with_section(content_of(kept(code)), "Fix", "Another.")
    documents.save(code, draft, actor=ACTOR, seen=1)
    with pytest.raises(Conflict):
        documents.approve(code, actor=ACTOR, seen=1)


def test_what_became_known_later_is_added_and_what_was_edited_stays(
    code: str, frozen: Traveller
) -> None:
    documents.begin(code, actor=ACTOR)
    draft = content_of(kept(code))
    first = replace(draft.timeline[0], text="The deploy broke it")
    documents.save(code, replace(draft, timeline=[first, *draft.timeline[1:]]), actor=ACTOR, seen=1)
    frozen.shift(timedelta(minutes=5))
    note = NewNote(NoteKind.OBSERVATION, "It recurs at night.")
    add_note(code, note, form_key=uuid4().hex, actor=ACTOR)
    assert (
        documents.add_new_entries(code, actor=ACTOR), documents.add_new_entries(code, actor=ACTOR)
    ) == (1, 0)  # fmt: skip
    timeline = content_of(kept(code)).timeline
    assert timeline[0].text == "The deploy broke it"
    assert timeline[-1].text == "Observation: It recurs at night."


def test_the_end_after_a_reopening_is_the_one_that_counts(code: str, frozen: Traveller) -> None:
    documents.begin(code, actor=ACTOR)
    reopen(code)
    frozen.shift(timedelta(minutes=30))
    resolve(code)
    documents.add_new_entries(code, actor=ACTOR)
    ends = [one for one in content_of(kept(code)).timeline if one.mark is Milestone.RESOLVED]
    assert [one.at for one in ends] == [NOON + timedelta(minutes=60)]


def test_what_was_added_meanwhile_stays(code: str) -> None:
    documents.begin(code, actor=ACTOR)
    draft = content_of(kept(code))
    mine, theirs = (
        ReviewEntry(who, NOON, f"Added by {who}", "Added", Milestone.DETECTED)
        for who in ("me", "them")
    )
    for seen, entry in ((1, theirs), (2, mine)):
        added = replace(draft, timeline=[*draft.timeline, entry])
        documents.save(code, added, actor=ACTOR, seen=seen)
    found = {entry.key: entry.mark for entry in content_of(kept(code)).timeline}
    assert (found["me"], found["them"]) == (Milestone.DETECTED, None)


def test_a_timeline_that_began_too_long_can_be_edited(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents.begin(code, actor=ACTOR)
    draft = with_section(content_of(kept(code)), "Fix", "Rolled back.")
    monkeypatch.setattr(documents, "MOST_ENTRIES", 2)
    documents.save(code, draft, actor=ACTOR, seen=1)
    more = [*draft.timeline, ReviewEntry("own", NOON, "One more", "Added")]
    with pytest.raises(Invalid, match=f"Use at most {len(draft.timeline)} timeline entries"):
        documents.save(code, replace(draft, timeline=more), actor=ACTOR, seen=2)


def test_each_milestone_is_marked_once(code: str) -> None:
    documents.begin(code, actor=ACTOR)
    draft = content_of(kept(code))
    twice = [replace(one, mark=Milestone.DETECTED) for one in draft.timeline[:2]]
    with pytest.raises(Invalid, match="Detected is marked twice") as refused:
        documents.save(code, replace(draft, timeline=twice), actor=ACTOR, seen=1)
    assert refused.value.field == "entry-1-mark"


def test_the_trail_says_what_was_done(code: str, session: Session) -> None:
    documents.begin(code, actor=ACTOR)
    documents.approve(code, actor=ACTOR, seen=1)
    chosen = select(AuditEntry.action).where(AuditEntry.action.startswith("incident.review"))
    assert session.scalars(chosen.order_by(AuditEntry.id)).all() == [
        "incident.review_begin", "incident.review_state",
    ]  # fmt: skip


def test_headings_make_the_sections() -> None:
    text = "Before.\n\n# Root cause\nAn index.\n\n## Links ##\n"
    assert split_sections(text) == [
        ("Summary", "Before."), ("Root cause", "An index."), ("Links", ""),
    ]  # fmt: skip
    assert split_sections("# Fix\nA.\n\n# Links\n\n# Fix\nB.") == [
        ("Fix", "A.\n\nB."), ("Links", ""),
    ]  # fmt: skip
