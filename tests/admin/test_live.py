"""What an open screen asks: whether something changed, and who else is there."""

from __future__ import annotations

from typing import Any

import lxml.html
import pytest

from statuspage.core.db import db, writing
from statuspage.core.enums import IncidentStatus
from statuspage.incidents import inputs, lifecycle
from statuspage.incidents.publish import Submission
from tests.admin.conftest import Desk
from tests.announcing import ACTOR
from tests.browsing import Browser, make_account
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
