"""Notices: what the public page says besides incidents, from a start to an end.

A notice affects no component and changes no headline.  Where somebody chose it, it stands in the
feeds too, and is emailed to subscribers and posted to chat once, when it starts
(:mod:`.notice_messages`).  It is public from its start on; after its end its own address shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.public_names import let_texts_pass
from statuspage.core import clock
from statuspage.core.conflict import check_unchanged, fingerprint
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.incidents.idempotency import code_for
from statuspage.incidents.inputs import check_body, check_title
from statuspage.models import PublicNotice, revision


@dataclass(frozen=True, slots=True)
class NoticeDetails:
    """What people may edit of a notice; ``body`` is Markdown.

    ``translations`` are title and body in further languages, by language.
    """

    title: str
    body: str
    begins_at: datetime
    ends_at: datetime | None = None
    is_pinned: bool = False
    in_feeds: bool = False
    emails_subscribers: bool = False
    posts_to_chat: bool = False
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def details_of(notice: PublicNotice) -> NoticeDetails:
    """A notice as it is kept."""
    return NoticeDetails(
        notice.title,
        notice.body,
        notice.begins_at,
        notice.ends_at,
        notice.is_pinned,
        notice.in_feeds,
        notice.emails_subscribers,
        notice.posts_to_chat,
        notice.translations,
    )


@needs(Permission.PUBLISH)
def post_notice(
    details: NoticeDetails, *, because: str = "", form_key: str, actor: Actor
) -> PublicNotice:
    """Show a notice from its start on; ``because`` says why, although the checks block a text.

    Raises :class:`Invalid`, and :class:`~statuspage.messages.checks.Blocked` on the field of the
    text.
    """
    with writing() as session:
        code, moment = code_for(form_key), clock.now()
        earlier = session.scalars(select(PublicNotice).filter_by(code=code)).one_or_none()
        if earlier is not None:
            return earlier
        shown = _check(session, details, because)
        entry_id = current_links().notice_entry(code, moment)
        values = asdict(details) | {"created_at": moment, "updated_at": moment}
        notice = PublicNotice(code=code, entry_id=entry_id, **values)
        session.add(notice)
        _record(session, actor, "notice.post", notice, after=asdict(details) | shown)
    return notice


@needs(Permission.PUBLISH)
def change_notice(
    code: str, details: NoticeDetails, *, because: str = "", seen: str | None, actor: Actor
) -> None:
    """Change a notice that is not over; raises as :func:`post_notice`, and
    :class:`~statuspage.core.conflict.Conflict`.

    Who was notified of it stays: nobody is twice.
    """
    with writing() as session:
        notice = _locked(session, code)
        saved = details_of(notice)
        if notice.notified_at is not None:
            details = replace(
                details,
                emails_subscribers=saved.emails_subscribers,
                posts_to_chat=saved.posts_to_chat,
            )
        if details == saved:
            return
        check_unchanged(seen, fingerprint(saved), saved)
        if has_ended(notice):
            raise Invalid("notice", "This notice is over. Post another one.")
        shown = _check(session, details, because)
        before, after = asdict(saved), asdict(details)
        changed = [name for name in after if after[name] != before[name]]
        for name in changed:
            setattr(notice, name, after[name])
        notice.updated_at = clock.now()
        _record(
            session, actor, "notice.change", notice,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed} | shown,
        )  # fmt: skip


@needs(Permission.PUBLISH)
def end_notice(code: str, *, actor: Actor) -> None:
    """Take a notice off the page now; one that has not begun never was on it."""
    with writing() as session:
        notice = _locked(session, code)
        if has_ended(notice):
            return
        before, moment = notice.ends_at, clock.now()
        notice.ends_at = max(moment, notice.begins_at)
        notice.updated_at = moment
        _record(
            session, actor, "notice.end", notice,
            before={"ends_at": before}, after={"ends_at": notice.ends_at},
        )  # fmt: skip


def has_ended(notice: PublicNotice) -> bool:
    """Whether it is over, or was ended before it had begun."""
    return notice.is_withdrawn or (notice.ends_at is not None and notice.ends_at <= clock.now())


def listed_notices(session: Session, *, most: int, after: int) -> list[PublicNotice]:
    """The notices after the first ``after``: those that are not over first, then the newest."""
    notice = PublicNotice
    is_over = case(
        (or_(notice.ends_at <= clock.now(), notice.ends_at <= notice.begins_at), 1), else_=0
    )
    order = is_over, notice.begins_at.desc(), notice.id.desc()
    return list(session.scalars(select(notice).order_by(*order).limit(most).offset(after)))


def _locked(session: Session, code: str) -> PublicNotice:
    found = select(PublicNotice).filter_by(code=code).with_for_update()
    notice = session.scalars(found).one_or_none()
    if notice is None:
        raise Invalid("notice", "This notice does not exist.")
    return notice


def _check(session: Session, details: NoticeDetails, because: str) -> dict[str, object]:
    """Raise where it cannot be shown; what a reason lets through, for the audit trail."""
    check_title(details.title)
    check_body("body", details.body, needed=True)
    if details.ends_at is not None and details.ends_at <= details.begins_at:
        raise Invalid("ends_at", "It must end after it starts.")
    if details.ends_at is not None and details.ends_at <= clock.now():
        raise Invalid("ends_at", "This time has already passed.")
    for texts in details.translations.values():
        for name in ("title", "body"):
            if not texts.get(name):
                raise Invalid(f"second_{name}", "In a second language it needs a title and a text.")
    found = let_texts_pass(session, _texts(details), reason=because)
    return {"shown although": because, "found": found} if found else {}


def _texts(details: NoticeDetails) -> Iterator[tuple[str, str]]:
    """Its texts, each by the field that it is typed into."""
    yield "title", details.title
    yield "body", details.body
    for texts in details.translations.values():
        for name, text in texts.items():
            yield f"second_{name}", text


def _record(
    session: Session,
    actor: Actor,
    action: str,
    notice: PublicNotice,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object],
) -> None:
    """Keep what was done to it, and have the page made anew."""
    revision.bump(session)
    audit.record(
        session, actor, action, subject_kind="notice", subject=notice.code, before=before,
        after=after,
    )  # fmt: skip
