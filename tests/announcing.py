"""A small company to tell incidents about: its page, components and customers, committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from flask import Flask
from sqlalchemy import select

from statuspage.core.db import current_session, writing
from statuspage.core.enums import Audience, Channel, ComponentStatus, DeliveryState, IncidentStatus
from statuspage.incidents import lifecycle
from statuspage.incidents.inputs import Declaration, NewUpdate
from statuspage.incidents.publish import Submission
from statuspage.incidents.resolution import gate
from statuspage.models import Customer, CustomerComponent, Delivery, Incident, Message
from tests.actors import acting
from tests.factories import NOON, make_component, make_page

ACTOR = acting("Ada")


@dataclass(frozen=True)
class Scenario:
    """Ids of what stands on it."""

    checkout: int
    catalog: int


def set_up_scenario(app: Flask, *, customers: int = 3, scheme: str = "sev") -> Scenario:
    """A page with two components; customers ``c1``… use everything, ``shopper`` the checkout."""
    with app.app_context(), writing() as session:
        make_page(session, scheme=scheme)
        checkout = make_component(session, "Checkout")
        catalog = make_component(session, "Catalog", position=1)
        for number in range(1, customers + 1):
            session.add(make_customer(f"c{number}@example.com", f"Customer {number}"))
        shopper = make_customer("shopper@example.com", "Shopper", all_components=False)
        reader = make_customer("reader@example.com", "Reader", all_components=False)
        session.add_all([shopper, reader])
        session.flush()
        session.add(CustomerComponent(customer_id=shopper.id, component_id=checkout.id))
        session.add(CustomerComponent(customer_id=reader.id, component_id=catalog.id))
        return Scenario(checkout.id, catalog.id)


def make_customer(email: str, name: str, **columns: object) -> Customer:
    return Customer(email=email, address=email.lower(), name=name, **columns)


def declaration(scenario: Scenario, **changes: object) -> Declaration:
    """The checkout is down, at the worst severity."""
    values: dict[str, object] = {
        "title": "Payments fail",
        "severity_rank": 1,
        "users_notice": "Payments are declined at checkout.",
        "components": {scenario.checkout: ComponentStatus.MAJOR_OUTAGE},
        "started_at": NOON - timedelta(minutes=10),
        "next_update_at": NOON + timedelta(days=1),
    }
    return Declaration(**{**values, **changes})  # type: ignore[arg-type]


def declare(scenario: Scenario, **changes: object) -> Incident:
    return lifecycle.declare(declaration(scenario, **changes), Submission(ACTOR, uuid4().hex))


def post(code: str, status: str, **changes: object) -> None:
    """Post an update; what the gate asks for is answered."""
    changes.setdefault("although", dict.fromkeys(gate.WHY_NOT, "a test"))
    lifecycle.post_update(
        code, NewUpdate(IncidentStatus(status), **changes), Submission(ACTOR, uuid4().hex)
    )


def resolve(code: str) -> None:
    post(code, "resolved")


def reopen(code: str) -> None:
    update = NewUpdate(IncidentStatus.INVESTIGATING)
    lifecycle.reopen(code, update, Submission(ACTOR, uuid4().hex))


def mails(state: DeliveryState | None = None) -> list[str]:
    """The addresses of customers' mails, sorted."""
    chosen = select(Delivery.address).where(Delivery.channel == Channel.EMAIL)
    if state is not None:
        chosen = chosen.where(Delivery.state == state)
    return sorted(current_session().scalars(chosen))


def messages(audience: Audience) -> Sequence[Message]:
    return (
        current_session()
        .scalars(select(Message).filter_by(audience=audience).order_by(Message.id))
        .all()
    )
