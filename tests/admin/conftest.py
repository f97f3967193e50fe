"""What the desk is tried on: two components, a few customers, and Kim at the keyboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.access.audit import Actor
from statuspage.configuration import contacts, severity
from statuspage.configuration.editing import ContactDetails
from statuspage.core.db import current_session, writing
from statuspage.core.enums import (
    Audience,
    Channel,
    ComponentStatus,
    DeliveryState,
    Step,
)
from statuspage.models import Component, Delivery, Incident, IncidentUpdate, Message
from tests.announcing import ACTOR, make_customer
from tests.browsing import Browser, fields
from tests.factories import make_component

NEW = "/admin/incidents/new"


@dataclass
class Desk:
    """A signed-in browser, and what stands in the database behind it."""

    browser: Browser
    app: Flask
    checkout: int
    catalog: int

    def get(self, path: str) -> TestResponse:
        return self.browser.get(path)

    def declare(self, **changes: Any) -> str:
        """Declare an incident as a person would, and return its code."""
        answer = self.browser.send_shown(NEW, {**self.filled(), **changes, "publish": "1"})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"].rpartition("/")[2])

    def filled(self) -> dict[str, str]:
        """What somebody in a hurry types and chooses."""
        return {
            "title": "Payments fail",
            "severity_rank": "1",
            "users_notice": "Payments are declined at checkout.",
            f"components-{self.checkout}": "major_outage",
        }

    def post(self, code: str, status: str, **values: Any) -> TestResponse:
        """Send the form of the desk."""
        path = f"/admin/incidents/{code}"
        return self.browser.send_shown(path, {"status": status, **values, "publish": "1"})

    def resolve(self, code: str, **values: Any) -> TestResponse:
        """Go through the last step."""
        asked = self.post(code, "resolved", **values)
        assert asked.status_code == 200, asked.text
        return self.browser.send(f"/admin/incidents/{code}", {**fields(asked.text), "publish": "1"})

    def use_scheme(self, name: str) -> None:
        with self.app.app_context():
            severity.choose_scheme(name, actor=ACTOR)

    def add_contact(self, name: str) -> int:
        with self.app.app_context():
            return contacts.add_contact(ContactDetails(name), actor=ACTOR).id

    def incident(self, code: str) -> Incident:
        with self.app.app_context():
            found = current_session().scalars(select(Incident).filter_by(code=code)).one()
            _ = (found.updates, found.affected)
            return found

    def incidents(self) -> list[Incident]:
        with self.app.app_context():
            return list(current_session().scalars(select(Incident)))

    def posts(self, code: str) -> list[IncidentUpdate]:
        return list(self.incident(code).updates)

    def resolved_mail(self) -> Message:
        with self.app.app_context():
            chosen = select(Message).filter_by(audience=Audience.CUSTOMER, step=Step.RESOLVED)
            return current_session().scalars(chosen).one()

    def deliver(self) -> None:
        """Have the mail provider take everything that waits."""
        with self.app.app_context(), writing() as session:
            session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))

    def mailed(self) -> list[str]:
        with self.app.app_context():
            chosen = select(Delivery.address).where(Delivery.channel == Channel.EMAIL)
            return sorted(current_session().scalars(chosen))


@pytest.fixture
def desk(app: Flask, frozen: Traveller, admin: Browser, kim: Actor) -> Desk:
    """Kim's desk, at noon."""
    with app.app_context(), writing() as session:
        checkout = make_component(session, "Checkout")
        catalog = make_component(session, "Catalog", position=1)
        session.add(make_customer("ada@example.com", "Ada", time_zone="Europe/Berlin"))
        session.add(make_customer("bo@example.com", "Bo"))
        session.flush()
        ids = (checkout.id, catalog.id)
    return Desk(admin, app, *ids)


NOTICE = "Payments are declined at checkout."


FIRST_POST = f"""{NOTICE}

We’re investigating and working to get things back to normal. We’re sorry for the disruption.

Next update by Mar 4, 2026, 12:30 UTC, or sooner if there’s news."""


def look(desk: Desk, **values: Any) -> Any:
    """Press “Preview”."""
    return desk.browser.send_shown(NEW, {**desk.filled(), **values, "preview": "1"})


def publish_after(desk: Desk, shown: Any, **values: Any) -> Any:
    """Publish the form as it was shown, with changes."""
    return desk.browser.send(NEW, {**fields(shown.text), **values, "publish": "1"})


def messages(desk: Desk) -> dict[Audience, Message]:
    with desk.app.app_context():
        return {message.audience: message for message in current_session().query(Message)}


def path(code: str) -> str:
    return f"/admin/incidents/{code}"


def state_of(desk: Desk, component_id: int) -> ComponentStatus:
    with desk.app.app_context():
        return current_session().get_one(Component, component_id).status


def sent(desk: Desk, audience: Audience) -> list[tuple[Step, str]]:
    with desk.app.app_context():
        found = current_session().query(Message).filter_by(audience=audience).order_by(Message.id)
        return [(message.step, message.body) for message in found]
