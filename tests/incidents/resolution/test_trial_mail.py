"""A test of the mail: the very mail, to one person, and nothing else changes by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.core.enums import Audience, Channel, IncidentStatus
from statuspage.core.errors import Invalid
from statuspage.delivery import dispatch
from statuspage.incidents.inputs import NewUpdate
from statuspage.incidents.resolution import cancel_window, trial_mail
from statuspage.models import Delivery, Incident, Message
from statuspage.recipients.who_receives import Reader
from tests.announcing import ACTOR, Scenario, declare, mails, messages, resolve, set_up_scenario

C1 = Reader("C1@example.com", "Customer 1", None)
RESOLVED = NewUpdate(IncidentStatus.RESOLVED)


@pytest.fixture
def scenario(app: Flask, frozen: Traveller) -> Iterator[Scenario]:
    scenario = set_up_scenario(app)
    with app.app_context():
        yield scenario


def try_it(code: str, *, form_key: str = "a sheet", update: NewUpdate = RESOLVED) -> bool:
    return trial_mail.send_test(code, update, to=C1, form_key=form_key, actor=ACTOR)


def test_a_test_is_the_very_mail_and_keeps_no_real_one_from_going(scenario: Scenario) -> None:
    code = declare(scenario).code
    assert try_it(code)
    # Of one sheet, the same mail goes once.
    assert not try_it(code)
    assert mails() == ["c1@example.com"]
    resolve(code)
    tried, real = messages(Audience.CUSTOMER)
    assert tried.subject == f"[Test] {real.subject}"
    assert (tried.text, tried.moments, tried.incident_id) == (real.text, real.moments, None)
    # It is a customer too, and gets the real mail as everybody does.
    assert mails().count("c1@example.com") == 2
    incident = current_session().scalars(select(Incident)).one()
    assert cancel_window.mails_of_resolution(current_session(), incident).waiting == 4


def test_a_test_leads_to_nobodys_subscription(app: Flask, scenario: Scenario) -> None:
    try_it(declare(scenario).code)
    sender = dispatch.Dispatcher(app, 1, dispatch.open_lanes(app.extensions["settings"]))
    sender.send_all()
    sender.stop()
    folder = app.extensions["settings"].data_dir
    (mail,) = [file for file in folder.rglob("*.eml") if "[Test]" in file.read_text()]
    assert "List-Unsubscribe" not in mail.read_text()
    assert "[[" not in mail.read_text()
    delivery = current_session().scalars(select(Delivery).filter_by(channel=Channel.EMAIL)).one()
    assert delivery.state.value == "accepted"


def test_where_no_mail_would_go_there_is_none_to_try(scenario: Scenario) -> None:
    code = declare(scenario, severity_rank=3).code
    with pytest.raises(Invalid, match="nothing to test"):
        try_it(code)
    assert (
        current_session().scalars(select(Message).filter_by(audience=Audience.CUSTOMER)).all() == []
    )
