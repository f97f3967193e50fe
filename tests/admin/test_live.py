"""What an open screen asks: whether something changed, and who else is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from sqlalchemy import select
from time_machine import Traveller

from statuspage.core.db import db, writing
from statuspage.core.enums import IncidentStatus
from statuspage.incidents import inputs, lifecycle, scheduled
from statuspage.incidents.publish import Submission
from statuspage.models import Incident
from tests.admin.conftest import Desk
from tests.announcing import ACTOR
from tests.browsing import Browser, make_account
from tests.factories import NOON
from tests.statements import noted


def drawn_with(desk: Desk, path: str) -> str:
    tree = lxml.html.fromstring(desk.get(path).text)
    return str(tree.xpath("//@data-number")[0])


def asked(desk: Desk, path: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.get(path).get_json()
    return found


def somebody_posts(desk: Desk, code: str) -> None:
    with desk.app.app_context():
        update = inputs.NewUpdate(IncidentStatus.IDENTIFIED)
        lifecycle.post_update(code, update, Submission(ACTOR, "another sheet"))


def test_the_number_of_an_incident_moves_with_what_its_screen_shows(desk: Desk) -> None:
    code = desk.declare()
    path = f"/admin/incidents/{code}"
    before = drawn_with(desk, path)
    assert asked(desk, f"{path}/live")["number"] == before
    somebody_posts(desk, code)
    after = asked(desk, f"{path}/live")
    assert after["number"] == drawn_with(desk, path) != before
    assert (after["newest"], after["others"]) == ("Identified", [])


def test_the_number_of_an_incident_moves_with_its_scheduled_update(
    desk: Desk, frozen: Traveller
) -> None:
    code = desk.declare()
    path = f"/admin/incidents/{code}"
    numbers = [drawn_with(desk, path)]

    def look() -> None:
        numbers.append(asked(desk, f"{path}/live")["number"])
        assert numbers[-1] == drawn_with(desk, path)

    desk.post(code, "identified", users_notice="Payments fail.", publish_at="2026-03-04T12:30")
    look()
    with desk.app.app_context(), writing() as session:
        session.scalars(select(Incident)).one().version += 1
    frozen.move_to(NOON + timedelta(minutes=30))
    with desk.app.app_context():
        scheduled.publish_due()
    look()
    desk.browser.send(f"{path}/scheduled/cancel", {})
    look()
    kept = [number.split("-")[3] for number in numbers]
    assert kept[0] == kept[3] == ""
    assert kept[2] == f"{kept[1]}held"


def test_the_number_of_an_incident_moves_with_a_note_also_of_an_earlier_moment(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}"
    before = drawn_with(desk, path)
    for number in range(6):  # one more than the screen shows, the oldest added last
        typed = {"note-body": f"Note {number}.", "note-happened_at": f"2026-03-04T11:{50 - number}"}
        desk.browser.send_shown(f"{path}/notes", typed)
    after = asked(desk, f"{path}/live")["number"]
    assert after == drawn_with(desk, path) != before


def test_the_number_of_the_dashboard_moves_with_any_incident(desk: Desk) -> None:
    code = desk.declare(visibility="internal")
    before = drawn_with(desk, "/admin/")
    assert asked(desk, "/admin/live")["number"] == before
    somebody_posts(desk, code)
    assert asked(desk, "/admin/live")["number"] == drawn_with(desk, "/admin/") != before


def test_colleagues_are_told_of_each_other(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}"
    with desk.app.app_context(), writing() as session:
        session.add(make_account("Ana", "ana@example.com"))
    ana = Browser(desk.app)
    ana.sign_in("ana@example.com")
    assert ana.send(f"{path}/present", {"writes": "1"}).get_json()["others"] == []
    assert asked(desk, f"{path}/live")["others"] == [{"name": "Ana", "writes": True}]


@pytest.mark.only_on("sqlite")
def test_asking_sends_few_statements(desk: Desk) -> None:
    path = f"/admin/incidents/{desk.declare()}/live"
    desk.get(path)
    with desk.app.app_context():
        engine = db.engine
    with noted(engine) as statements:
        desk.get(path)
    assert len(statements) == 7
