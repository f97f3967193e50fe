"""Tests of a channel: a message marked as a test, through the whole pipeline, to one recipient.

A test belongs to no incident, so it counts as nobody's delivery and keeps no real one from going.
It is queued, claimed and sent like any other message, and says so in its own report.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.address import identity_of
from statuspage.core.config import current_settings
from statuspage.core.db import writing
from statuspage.core.enums import Audience, Channel, Step
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.delivery import queue
from statuspage.delivery.account_mail import barred_because
from statuspage.messages.compose import Composed, Text, finish_for_account
from statuspage.messages.incident_facts import sign_up_facts
from statuspage.models import Delivery, Message, Page

TEST_KEY = "test:"
"""How the step keys of tests begin."""


@needs(Permission.SEND)
def send_test_mail(
    audience: Audience, *, email: str, name: str, form_key: str, actor: Actor
) -> int:
    """Queue a test of the mail to customers or subscribers to ``email`` alone; its message's id.

    The same form queues one, however often it is sent.  Raises :class:`Invalid` where no mail
    reaches that address.
    """
    with writing() as session:
        if reason := barred_because(session, identity_of(email)):
            raise Invalid("email", f"{email} can’t be emailed: {reason}")
        step_key = _step_key(form_key, audience)
        known = _message_of(session, Channel.EMAIL, identity_of(email), step_key)
        if known is not None:
            return known
        page = session.get_one(Page, 1)
        message = add_test_message(
            session, audience, f"Email from {page.name} works", _body(page, asked_by=actor.name)
        )
        queue.queue_test(
            session, message, step_key=step_key, email=email, name=name, time_zone=page.time_zone
        )
        _record(session, actor, audience, to=email)
        return message.id


@needs(Permission.SEND)
def send_test_to_room(room: str, *, form_key: str, actor: Actor) -> int:
    """Queue a test to the chat room of that name; its message's id.

    Raises :class:`Invalid` where the room is not among the settings.
    """
    with writing() as session:
        if room not in current_settings().chat_rooms:
            raise Invalid("room", "This chat room isn’t in CHAT_URLS any more")
        step_key = _step_key(form_key, room)
        known = _message_of(session, Channel.CHAT, room, step_key)
        if known is not None:
            return known
        page = session.get_one(Page, 1)
        message = add_test_message(
            session, Audience.INTERNAL, f"Chat from {page.name} works",
            _body(page, asked_by=actor.name),
        )  # fmt: skip
        queue.queue_chat(session, message, step_key=step_key, rooms=[room])
        _record(session, actor, Audience.INTERNAL, to=room)
        return message.id


def add_test_message(session: Session, audience: Audience, subject: str, body: str) -> Message:
    """Add a message that is marked as a test, with its mail."""
    mail = _mail(session, subject, body)
    message = Message(
        step=Step.TEST, audience=audience, subject=mail.subject, body=mail.body, text=mail.text,
        html=mail.html, created_at=clock.now(),
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def _mail(session: Session, subject: str, body: str) -> Composed:
    page = session.get_one(Page, 1)
    facts = sign_up_facts(page, links=current_links())
    return finish_for_account(Text(f"[Test] {subject}", body), facts=facts, has_link=False)


def _body(page: Page, *, asked_by: str) -> str:
    return (
        f"This is a test of the {page.name} status page. It was requested by {asked_by} "
        f"{clock.show(clock.now(), page.zone)}. Nothing has happened, and you don’t need to do "
        "anything."
    )


def _step_key(form_key: str, place: str) -> str:
    return f"{TEST_KEY}{sha256(f'{form_key} {place}'.encode()).hexdigest()[:32]}"


def _message_of(session: Session, channel: Channel, address: str, step_key: str) -> int | None:
    return session.scalar(
        select(Delivery.message_id).filter_by(address=address, channel=channel, step_key=step_key)
    )


def _record(session: Session, actor: Actor, audience: Audience, *, to: str) -> None:
    audit.record(
        session, actor, "channel.test", subject_kind="channel", subject=audience.value,
        after={"to": to},
    )  # fmt: skip
