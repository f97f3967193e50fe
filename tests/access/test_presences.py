"""Who has an incident's screen open: reported, told to others, forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from time_machine import Traveller

from statuspage.access.presences import Present, others, report
from statuspage.core.db import current_session, writing
from tests.browsing import make_account
from tests.factories import make_incident, make_page


@pytest.fixture
def incident_id(app: Flask, frozen: Traveller) -> int:
    with app.app_context(), writing() as session:
        make_page(session)
        session.add_all([make_account(), make_account("Ana", "ana@example.com")])
        return make_incident(session).id


def seen(app: Flask, incident_id: int, *, but: int = 0) -> list[Present]:
    with app.app_context():
        return others(current_session(), incident_id, but=but)


def test_others_see_who_is_there_and_who_writes(app: Flask, incident_id: int) -> None:
    with app.app_context():
        report(incident_id, 1, writes=True)
        report(incident_id, 2, writes=False)
    assert seen(app, incident_id) == [Present("Ana", writes=False), Present("Kim", writes=True)]
    assert seen(app, incident_id, but=1) == [Present("Ana", writes=False)]


def test_whoever_stops_reporting_is_forgotten(
    app: Flask, incident_id: int, frozen: Traveller
) -> None:
    with app.app_context():
        report(incident_id, 1, writes=True)
        frozen.shift(timedelta(seconds=20))
        report(incident_id, 1, writes=False)
        assert seen(app, incident_id) == [Present("Kim", writes=False)]
        frozen.shift(timedelta(seconds=31))
        assert seen(app, incident_id) == []
