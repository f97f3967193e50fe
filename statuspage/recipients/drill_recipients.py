"""A drill's recipients: what belongs to a drill goes to the drill's own list, and to nobody else.

It is asked twice, each time at the lowest place: where delivery rows are written
(:mod:`statuspage.delivery.queue`), and again before the provider is called
(:mod:`statuspage.delivery.dispatch`), whatever put the row there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from statuspage.core.address import Address, read_address
from statuspage.core.enums import Channel
from statuspage.models import Incident, Message

WHY = "On the drill's list"
BARRED = "this belongs to a drill, and the address is not on its list"


@dataclass(frozen=True, slots=True)
class DrillRecipients:
    """The list of one drill: mailboxes with a name each, and chat rooms."""

    mailboxes: tuple[tuple[Address, str], ...]
    rooms: frozenset[str]

    def lets(self, channel: Channel, address: str) -> bool:
        """Whether something may go to that normalised address, or to that room."""
        if channel is Channel.CHAT:
            return address in self.rooms
        return channel is Channel.EMAIL and any(
            mailbox.identity == address for mailbox, _ in self.mailboxes
        )


def drill_recipients_of(session: Session, message: Message) -> DrillRecipients | None:
    """The only recipients of a message; None where it belongs to no drill."""
    if message.incident_id is None:
        return None
    return drill_recipients_on(session.get_one(Incident, message.incident_id))


def drill_recipients_on(incident: Incident) -> DrillRecipients | None:
    """The only recipients of an incident; None where it is no drill."""
    if not incident.is_drill:
        return None
    stored = incident.drill_list
    return DrillRecipients(
        tuple((read_address(one["email"]), one["name"]) for one in stored if "email" in one),
        frozenset(one["room"] for one in stored if "room" in one),
    )


def as_stored(people: Iterable[tuple[str, str]], rooms: Iterable[str]) -> list[dict[str, Any]]:
    """A drill's list as an incident keeps it, each address once; ``ValueError`` for none."""
    once = {read_address(email).identity: (email, name) for email, name in people}
    return [
        *({"email": email, "name": name} for email, name in once.values()),
        *({"room": room} for room in rooms),
    ]
