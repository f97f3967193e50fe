"""Notices to subscribers and colleagues: emailed and posted to chat once, when one starts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import SYSTEM
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Step
from statuspage.core.links import current_links
from statuspage.core.richtext import to_text
from statuspage.delivery import queue, subscriber_queue
from statuspage.messages.compose import Composed, Text, finish_notice
from statuspage.messages.incident_facts import sign_up_facts
from statuspage.messages.tokens import disarm
from statuspage.models import Message, Page, PublicNotice


def notify_due() -> int:
    """Queue the messages of notices that have started; of how many.  The worker's duty."""
    found = current_session().scalars(select(PublicNotice.id).where(*_are_due())).all()
    current_session().rollback()
    return sum(_notify(notice_id) for notice_id in found)


def _are_due() -> tuple[ColumnElement[bool], ...]:
    moment, notice = clock.now(), PublicNotice
    return (
        notice.notified_at.is_(None),
        or_(notice.emails_subscribers, notice.posts_to_chat),
        notice.begins_at <= moment,
        or_(notice.ends_at.is_(None), notice.ends_at > moment),
    )


def _notify(notice_id: int) -> bool:
    with writing() as session:
        chosen = select(PublicNotice).where(PublicNotice.id == notice_id, *_are_due())
        notice = session.scalars(chosen.with_for_update()).one_or_none()
        if notice is None:
            return False
        notice.notified_at = clock.now()
        page, emailed = session.get_one(Page, 1), 0
        if notice.emails_subscribers:
            emailed = _email(session, notice, page)
        if notice.posts_to_chat:
            _post_to_chat(session, notice, page)
        audit.record(
            session, SYSTEM, "notice.notify", subject_kind="notice", subject=notice.code,
            after={"emailed": emailed, "in chat": notice.posts_to_chat},
        )  # fmt: skip
        return True


def _email(session: Session, notice: PublicNotice, page: Page) -> int:
    """Queue the email to subscribers; how many of them there are."""
    texts = {
        language: Text(kept["title"], kept["body"])
        for language, kept in notice.translations.items()
    }
    links, own = current_links(), Text(notice.title, notice.body)
    facts = sign_up_facts(page, links=links)
    mail = finish_notice(
        own, facts=facts, url=links.notice(notice.code), language=page.language, versions=texts
    )
    message = _keep(session, mail, Audience.SUBSCRIBER, page.language)
    return subscriber_queue.queue_notice(session, message, step_key=f"notice:{notice.id}")


def _post_to_chat(session: Session, notice: PublicNotice, page: Page) -> None:
    home, subject = current_links().home, disarm(f"Notice on {page.name}: {notice.title}")
    address = current_links().notice(notice.code)
    body = disarm(f"{subject}\n\n{to_text(notice.body, home=home)}\n\n{address}")
    message = _keep(session, Composed(subject, body, text=body), Audience.INTERNAL, page.language)
    rooms = current_settings().chat_rooms
    queue.queue_chat(session, message, step_key=f"notice:{notice.id}", rooms=rooms)


def _keep(session: Session, mail: Composed, audience: Audience, language: str) -> Message:
    message = Message(
        step=Step.NOTICE, audience=audience, language=language, subject=mail.subject,
        body=mail.body, text=mail.text, html=mail.html, versions=dict(mail.versions),
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message
