"""Unsubscribing and resubscribing, by the links in mails.

Every mail ends in links that name its delivery (:mod:`statuspage.core.links`), so nobody has to
sign in, and nobody can unsubscribe somebody else.  What is unsubscribed is the address: it is
suppressed for customers' mail and subscribers' mail alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import open_to_everybody
from statuspage.core import clock
from statuspage.core.db import count_written, writing
from statuspage.core.enums import Audience, Channel, DeliveryState, SubscriberState
from statuspage.delivery.queue import MAILED, close_waiting
from statuspage.models import Customer, Delivery, Message, Subscriber
from statuspage.models.delivery import in_state
from statuspage.recipients import suppression
from statuspage.recipients.pseudonyms import find_pseudonymized, is_pseudonym
from statuspage.recipients.suppression import SuppressionKind

UNSUBSCRIBED = SuppressionKind.UNSUBSCRIBED

RECIPIENT = Actor("the recipient, by the link in an email")


@dataclass(frozen=True, slots=True)
class AddressState:
    """The state of the address that a delivery went to.

    ``suppressed`` is why nothing is sent to it (``unsubscribed``, ``bounced``, ``complained``), or
    empty.  ``is_owed``: notices owed by contract reach it even after unsubscribing.
    """

    email: str
    suppressed: str
    is_owed: bool

    @property
    def has_unsubscribed(self) -> bool:
        """Whether its owner asked for no more mail."""
        return self.suppressed == UNSUBSCRIBED


def find_address_state(session: Session, delivery_id: int) -> AddressState | None:
    """The state of a mail's recipient; None where no such mail was ever queued."""
    delivery = find_mail(session, delivery_id)
    return _address_state(session, delivery) if delivery else None


@open_to_everybody
def unsubscribe(delivery_id: int) -> AddressState:
    """Send nothing more to the recipient of a mail; doing it again changes nothing.

    Mail that waits for them is not sent either.  Raises ``LookupError`` where there is no such
    mail.
    """
    with writing() as session:
        delivery = known_mail(session, delivery_id)
        before = _address_state(session, delivery)
        _end_subscription(session, delivery.address)
        if before.suppressed:
            return before
        suppression.suppress(session, delivery.address, UNSUBSCRIBED)
        if not before.is_owed:
            _stop_waiting(session, delivery.address)
        _record(session, "subscription.leave", delivery.address)
        return _address_state(session, delivery)


@open_to_everybody
def resubscribe(delivery_id: int) -> AddressState:
    """Take back that the recipient of a mail left; doing it again changes nothing.

    Raises ``LookupError`` where there is no such mail.
    """
    with writing() as session:
        delivery = known_mail(session, delivery_id)
        before = _address_state(session, delivery)
        if not _resubscribe(session, delivery.address) and not before.has_unsubscribed:
            return before
        if before.has_unsubscribed:
            suppression.lift(session, delivery.address)
        _record(session, "subscription.stay", delivery.address)
        return _address_state(session, delivery)


@dataclass(frozen=True, slots=True)
class MailRecipient:
    """To whom a mail went: the normalised address, and as it was given to us."""

    address: str
    email: str


def find_mail(session: Session, delivery_id: int) -> MailRecipient | None:
    """A mail that its recipient may leave by: colleagues' messages carry no such link.

    Where its address was forgotten meanwhile, it is the one on a list that has the same hash.
    """
    row = session.execute(
        select(Delivery.address, Delivery.email)
        .join(Message, Message.id == Delivery.message_id)
        .where(
            Delivery.id == delivery_id,
            Delivery.channel == Channel.EMAIL,
            Message.audience != Audience.INTERNAL,
        )
    ).one_or_none()
    if row is None:
        return None
    if not is_pseudonym(row.address):
        return MailRecipient(row.address, row.email)
    address = find_pseudonymized(session, row.address)
    return None if address is None else MailRecipient(address, address)


def known_mail(session: Session, delivery_id: int) -> MailRecipient:
    """The mail of that delivery; ``LookupError`` where no such mail was ever queued."""
    delivery = find_mail(session, delivery_id)
    if delivery is None:
        raise LookupError(f"no mail {delivery_id}")
    return delivery


def _address_state(session: Session, delivery: MailRecipient) -> AddressState:
    address = delivery.address
    owed = session.scalar(select(Customer.contractual).where(Customer.address == address))
    return AddressState(delivery.email, suppressed_as(session, address), bool(owed))


def suppressed_as(session: Session, address: str) -> str:
    """Why nothing is sent to an address, or empty."""
    return suppression.suppression_kind(session, address) or ""


def _stop_waiting(session: Session, address: str) -> None:
    theirs = select(Message.id).where(Message.audience.in_(MAILED))
    waiting = and_(
        in_state(DeliveryState.PENDING),
        Delivery.address == address,
        Delivery.channel == Channel.EMAIL,
        Delivery.message_id.in_(theirs),
    )
    close_waiting(session, waiting, DeliveryState.SUPPRESSED, suppression.REASONS[UNSUBSCRIBED])


def _record(session: Session, action: str, address: str) -> None:
    audit.record(session, RECIPIENT, action, subject_kind="suppression", subject=address)


def _end_subscription(session: Session, address: str) -> None:
    session.execute(
        update(Subscriber)
        .where(Subscriber.address == address, Subscriber.state != SubscriberState.UNSUBSCRIBED)
        .values(
            state=SubscriberState.UNSUBSCRIBED, left_at=clock.now(),
            token_hash=None, token_expires_at=None,
        )
    )  # fmt: skip


def _resubscribe(session: Session, address: str) -> bool:
    """Write to a subscriber again who had confirmed before leaving; whether there is one."""
    return bool(
        count_written(
            session,
            update(Subscriber)
            .where(
                Subscriber.address == address,
                Subscriber.state == SubscriberState.UNSUBSCRIBED,
                Subscriber.confirmed_at.is_not(None),
            )
            .values(state=SubscriberState.CONFIRMED, left_at=None),
        )
    )
