"""Leaving: who asks for no more mail gets none, at once, until they ask for it again.

Every mail to a customer ends in a link that names its delivery (:mod:`statuspage.links`), so nobody
has to sign in, and nobody can leave for somebody else.  What is left is the address, not one list.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from statuspage import audit
from statuspage.audit import Actor
from statuspage.db import writing
from statuspage.models import Customer, Delivery, Message, Suppression
from statuspage.models.mail import in_state
from statuspage.outbox.news import suppress
from statuspage.outbox.queue import close_waiting
from statuspage.words import Audience, Channel, DeliveryState

LEFT = "unsubscribed"
REASON = "the recipient asked for no more mail"

RECIPIENT = Actor("the recipient, by the link in a mail")


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the address that a delivery went to.

    ``suppressed`` is why nothing is sent to it (``unsubscribed``, ``bounced``, ``complained``), or
    empty.  ``is_owed`` tells that notices owed by contract reach it even where its owner has left.
    """

    email: str
    suppressed: str
    is_owed: bool

    @property
    def has_left(self) -> bool:
        """Whether its owner asked for no more mail."""
        return self.suppressed == LEFT


def standing(current: Session, delivery_id: int) -> Standing | None:
    """How it stands with a mail's recipient; None where no such mail was ever queued."""
    delivery = _mail(current, delivery_id)
    return _standing(current, delivery) if delivery else None


def leave(delivery_id: int) -> Standing:
    """Send nothing more to the recipient of a mail; doing it again changes nothing.

    Mail that waits for them is not sent either.  Raises ``LookupError`` where there is no such
    mail.
    """
    with writing() as current:
        delivery = _known_mail(current, delivery_id)
        before = _standing(current, delivery)
        if before.suppressed:
            return before
        suppress(current, delivery.address, kind=LEFT, reason=REASON)
        if not before.is_owed:
            _stop_waiting(current, delivery.address)
        _record(current, "subscription.leave", delivery.address)
        return _standing(current, delivery)


def stay(delivery_id: int) -> Standing:
    """Take back that the recipient of a mail left; doing it again changes nothing.

    Raises ``LookupError`` where there is no such mail.
    """
    with writing() as current:
        delivery = _known_mail(current, delivery_id)
        if not _standing(current, delivery).has_left:
            return _standing(current, delivery)
        _lift(current, delivery.address)
        _record(current, "subscription.stay", delivery.address)
        return _standing(current, delivery)


def write_again(address: str, *, actor: Actor) -> None:
    """Lift what keeps mail from a normalised address, whatever it was."""
    with writing() as current:
        standing = current.get(Suppression, address)
        if standing is None:
            return
        before = {"suppressed": standing.kind, "reason": standing.reason}
        _lift(current, address)
        audit.record(
            current,
            actor,
            "suppression.lift",
            subject_kind="suppression",
            subject=address,
            before=before,
        )


def _mail(current: Session, delivery_id: int) -> Delivery | None:
    """A mail that its recipient may leave by: colleagues' messages carry no such link."""
    return current.scalars(
        select(Delivery)
        .join(Message, Message.id == Delivery.message_id)
        .where(
            Delivery.id == delivery_id,
            Delivery.channel == Channel.EMAIL,
            Message.audience != Audience.INTERNAL,
        )
    ).one_or_none()


def _known_mail(current: Session, delivery_id: int) -> Delivery:
    delivery = _mail(current, delivery_id)
    if delivery is None:
        raise LookupError(f"no mail {delivery_id}")
    return delivery


def _standing(current: Session, delivery: Delivery) -> Standing:
    address = delivery.address
    kind = current.scalar(select(Suppression.kind).where(Suppression.address == address))
    owed = current.scalar(select(Customer.contractual).where(Customer.address == address))
    return Standing(delivery.email, kind or "", bool(owed))


def _stop_waiting(current: Session, address: str) -> None:
    theirs = select(Message.id).where(Message.audience == Audience.CUSTOMER)
    waiting = and_(
        in_state(DeliveryState.PENDING),
        Delivery.address == address,
        Delivery.channel == Channel.EMAIL,
        Delivery.message_id.in_(theirs),
    )
    close_waiting(current, waiting, DeliveryState.SUPPRESSED, REASON)


def _lift(current: Session, address: str) -> None:
    current.execute(delete(Suppression).where(Suppression.address == address))


def _record(current: Session, action: str, address: str) -> None:
    audit.record(current, RECIPIENT, action, subject_kind="suppression", subject=address)
