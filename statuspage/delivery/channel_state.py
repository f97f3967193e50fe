"""How each channel stands: its provider, its last success, its success rate, and what is wrong.

The cost grows with what was sent in the last days, not with history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.core import clock
from statuspage.core.config import Settings, current_settings
from statuspage.core.enums import Audience, Channel, DeliveryState
from statuspage.core.setting_readers import SLACK
from statuspage.delivery import control, report
from statuspage.delivery.report import Tally
from statuspage.models import Breaker, Delivery, Message, Page

RATE_WINDOW: Final = timedelta(days=7)
"""The time that a success rate is about."""

_ARRIVED: Final = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
# Apprise's schemes, as people know the services (https://github.com/caronc/apprise/wiki).
_SERVICES: Final[Mapping[str, str]] = {
    "discord": "Discord",
    "form": "Webhook (form)",
    "forms": "Webhook (form)",
    "gchat": "Google Chat",
    "json": "Webhook (JSON)",
    "jsons": "Webhook (JSON)",
    "matrix": "Matrix",
    "matrixs": "Matrix",
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "msteams": "Microsoft Teams",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "slack": "Slack",
    "slack-bot": "Slack, as a bot",
    "tgram": "Telegram",
    "workflows": "Microsoft Teams",
    "xml": "Webhook (XML)",
    "xmls": "Webhook (XML)",
    "zulip": "Zulip",
}


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One way by which messages reach somebody.

    ``is_set`` is false where nobody gets them.  ``troubles`` are sentences, the gravest first;
    ``hints`` say what could be set besides.
    """

    title: str
    audience: Audience
    provider: str
    sender: str
    counts: Tally
    last_success: datetime | None
    troubles: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    is_set: bool = True
    room: str = ""

    @property
    def tried(self) -> int:
        """Deliveries that came to an end, one way or the other."""
        return self.arrived + self.counts.failed

    @property
    def arrived(self) -> int:
        """Deliveries that were accepted and did not bounce."""
        return self.counts.accepted - self.counts[DeliveryState.BOUNCED]

    @property
    def rate(self) -> str:
        """The share of those that arrived, in per cent, never rounded up to all of them."""
        share = 100 * self.arrived / self.tried if self.tried else 0.0
        return f"{share if share == 100 else min(share, 99.9):.1f}".removesuffix(".0") + "%"


def channel_states(session: Session) -> list[ChannelState]:
    """Every channel: email to customers and to subscribers, then the chat rooms that are set."""
    settings, since = current_settings(), clock.now() - RATE_WINDOW
    everywhere = _troubles_of_the_worker(session)
    return [
        *_mail(session, settings, since, everywhere),
        *_rooms(session, settings, since, everywhere),
    ]


def _mail(
    session: Session, settings: Settings, since: datetime, everywhere: Sequence[str]
) -> list[ChannelState]:
    troubles = [*everywhere, *_troubles(session, Channel.EMAIL)]
    if settings.mail_channel == "sendgrid" and settings.sendgrid_sandbox:
        troubles.append("SENDGRID_SANDBOX is on: SendGrid checks emails and sends none.")
    hints = []
    if settings.mail_channel == "sendgrid" and not settings.sendgrid_webhook_key:
        hints.append("Set SENDGRID_WEBHOOK_KEY to see which emails were delivered or bounced.")
    counts = _mail_counts(session, since)
    return [
        ChannelState(
            title=f"Email to {audience.value}s",
            audience=audience,
            provider=_mail_provider(settings),
            sender=settings.mail_from,
            counts=Tally(counts.get(audience, {})),
            last_success=_last_mail(session, audience),
            troubles=tuple(troubles),
            hints=tuple(hints),
            is_set=settings.mail_channel != "file",
        )
        for audience in (Audience.CUSTOMER, Audience.SUBSCRIBER)
    ]


