"""What forms about incidents share: components, promises and facts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from time_machine import Traveller

from statuspage.core.enums import ComponentStatus, IncidentStatus
from tests.admin.conftest import NEW, Desk, look, publish_after
from tests.browsing import fields, reasons
from tests.factories import NOON


def test_what_an_edited_text_promises_stays_promised(desk: Desk, frozen: Traveller) -> None:
    shown = look(desk)
    frozen.shift(timedelta(minutes=5))
    promised = fields(shown.text)["text_public"].replace("sooner", "much sooner")
    answer = publish_after(desk, shown, text_public=promised)
    code = answer.headers["Location"].rpartition("/")[2]
    assert desk.incident(code).next_update_at == NOON + timedelta(minutes=30)


def test_what_nobody_edited_is_promised_from_the_moment_of_publishing(
    desk: Desk, frozen: Traveller
) -> None:
    shown = look(desk)
    frozen.shift(timedelta(minutes=5))
    code = publish_after(desk, shown).headers["Location"].rpartition("/")[2]
    assert desk.incident(code).next_update_at == NOON + timedelta(minutes=35)
    assert "by Mar 4, 2026, 12:35 UTC" in desk.posts(code)[0].body


@pytest.mark.parametrize(
    ("chosen", "promised"),
    [
        ({"promise": "15"}, NOON + timedelta(minutes=15)),
        ({"promise": "none", "no_promise_because": "A holiday"}, None),
        ({"promise": "at", "next_update_at": "2026-03-04T18:00"}, NOON + timedelta(hours=6)),
        ({"severity_rank": "3"}, None),
        ({"severity_rank": "2"}, NOON + timedelta(hours=1)),
    ],
)
def test_the_next_update_is_promised_as_chosen(
    desk: Desk, chosen: dict[str, str], promised: Any
) -> None:
    assert desk.incident(desk.declare(**chosen)).next_update_at == promised


def test_facts_and_people_are_kept(desk: Desk) -> None:
    ada = desk.add_contact("Ada")
    code = desk.declare(
        status="identified",
        cause="A full disk.",
        cause_confirmed="y",
        workaround="Pay by invoice.",
        expected_back="2026-03-04T14:00",
        watch_minutes="30 min",
        technical_cause="db7 /var full",
        commander=str(ada),
        war_room="https://meet.example.com/war",
    )
    incident = desk.incident(code)
    assert incident.status == IncidentStatus.IDENTIFIED
    assert incident.public_facts == {
        "cause": "A full disk.",
        "cause_confirmed": True,
        "workaround": "Pay by invoice.",
        "expected_back": "2026-03-04T14:00:00+00:00",
        "watch_minutes": 30,
    }
    assert incident.internal_facts == {
        "technical_cause": "db7 /var full",
        "noted_at": "2026-03-04T12:00:00+00:00",
        "steps": [
            {"at": "2026-03-04T12:00:00+00:00", "status": "Declared", "text": "A full disk."}
        ],
    }
    assert (incident.commander_id, incident.war_room) == (ada, "https://meet.example.com/war")


def test_a_grave_incident_without_a_part_asks_how_much_is_affected(desk: Desk) -> None:
    nothing = {f"components-{desk.checkout}": ""}
    asked = desk.browser.send_shown(NEW, {**desk.filled(), **nothing, "publish": "1"})
    assert reasons(asked) == [
        "Affected components: Choose the affected components, “All components” or “Cannot say yet”"
    ]
    code = desk.declare(**nothing, breadth="unknown")
    assert desk.incident(code).affected == []
    code = desk.declare(**nothing, breadth="all")
    assert {row.status for row in desk.incident(code).affected} == {ComponentStatus.MAJOR_OUTAGE}
    assert len(desk.incident(code).affected) == 2
    assert desk.incident(desk.declare(**nothing, severity_rank="3")).affected == []
