"""Outcomes: what becomes of each delivery, and what is kept of it."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.enums import Channel, DeliveryState
from statuspage.delivery import retry
from statuspage.delivery.channels.provider import Fault, Outcome
from statuspage.delivery.dispatch import Dispatcher
from statuspage.models import Delivery, DeliveryEvent
from tests.delivery.conftest import Provider, states


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((Outcome.REFUSED, Fault.RECIPIENT), DeliveryState.FAILED),
        ((Outcome.NOT_SENT, Fault.PROVIDER), DeliveryState.PENDING),
        ((Outcome.UNKNOWN, Fault.PROVIDER), DeliveryState.UNCERTAIN),
    ],
)
def test_each_outcome_is_a_state_with_its_reason(
    resolved: str,
    dispatcher: Dispatcher,
    provider: Provider,
    session: Session,
    answer: tuple[Outcome, Fault],
    state: DeliveryState,
) -> None:
    provider.answers = {"c2@example.com": answer}
    dispatcher.send_all()
    assert states(session)["c2@example.com"] == (state, "as told")


def test_nothing_that_happened_to_a_delivery_is_overwritten(
    resolved: str, dispatcher: Dispatcher, provider: Provider, session: Session,
    frozen: time_machine.Traveller,
) -> None:  # fmt: skip
    provider.answers = {"c1@example.com": (Outcome.UNKNOWN, Fault.PROVIDER)}
    dispatcher.send_all()
    frozen.shift(1)
    retry.settle_due()
    provider.answers = {}
    dispatcher.send_all()
    events = session.scalars(
        select(DeliveryEvent.state)
        .join(Delivery, Delivery.id == DeliveryEvent.delivery_id)
        .where(Delivery.address == "c1@example.com")
        .order_by(DeliveryEvent.id)
    ).all()
    assert events == [DeliveryState.UNCERTAIN, DeliveryState.PENDING, DeliveryState.ACCEPTED]


def test_a_delivery_tells_its_last_change(
    resolved: str, dispatcher: Dispatcher, session: Session, frozen: time_machine.Traveller
) -> None:
    frozen.shift(30)
    dispatcher.send_all()
    assert {row.changed_at for row in session.scalars(select(Delivery).filter_by(
        channel=Channel.EMAIL))} == {clock.now()}  # fmt: skip
