"""Notices: posted once, checked, changed, ended, and no incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access.permissions import Forbidden
from statuspage.core.conflict import Conflict, fingerprint
from statuspage.core.errors import Invalid
from statuspage.incidents.notices import (
    NoticeDetails,
    change_notice,
    details_of,
    end_notice,
    has_ended,
    post_notice,
)
from statuspage.messages.checks import Blocked
from statuspage.models import AuditEntry, Message, PublicNotice, revision
from tests.announcing import ACTOR
from tests.factories import NOON

DAY = timedelta(days=1)
PLANNED = NoticeDetails("New sign-in page", "It looks different from Monday on.", NOON)
GERMAN = {"de": {"title": "Neue Anmeldung", "body": "Ab Montag sieht sie anders aus."}}

pytestmark = pytest.mark.usefixtures("scenario")


def posted(details: NoticeDetails = PLANNED, key: str = "key") -> PublicNotice:
    return post_notice(details, form_key=key, actor=ACTOR)


def test_it_is_kept_once_moves_the_page_and_mails_nobody(session: Session) -> None:
    before = revision.current_number(session)
    wanted = replace(PLANNED, ends_at=NOON + DAY, is_pinned=True, translations=GERMAN)
    first, again = posted(wanted), posted(wanted)
    assert (first.code, details_of(first)) == (again.code, wanted)
    assert revision.current_number(session) == before + 1
    assert session.scalar(select(func.count(Message.id))) == 0
    entry = session.scalars(select(AuditEntry).filter_by(action="notice.post")).one()
    assert (entry.subject_kind, entry.subject, entry.after and entry.after["title"]) == (
        "notice", first.code, "New sign-in page",
    )  # fmt: skip


def test_a_text_that_leaks_is_held_back_unless_a_reason_says_why(session: Session) -> None:
    leaks = {"de": {"title": "Neu", "body": "db-01.internal zieht um."}}
    for changes, field in (
        ({"title": "db-01.internal moves"}, "title"),
        ({"body": "db-01.internal moves."}, "body"),
        ({"translations": leaks}, "second_body"),
    ):
        with pytest.raises(Blocked) as refused:
            posted(replace(PLANNED, **changes))
        assert refused.value.field == field
    post_notice(
        replace(PLANNED, translations=leaks), because="It is public", form_key="k", actor=ACTOR
    )
    entry = session.scalars(select(AuditEntry).filter_by(action="notice.post")).one()
    assert entry.after is not None
    assert entry.after["shown although"] == "It is public"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"body": ""}, "body"),
        ({"ends_at": NOON}, "ends_at"),
        ({"begins_at": NOON - 2 * DAY, "ends_at": NOON - DAY}, "ends_at"),
        ({"translations": {"de": {"title": "Neu", "body": ""}}}, "second_body"),
    ],
)
def test_what_is_wrong_is_refused_at_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        posted(replace(PLANNED, **changes))  # type: ignore[arg-type]
    assert refused.value.field == field


def test_it_is_changed_unless_somebody_else_did_meanwhile(session: Session) -> None:
    code, seen = posted().code, fingerprint(PLANNED)
    change_notice(code, replace(PLANNED, is_pinned=True), seen=seen, actor=ACTOR)
    entry = session.scalars(select(AuditEntry).filter_by(action="notice.change")).one()
    assert (entry.before, entry.after) == ({"is_pinned": False}, {"is_pinned": True})
    with pytest.raises(Conflict):
        change_notice(code, replace(PLANNED, title="Other"), seen=seen, actor=ACTOR)


def test_it_ends_now_and_what_has_not_begun_never_was(session: Session) -> None:
    shown, coming = posted().code, posted(replace(PLANNED, begins_at=NOON + DAY), "other").code
    for code in (shown, coming, coming):
        end_notice(code, actor=ACTOR)
    by_code = {one.code: one for one in session.scalars(select(PublicNotice))}
    assert [by_code[code].ends_at for code in (shown, coming)] == [NOON, NOON + DAY]
    assert [has_ended(one) for one in by_code.values()] == [True, True]
    assert by_code[coming].is_withdrawn
    with pytest.raises(Invalid):
        change_notice(shown, replace(PLANNED, title="Other"), seen=None, actor=ACTOR)


def test_only_who_may_publish_posts_one() -> None:
    with pytest.raises(Forbidden):
        post_notice(PLANNED, form_key="key", actor=replace(ACTOR, permissions=frozenset()))