def _rooms(
    session: Session, settings: Settings, since: datetime, everywhere: Sequence[str]
) -> list[ChannelState]:
    common = [*everywhere, *_troubles(session, Channel.CHAT)]
    page = session.get_one(Page, 1)
    rooms = settings.chat_rooms if settings.has_chat else {}
    states = []
    for number, (room, url) in enumerate(rooms.items(), start=1):
        states.append(
            ChannelState(
                title=f"Chat room {number}" if len(rooms) > 1 else "Chat",
                audience=Audience.INTERNAL,
                provider=service_of(url),
                sender="The bot" if url.startswith(SLACK) else page.name,
                counts=_room_counts(session, room, since),
                last_success=_last_in(session, room),
                troubles=(*_alarm_texts(session, control.room_alarm(room)), *common),
                room=room,
            )
        )
    return states


def service_of(url: str) -> str:
    """The service behind an address of CHAT_URLS, without what is secret in it."""
    scheme = url.partition("://")[0].lower()
    name = _SERVICES.get(scheme, scheme)
    return f"{name}, channel {url.removeprefix(SLACK)}" if url.startswith(SLACK) else name


def _mail_provider(settings: Settings) -> str:
    if settings.mail_channel == "sendgrid":
        return "SendGrid"
    if not settings.smtp_url:
        return "Files on this machine"
    parts = urlsplit(settings.smtp_url)
    return f"SMTP server {parts.hostname}{f':{parts.port}' if parts.port else ''}"


def _troubles_of_the_worker(session: Session) -> list[str]:
    trouble = report.worker_trouble(session)
    return [trouble] if trouble else []


def _troubles(session: Session, channel: Channel) -> list[str]:
    """What keeps a channel from sending: stops by hand, a failing provider, faults of our own."""
    stops = {control.EVERYTHING, channel.value}
    troubles = [
        f"Sending is paused: {hold.reason.removesuffix('.')}."
        for hold in control.holds(session)
        if hold.channel in stops
    ]
    breaker = session.get(Breaker, channel.value)
    if breaker is not None:
        times = "once" if breaker.failures == 1 else f"{breaker.failures} times in a row"
        reason = breaker.reason.removesuffix(".")
        troubles.append(f"It failed {times}: {reason}. It’s retried automatically.")
    return troubles + _alarm_texts(session, control.fault_alarm(channel))


def _alarm_texts(session: Session, key: str) -> list[str]:
    return [alarm.text for alarm in alarms.open_alarms(session) if alarm.key == key]


def _mail_counts(session: Session, since: datetime) -> dict[Audience, dict[DeliveryState, int]]:
    """The mails of messages since then, by audience and state."""
    rows = session.execute(
        select(Message.audience, Delivery.state, func.count())
        .join(Delivery, Delivery.message_id == Message.id)
        .where(
            Message.created_at >= since,
            Message.audience.in_((Audience.CUSTOMER, Audience.SUBSCRIBER)),
        )
        .group_by(Message.audience, Delivery.state)
    )
    counts: dict[Audience, dict[DeliveryState, int]] = {}
    for audience, state, count in rows:
        counts.setdefault(audience, {})[state] = count
    return counts


def _last_mail(session: Session, audience: Audience) -> datetime | None:
    """When the newest message to an audience of which anything arrived last did so."""
    arrived = exists().where(Delivery.message_id == Message.id, Delivery.state.in_(_ARRIVED))
    newest = session.scalar(
        select(Message.id)
        .where(Message.audience == audience, arrived)
        .order_by(Message.id.desc())
        .limit(1)
    )
    if newest is None:
        return None
    return session.scalar(
        select(func.max(Delivery.changed_at)).where(
            Delivery.message_id == newest, Delivery.state.in_(_ARRIVED)
        )
    )


def _room_counts(session: Session, room: str, since: datetime) -> Tally:
    rows = session.execute(
        select(Delivery.state, func.count())
        .where(
            Delivery.address == room,
            Delivery.channel == Channel.CHAT,
            Delivery.queued_at >= since,
        )
        .group_by(Delivery.state)
    )
    return Tally({row[0]: row[1] for row in rows})


def _last_in(session: Session, room: str) -> datetime | None:
    return session.scalar(
        select(func.max(Delivery.changed_at)).where(
            Delivery.address == room,
            Delivery.channel == Channel.CHAT,
            Delivery.state.in_(_ARRIVED),
        )
    )
