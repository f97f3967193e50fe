"""Sending one email again: to the same address once it is let, or to the customer's new one."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core.db import writing
from statuspage.core.enums import Channel, DeliveryState, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.delivery import resend
from statuspage.delivery.dispatch import Dispatcher
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.models import AuditEntry, Customer, Delivery, DeliveryEvent, Incident
from statuspage.recipients import suppression
from statuspage.recipients.suppression import SuppressionKind
from tests.announcing import ACTOR, mails
from tests.delivery.conftest import Provider

C1 = "c1@example.com"


@pytest.fixture
def bounced(resolved: str, session: Session) -> int:
    """The id of a customer's mail that bounced."""
    with writing():
        delivery = session.scalars(select(Delivery).filter_by(address=C1)).one()
        delivery.state = DeliveryState.BOUNCED
        suppression.suppress(session, C1, SuppressionKind.BOUNCED)
        return delivery.id


def reason_of(session: Session, delivery_id: int) -> str:
    found = resend.sending_again(session, session.get_one(Delivery, delivery_id))
    assert found is not None
    return found.reason


def move(session: Session, address: str) -> None:
    """The customer has another address now."""
    with writing():
        customer = session.scalars(select(Customer).filter_by(address=C1)).one()
        customer.email = customer.address = address


def test_an_address_that_bounced_is_first_to_be_let_again(bounced: int, session: Session) -> None:
    reason = "Nothing is sent to this address; resubscribe or correct it first"
    assert reason_of(session, bounced) == reason
    with pytest.raises(Invalid):
        resend.send_again(bounced, actor=ACTOR)
    suppression.write_again(C1, actor=ACTOR)
    assert reason_of(session, bounced) == ""


def test_it_goes_to_the_same_address_once(
    bounced: int, session: Session, dispatcher: Dispatcher, provider: Provider
) -> None:
    suppression.write_again(C1, actor=ACTOR)
    assert resend.send_again(bounced, actor=ACTOR) == C1
    with pytest.raises(Invalid):
        resend.send_again(bounced, actor=ACTOR)
    dispatcher.send_all()
    assert provider.addresses.count(C1) == 1
    session.rollback()
    reasons = session.scalars(select(DeliveryEvent.reason).filter_by(delivery_id=bounced)).all()
    assert "sent again by Ada" in reasons
    newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (newest.action, newest.after) == ("outbox.resend", {"delivery": bounced, "to": C1})


def test_it_goes_to_the_customers_present_address_once(bounced: int, session: Session) -> None:
    move(session, "new@example.com")
    assert resend.send_again(bounced, actor=ACTOR) == "new@example.com"
    assert reason_of(session, bounced) == "This address has had it already"
    session.rollback()
    assert "new@example.com" in mails(DeliveryState.PENDING)
    new = session.scalars(select(Delivery).filter_by(address="new@example.com")).one()
    old = session.get_one(Delivery, bounced)
    assert (new.message_id, new.step_key, new.why) == (old.message_id, old.step_key, old.why)
    assert old.state is DeliveryState.BOUNCED


def test_of_a_drill_nothing_goes_to_an_address_beyond_its_list(
    bounced: int, resolved: str, session: Session
) -> None:
    move(session, "new@example.com")
    with writing():
        incident = session.scalars(select(Incident).filter_by(code=resolved)).one()
        incident.is_drill, incident.drill_list = True, [{"email": C1, "name": ""}]
    with pytest.raises(Invalid, match="This address isn’t on the drill’s list"):
        resend.send_again(bounced, actor=ACTOR)
    assert "new@example.com" not in mails(DeliveryState.PENDING)


def test_nobody_gets_what_is_not_true_any_more(
    bounced: int, resolved: str, session: Session
) -> None:
    suppression.write_again(C1, actor=ACTOR)
    lifecycle.reopen(resolved, NewUpdate(IncidentStatus.INVESTIGATING), Submission(ACTOR, "again"))
    assert reason_of(session, bounced) == "A newer message about it was sent since"


def test_a_forgotten_address_cannot_be_written_to(bounced: int, session: Session) -> None:
    with writing():
        session.get_one(Delivery, bounced).email = ""
    assert reason_of(session, bounced) == "Its address was forgotten"


def test_what_arrived_or_went_to_a_room_is_not_sent_again(resolved: str, session: Session) -> None:
    waiting = session.scalars(select(Delivery).filter_by(address=C1)).one()
    chat = session.scalars(select(Delivery).filter_by(channel=Channel.CHAT).limit(1)).one()
    assert [resend.sending_again(session, one) for one in (waiting, chat)] == [None, None]
