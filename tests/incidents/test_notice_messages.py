"""Notices that somebody chose to have emailed or posted to chat: once, when they start."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.core.conflict import fingerprint
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, DeliveryState, Step, SubscriberState
from statuspage.core.languages import OFFERED
from statuspage.delivery import claims
from statuspage.incidents.notice_messages import notify_due
from statuspage.incidents.notices import (
    NoticeDetails,
    change_notice,
    details_of,
    end_notice,
    post_notice,
)
from statuspage.models import AuditEntry, Delivery, Message, PublicNotice, Subscriber
from statuspage.recipients import suppression
from statuspage.recipients.suppression import SuppressionKind
from tests.announcing import ACTOR, Scenario
from tests.factories import NOON

HOUR = timedelta(hours=1)
LOUD = NoticeDetails(
    "New sign-in page",
    "It looks **different** from [[name]]’s day on.",
    NOON,
    emails_subscribers=True,
    posts_to_chat=True,
    translations={"de": {"title": "Neue Anmeldung", "body": "Sie sieht anders aus."}},
)


@pytest.fixture(autouse=True)
def subscribers(session: Session, scenario: Scenario) -> None:
    """Two who read it; one each who left, never confirmed, or asked for neither kind."""
    people: dict[str, dict[str, Any]] = {
        "ana": {},
        "bernd": {"language": "de", "incidents": False},
        "gone": {"state": SubscriberState.UNSUBSCRIBED},
        "new": {"state": SubscriberState.PENDING},
        "follower": {"incidents": False, "maintenance": False},
    }
    with writing() as session:
        for name, columns in people.items():
            email = f"{name}@example.com"
            kept = {"state": SubscriberState.CONFIRMED, **columns}
            session.add(Subscriber(email=email, address=email, **kept))


def posted(details: NoticeDetails = LOUD) -> PublicNotice:
    return post_notice(details, form_key="key", actor=ACTOR)


def messages(session: Session) -> dict[Audience, Message]:
    session.expire_all()
    return {one.audience: one for one in session.scalars(select(Message))}


def addresses(session: Session, channel: Channel) -> list[str]:
    chosen = select(Delivery.address).filter_by(channel=channel).order_by(Delivery.address)
    return list(session.scalars(chosen))


def test_subscribers_and_chat_are_notified_once_and_it_stands_in_the_trail(
    session: Session,
) -> None:
    notice = posted()
    assert (notify_due(), notify_due()) == (1, 0)
    found = messages(session)
    assert {one.step for one in found.values()} == {Step.NOTICE}
    assert addresses(session, Channel.EMAIL) == ["ana@example.com", "bernd@example.com"]
    assert len(addresses(session, Channel.CHAT)) == 1
    mail, chat = found[Audience.SUBSCRIBER], found[Audience.INTERNAL]
    assert mail.subject == "New sign-in page (Acme)"
    assert "It looks different from" in mail.text
    assert "[[name]]" not in mail.text + chat.text
    assert "This notice: http" in mail.text
    assert f"/notices/{notice.code}" in mail.text
    assert f"/notices/{notice.code}" in chat.text
    language, subject, text, html = mail.read_in("de")
    assert (language, subject) == ("de", "Neue Anmeldung (Acme)")
    assert "Dieser Hinweis: " in text
    assert f"/de/notices/{notice.code}" in html
    entry = session.scalars(select(AuditEntry).filter_by(action="notice.notify")).one()
    assert entry.after == {"emailed": 2, "in chat": True}
    whys = set(session.scalars(select(Delivery.why).filter_by(channel=Channel.EMAIL)))
    assert whys == {"Subscribed to the page"}


def test_its_frame_is_there_in_every_language(session: Session) -> None:
    texts = {
        one.code: {"title": f"Title {one.code}", "body": "Text."}
        for one in OFFERED
        if one.code != "en"
    }
    posted(replace(LOUD, translations=texts))
    notify_due()
    mail = messages(session)[Audience.SUBSCRIBER]
    for language, kept in texts.items():
        found, subject, text, html = mail.read_in(language)
        assert (found, subject) == (language, f"{kept['title']} (Acme)")
        assert "This notice" not in text
        assert "View this notice" not in html


def test_it_waits_for_its_start_and_a_quiet_or_withdrawn_one_notifies_nobody(
    session: Session, frozen: Traveller
) -> None:
    posted(replace(LOUD, begins_at=NOON + HOUR))
    withdrawn = post_notice(replace(LOUD, begins_at=NOON + HOUR), form_key="2", actor=ACTOR)
    post_notice(
        replace(LOUD, emails_subscribers=False, posts_to_chat=False), form_key="3", actor=ACTOR
    )
    end_notice(withdrawn.code, actor=ACTOR)
    assert notify_due() == 0
    frozen.shift(HOUR)
    assert notify_due() == 1
    assert len(messages(session)) == 2


def test_a_change_notifies_nobody_again_and_what_was_chosen_stays(session: Session) -> None:
    notice = posted()
    notify_due()
    session.expire_all()
    saved = details_of(notice)
    change_notice(
        notice.code,
        replace(saved, title="Newer sign-in page", emails_subscribers=False),
        seen=fingerprint(saved),
        actor=ACTOR,
    )
    session.expire_all()
    assert (notice.title, notice.emails_subscribers) == ("Newer sign-in page", True)
    assert notify_due() == 0


def test_who_is_suppressed_before_it_is_sent_gets_no_email(session: Session) -> None:
    posted()
    notify_due()
    with writing() as written:
        suppression.suppress(written, "ana@example.com", SuppressionKind.UNSUBSCRIBED)
    while claims.claim(1, Channel.EMAIL, size=10):
        pass
    session.expire_all()
    chosen = select(Delivery.state).filter_by(address="ana@example.com")
    assert session.scalars(chosen).one() is DeliveryState.SUPPRESSED
