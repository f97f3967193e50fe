"""A resolution that went out wrong to twelve customers, and its correction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Flask
from sqlalchemy import select, update

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, DeliveryState
from statuspage.delivery import claims
from statuspage.incidents import mail_corrections
from statuspage.incidents.mail_corrections import Correction
from statuspage.models import Customer, Delivery, DeliveryEvent, Message
from tests.announcing import ACTOR, declare, messages, resolve, set_up_scenario

RIGHT = "Hello [[name]],\n\nIt was Tuesday."
ADDRESSES = [f"c{number}@example.com" for number in range(1, 13)]


@dataclass
class Sent:
    """A mail that went out wrong."""

    code: str
    message_id: int

    def correction(self) -> Correction:
        message = current_session().get_one(Message, self.message_id)
        return replace(
            mail_corrections.as_sent(current_session(), message),
            body=RIGHT,
            note="It was not Monday.",
        )

    def correct(self) -> Message:
        return mail_corrections.send_correction(self.message_id, self.correction(), actor=ACTOR)

    def preview(self) -> mail_corrections.CorrectionDraft:
        message = current_session().get_one(Message, self.message_id)
        return mail_corrections.preview_correction(message, self.correction())


def send_wrong(app: Flask) -> Sent:
    """To be called in the application's context; shopper is left out."""
    scenario = set_up_scenario(app, customers=12)
    with writing() as session:
        only = Customer.address == "shopper@example.com"
        session.delete(session.scalars(select(Customer).where(only)).one())
    code = declare(scenario).code
    resolve(code)
    return Sent(code, messages(Audience.CUSTOMER)[0].id)


def put(address: str, state: DeliveryState) -> None:
    with writing() as session:
        delivery = session.scalars(select(Delivery).filter_by(address=address)).one()
        delivery.state = state
        session.add(
            DeliveryEvent(delivery_id=delivery.id, at=delivery.queued_at, state=state, reason="")
        )


def addresses(message_id: int) -> list[str]:
    chosen = select(Delivery.address).where(Delivery.message_id == message_id)
    return sorted(current_session().scalars(chosen))


def send() -> dict[str, str]:
    """Have everything that waits claimed and taken; what each address read at last."""
    read = {}
    while (claim := claims.claim(1, Channel.EMAIL, size=100)) is not None:
        message = current_session().get_one(Message, claim.message_id)
        read.update(dict.fromkeys((one.address for one in claim.deliveries), message.text))
        with writing() as session:
            session.execute(
                update(Delivery).where(Delivery.attempt_id == claim.attempt_id)
                .values(state=DeliveryState.ACCEPTED, attempt_id=None)
            )  # fmt: skip
    return read
