"""A form that is sent twice publishes once."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.incidents.idempotency import code_for, posted_with, series_code_for
from tests.announcing import declare, set_up_scenario


def test_a_form_leads_to_one_code_before_and_after_it_is_sent(app: Flask) -> None:
    with app.app_context():
        assert code_for("key") == code_for("key") != code_for("other")
        assert len(code_for("key")) == len(series_code_for("key")) == 12
        assert series_code_for("key") == series_code_for("key") != series_code_for("other")


def test_without_a_form_every_incident_has_a_code_of_its_own(app: Flask) -> None:
    with app.app_context():
        assert code_for("") != code_for("")


def test_a_form_that_was_sent_is_known_by_the_update_that_it_made(
    app: Flask, session: Session, frozen: Traveller
) -> None:
    incident = declare(set_up_scenario(app))
    [update] = incident.updates
    assert update.form_key
    assert posted_with(session, update.form_key) == update
    assert posted_with(session, "another form") is None
