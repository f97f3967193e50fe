"""Threads: where in a chat room an incident is shown, where the room has threads.

The first message about an incident in a room opens its thread; all later ones answer in it, and the
first one's headline is kept to the incident's present status.  What is known of it is written with
the outcome, so a death before that costs at most one message said twice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.config import Settings
from statuspage.core.db import among, count_written, insert_new
from statuspage.core.enums import Channel, DeliveryState, IncidentRole, Step
from statuspage.delivery.channels.provider import Outcome, Result, Thread
from statuspage.delivery.queue import MAILED
from statuspage.messages.compose import DRILL
from statuspage.models import ChatThread, Delivery, Incident, Message
from statuspage.models.columns import LINE_LIMIT

LONGEST_NAME: Final = 70
"""How long the name of an incident's channel may be; Slack takes 80, and a number may follow."""


def thread_of(
    session: Session,
    message: Message,
    *,
    room: str,
    settings: Settings,
    opening_of: Callable[[Message], str],
) -> Thread | None:
    """The thread that ``message`` belongs into; None where the room or the message has none.

    ``opening_of`` makes the text that a thread's first message was posted with.
    """
    if message.incident_id is None or room not in settings.slack_rooms:
        return None
    incident = session.get_one(Incident, message.incident_id)
    headline = headline_of(incident)
    row = session.get(ChatThread, (incident.id, room))
    thread = Thread(
        headline,
        is_open=incident.is_open,
        channel=_channel_of(session, incident),
        channel_name=channel_name(incident) if settings.slack_incident_channels else "",
    )
    if row is None:
        return thread
    opening = opening_of(session.get_one(Message, row.message_id))
    return replace(
        thread, opening=opening, first=row.first, is_current=row.headline == headline,
        is_pinned=row.pinned,
    )  # fmt: skip


def _channel_of(session: Session, incident: Incident) -> str:
    """The channel that was opened for an incident, with its first message in whichever room."""
    found = select(ChatThread.channel).where(
        ChatThread.incident_id == incident.id, ChatThread.channel != ""
    )
    return session.scalar(found.order_by(ChatThread.opened_at).limit(1)) or ""


def channel_name(incident: Incident) -> str:
    """A name for an incident's own channel: ``inc-20260304-payments-fail``.

    Of lower-case letters, digits and hyphens, as Slack takes it, and short enough for a number.
    """
    plain = unicodedata.normalize("NFKD", incident.title).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or incident.code
    kind = "drill" if incident.is_drill else "inc"
    return f"{kind}-{incident.started_at:%Y%m%d}-{words}"[:LONGEST_NAME].rstrip("-")


def first_mails(session: Session, message: Message, ids: Sequence[int]) -> dict[str, int]:
    """By address, the delivery of the first mail about a message's incident that was sent there.

    ``ids`` are deliveries of the message; those that are the first to their address are left out.
    """
    if message.incident_id is None or message.audience not in MAILED:
        return {}
    earlier = select(Message.id).where(
        Message.incident_id == message.incident_id,
        Message.audience.in_(MAILED),
        Message.step != Step.TEST,
        Message.id < message.id,
    )
    messages = session.scalars(earlier).all()
    if not messages:
        return {}
    sent = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
    addresses = select(Delivery.address).where(among(Delivery.id, ids)).scalar_subquery()
    rows = session.execute(
        select(Delivery.address, func.min(Delivery.id))
        .where(
            Delivery.address.in_(addresses),
            Delivery.channel == Channel.EMAIL,
            Delivery.message_id.in_(messages),
            Delivery.state.in_(sent),
        )
        .group_by(Delivery.address)
    )
    return {row[0]: row[1] for row in rows}


def headline_of(incident: Incident) -> str:
    """An incident's present status and owner in one line: ``SEV1 · Identified: Payments fail``.

    The owner is the incident commander, else the communications lead; none is not named.
    """
    kind = incident.severity_name or incident.kind.label
    status = "Cancelled" if incident.cancelled_at else incident.step.label
    drill = f"{DRILL} " if incident.is_drill else ""
    owner = ""
    if incident.commander:
        owner = f" · {IncidentRole.COMMANDER.label}: {incident.commander.name}"
    elif incident.comms_lead:
        owner = f" · {IncidentRole.COMMS_LEAD.label}: {incident.comms_lead.name}"
    return f"{drill}{kind} · {status}: {incident.title}{owner}"[:LINE_LIMIT]


def note_threads(session: Session, message: Message, results: Iterable[Result]) -> None:
    """Write down how the threads stand after these results about one message.

    A thread that somebody else opened or reopened meanwhile is left to them.
    """
    for result in results:
        known, now = result.recipient.thread, result.thread
        if known is None or now is None or result.outcome is not Outcome.ACCEPTED:
            continue
        room = result.recipient.address
        statement = insert_new(session, ChatThread).values(
            incident_id=message.incident_id, room=room, first=now.first, message_id=message.id,
            headline=now.headline, opened_at=clock.now(), pinned=now.is_pinned,
            channel=now.channel,
        )  # fmt: skip
        if count_written(session, statement.on_conflict_do_nothing()):
            continue
        row = session.get_one(ChatThread, (message.incident_id, room), with_for_update=True)
        if row.first != known.first:
            continue
        if now.first != known.first:
            row.first, row.message_id = now.first, message.id
        if now.is_current:
            row.headline = now.headline
        row.pinned, row.channel = now.is_pinned, row.channel or now.channel
