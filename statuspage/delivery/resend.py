"""Sending one email again that failed or bounced: to the same address, or to a corrected one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, literal, or_, select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import Channel, DeliveryState
from statuspage.core.errors import Invalid
from statuspage.delivery import superseded
from statuspage.delivery.queue import CUSTOMER_MAIL_AGE, insert_rows, new_row, queue_again
from statuspage.models import Customer, Delivery, Message
from statuspage.recipients.suppression import is_suppressed

_CAME_TO_NOTHING = (DeliveryState.BOUNCED, DeliveryState.FAILED, DeliveryState.EXPIRED)


@dataclass(frozen=True, slots=True)
class SendingAgain:
    """Where an email that came to nothing would go now; ``reason`` says why it cannot."""

    email: str
    address: str
    customer: Customer | None
    reason: str = ""


def sending_again(session: Session, delivery: Delivery) -> SendingAgain | None:
    """Whether and where a delivery can be sent again; None where there is nothing to send again."""
    if delivery.channel is not Channel.EMAIL or delivery.state not in _CAME_TO_NOTHING:
        return None
    customer = _customer_of(session, delivery)
    email = customer.email if customer else delivery.email
    address = customer.address if customer else delivery.address
    reason = _reason_against(session, delivery, address)
    return SendingAgain(email, address, customer, reason)


@needs(Permission.SEND)
def send_again(delivery_id: int, *, actor: Actor) -> str:
    """Queue one email again; the address that it goes to.

    It is the customer's present one.  The row is the same where the address is, so nobody gets
    two.  Raises :class:`Invalid` where it cannot be sent.
    """
    with writing() as session:
        delivery = session.get_one(Delivery, delivery_id, with_for_update=True)
        found = sending_again(session, delivery)
        if found is None:
            raise Invalid("form", "There is nothing to send again")
        if found.reason:
            raise Invalid("form", found.reason)
        reason = f"sent again by {actor.name}"[:500]
        if found.address == delivery.address:
            queue_again(session, Delivery.id == delivery.id, reason=reason, age=CUSTOMER_MAIL_AGE)
        else:
            if not _queue_to(session, delivery, found):
                raise Invalid("form", "This address isn’t on the drill’s list")
        audit.record(
            session, actor, "outbox.resend", subject_kind="outbox",
            subject=f"message {delivery.message_id}",
            after={"delivery": delivery.id, "to": found.email},
        )  # fmt: skip
        return found.email


def _customer_of(session: Session, delivery: Delivery) -> Customer | None:
    """The list entry that was reached, else whoever has the address now."""
    if delivery.customer_id is not None:
        known = session.get(Customer, delivery.customer_id)
        if known is not None:
            return known
    return session.scalars(select(Customer).filter_by(address=delivery.address)).one_or_none()


def _reason_against(session: Session, delivery: Delivery, address: str) -> str:
    if not delivery.email:
        return "Its address was forgotten"
    if session.scalar(select(is_suppressed(literal(address)))):
        return "Nothing is sent to this address; resubscribe or correct it first"
    later = superseded.has_been(session, delivery.message_id)
    if later is not None and session.scalar(
        select(func.count()).select_from(Delivery).where(Delivery.id == delivery.id, later)
    ):
        return "A newer message about it was sent since"
    if address != delivery.address and _has_it(session, delivery, address):
        return "This address has had it already"
    return ""


def _has_it(session: Session, delivery: Delivery, address: str) -> bool:
    same = select(Delivery.id).where(
        Delivery.address == address,
        Delivery.channel == Channel.EMAIL,
        or_(Delivery.step_key == delivery.step_key, Delivery.message_id == delivery.message_id),
    )
    return session.scalar(same.limit(1)) is not None


def _queue_to(session: Session, delivery: Delivery, found: SendingAgain) -> int:
    """Queue what came to nothing to the corrected address, as a delivery of its own; how many.

    None where it is of a drill, and the address is not on its list.
    """
    moment = clock.now()
    message = session.get_one(Message, delivery.message_id)
    row = new_row(
        delivery.message_id, delivery.step_key, moment, moment + CUSTOMER_MAIL_AGE, moment
    ) | {
        "channel": Channel.EMAIL,
        "address": found.address,
        "email": found.email,
        "name": found.customer.name if found.customer else delivery.name,
        "time_zone": delivery.time_zone,
        "language": delivery.language,
        "customer_id": found.customer.id if found.customer else None,
        "why": delivery.why,
    }
    return insert_rows(session, message, [row])
