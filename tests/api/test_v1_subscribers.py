"""Subscribers over v1: nobody is subscribed who has not confirmed it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.core.enums import SubscriberState
from statuspage.models import Delivery, Subscriber
from tests.announcing import declare
from tests.api.statuspage_tool import StatuspageTool, refusal
from tests.browsing import actions


def mailed(app: Flask) -> list[str]:
    with app.app_context():
        return list(current_session().scalars(select(Delivery.email).order_by(Delivery.id)))


def confirm_all(app: Flask) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Subscriber).values(state=SubscriberState.CONFIRMED))


def test_a_subscriber_is_asked_confirmed_listed_and_removed(
    app: Flask, tool: StatuspageTool
) -> None:
    sent = {"subscriber": {"email": "Ann@Example.com", "component_ids": [tool.checkout]}}
    answer = tool.send("POST", "/subscribers", sent)
    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["mode"], answer.json["email"], answer.json["components"]) == (
        "email", "Ann@Example.com", [tool.checkout],
    )  # fmt: skip
    assert (mailed(app), actions(app)[-1]) == (["Ann@Example.com"], "subscriber.invite")
    assert tool.get("/subscribers") == []
    assert tool.get("/subscribers?state=unconfirmed") == [answer.json]
    confirm_all(app)
    assert tool.get("/subscribers?q=ann") == [answer.json]
    assert tool.get("/subscribers?type=sms") == []
    assert tool.get("/subscribers/count")["email"] == 1
    assert tool.get("/subscribers/histogram_by_state")["email"]["active"] == 1
    address = f"/subscribers/{answer.json['id']}"
    assert tool.get(address) == answer.json
    assert tool.send("DELETE", address).json == answer.json
    assert tool.send("GET", address).status_code == 404
    assert tool.get("/subscribers/unsubscribed") == []


def test_somebody_is_asked_once_a_day(app: Flask, tool: StatuspageTool) -> None:
    for _ in range(3):
        sent = {"subscriber": {"email": "ann@example.com"}}
        assert tool.send("POST", "/subscribers", sent).status_code == 201
    assert mailed(app) == ["ann@example.com"]


def test_an_incident_is_followed(app: Flask, tool: StatuspageTool, frozen: Traveller) -> None:
    with app.app_context():
        code = declare(tool.scenario).code
    sent = {"subscriber": {"email": "ann@example.com"}}
    answer = tool.send("POST", f"/incidents/{code}/subscribers", sent)
    assert answer.status_code == 201
    confirm_all(app)
    followers = tool.get(f"/incidents/{code}/subscribers")
    assert followers == [answer.json]
    assert tool.get(f"/incidents/{code}/subscribers/{followers[0]['id']}") == answer.json
    other = tool.send("POST", "/subscribers", {"subscriber": {"email": "bo@example.com"}}).json
    assert other is not None
    assert tool.send("GET", f"/incidents/{code}/subscribers/{other['id']}").status_code == 404
    assert tool.send("GET", "/incidents/nope/subscribers").status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@example.com", "component_ids": ["x"]}, "component_ids"),
        ({"email": "a@example.com", "skip_confirmation_notification": True},
         "skip_confirmation_notification"),
        ({"endpoint": "https://example.com/", "email": "a@example.com"}, "endpoint"),
        ({"phone_number": "202-555-0105"}, "phone_number"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(
    app: Flask, tool: StatuspageTool, sent: object, field: str
) -> None:
    assert refusal(tool.send("POST", "/subscribers", {"subscriber": sent}))[0] == field
    assert mailed(app) == []
    assert refusal(tool.send("GET", "/subscribers?state=lost"))[0] == "state"
    assert tool.send("GET", "/subscribers/99999999999").status_code == 404
