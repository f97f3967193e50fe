"""The queue: whose rows are written, and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, true
from sqlalchemy.orm import Session
from time_machine import Traveller

import statuspage
from statuspage.core.db import writing
from statuspage.delivery import queue
from statuspage.incidents.inputs import Drill
from statuspage.models import (
    Contact,
    Delivery,
    Message,
)
from tests.announcing import Scenario, declare, set_up_scenario


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Scenario:
    return set_up_scenario(app)


def test_what_is_queued_for_somebody_else_is_not_queued(
    scenario: Scenario, session: Session
) -> None:
    declare(scenario, drill=Drill())
    with writing() as session:
        message = session.scalars(select(Message)).first()
        assert message is not None
        queue.queue_chat(session, message, step_key="x", rooms=["file"])
        queue.queue_colleagues(
            session, message, step_key="x", people=[(Contact(email="a@acme.example"), "")]
        )
        queue.queue_customers(session, message, step_key="x", rule=true(), concerned=())
        queue.queue_test(
            session, message, step_key="x", email="a@acme.example", name="", time_zone=None
        )
    assert session.scalars(select(Delivery)).all() == []


def test_rows_of_the_outbox_are_written_where_the_seal_is_asked_and_for_sign_ups_alone() -> None:
    writing_rows = re.compile(r"insert(?:_new)?\((?:session, )?Delivery\)|\bDelivery\(")
    house = Path(statuspage.__file__).parent
    found = {
        str(file.relative_to(house)): len(
            writing_rows.findall(file.read_text().replace("class Delivery(", ""))
        )
        for file in house.rglob("*.py")
    }
    places = {path: count for path, count in found.items() if count}
    # Mail about an account goes to its owner, whatever incident there is.  The one in control
    # belongs to no message and goes nowhere: it holds a number after a restore.
    assert places == {
        "delivery/account_mail.py": 1,
        "delivery/queue.py": 2,
        "delivery/subscriber_queue.py": 1,
        "delivery/control.py": 1,
    }
