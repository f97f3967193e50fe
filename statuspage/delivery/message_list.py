"""The list of all that was sent: public updates, emails and chat, with what became of each.

A page is found by the messages' ids alone and continued by the last of them; deliveries are counted
from their index, and only for the messages of the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload, load_only

from statuspage.core.enums import Audience, Channel, DeliveryState, Step, Term
from statuspage.delivery.report import Tally, kept_in_files
from statuspage.models import Delivery, Incident, Message

PAGE_SIZE: Final = 50

# What is sent to somebody because of themselves, not because of an incident.
_PERSONAL: Final = (Step.ACCOUNT, Step.CONFIRM, Step.SUBSCRIBED)
_SENT: Final = (Audience.PUBLIC, Audience.CUSTOMER, Audience.SUBSCRIBER, Audience.INTERNAL)


class MessageKind(Term):
    """What the list can be filtered by."""

    PUBLIC = "public"
    CUSTOMER = "customer"
    SUBSCRIBER = "subscriber"
    INTERNAL = "internal"
    PERSONAL = "personal"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A message, how its deliveries stand, and by which channels they go."""

    message: Message
    counts: Tally
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """A page of messages, newest first; ``before`` continues it, None at the end."""

    messages: Sequence[ListedMessage]
    before: int | None


def find_messages(
    session: Session, *, kind: MessageKind | None = None, incident: str = "", before: int = 0
) -> FoundMessages:
    """The newest messages of a kind and of incidents, by their code or a part of their title."""
    chosen = select(Message.id).where(*_of_kind(kind)).order_by(Message.id.desc())
    if incident:
        is_meant = or_(
            Incident.code == incident, Incident.title.icontains(incident, autoescape=True)
        )
        chosen = chosen.where(Message.incident_id.in_(select(Incident.id).where(is_meant)))
    if before:
        chosen = chosen.where(Message.id < before)
    ids = session.scalars(chosen.limit(PAGE_SIZE + 1)).all()
    shown = ids[:PAGE_SIZE]
    return FoundMessages(_listed(session, shown), shown[-1] if len(ids) > PAGE_SIZE else None)


def _of_kind(kind: MessageKind | None) -> list[ColumnElement[bool]]:
    if kind is None:
        return [Message.audience.in_(_SENT)]
    if kind is MessageKind.TEST:
        return [Message.audience.in_(_SENT), Message.step == Step.TEST]
    if kind is MessageKind.PERSONAL:
        return [Message.audience.in_(_SENT), Message.step.in_(_PERSONAL)]
    return [Message.audience == Audience(kind.value), Message.step.not_in((*_PERSONAL, Step.TEST))]


def _listed(session: Session, ids: Sequence[int]) -> list[ListedMessage]:
    messages = session.scalars(
        select(Message)
        .where(Message.id.in_(ids))
        .order_by(Message.id.desc())
        .options(
            # Texts are long, and a list shows none.
            load_only(
                Message.step, Message.audience, Message.subject, Message.created_at,
                Message.corrects_id, Message.replaces_id, Message.cancelled_at,
                Message.incident_id,
            ),
            joinedload(Message.incident).load_only(Incident.code, Incident.title),
        )
    ).all()  # fmt: skip
    in_chat = [one.id for one in messages if one.audience is Audience.INTERNAL]
    counts = _counts(session, [one.id for one in messages])
    channels = _channels(session, in_chat)
    files = kept_in_files(session, in_chat)
    return [
        ListedMessage(
            one,
            Tally(counts[one.id], files.get(one.id, 0)),
            channels.get(one.id, (Channel.EMAIL,) if counts[one.id] else ()),
        )
        for one in messages
    ]


def _counts(session: Session, ids: Sequence[int]) -> Mapping[int, dict[DeliveryState, int]]:
    rows = session.execute(
        select(Delivery.message_id, Delivery.state, func.count())
        .where(Delivery.message_id.in_(ids))
        .group_by(Delivery.message_id, Delivery.state)
    )
    counts: dict[int, dict[DeliveryState, int]] = defaultdict(dict)
    for message_id, state, count in rows:
        counts[message_id][state] = count
    return counts


def _channels(session: Session, ids: Sequence[int]) -> dict[int, tuple[Channel, ...]]:
    """By which channels messages to colleagues go; all others are emails."""
    rows = session.execute(
        select(Delivery.message_id, Delivery.channel)
        .where(Delivery.message_id.in_(ids))
        .distinct()
        .order_by(Delivery.message_id, Delivery.channel)
    )
    found: dict[int, list[Channel]] = defaultdict(list)
    for message_id, channel in rows:
        found[message_id].append(channel)
    return {message_id: tuple(channels) for message_id, channels in found.items()}
