"""A second language: typed beside the first, checked beside its fields, and published with it."""

from __future__ import annotations

from typing import Any

from lxml import html

from statuspage.core.enums import MaintenanceStatus
from statuspage.incidents import maintenance
from statuspage.incidents.publish import Submission
from tests.admin.conftest import Desk
from tests.announcing import ACTOR
from tests.browsing import fields

NEW = "/admin/maintenances/new"
GERMAN = {
    "second_language": "de",
    "second_title": "Wartung der Datenbank",
    "second_users_notice": "Bestellungen sind zeitweise nicht möglich.",
}
LEAK = "Der Server db-01.internal ist kurz weg."


def send_plan(desk: Desk, **changes: str) -> Any:
    values = {
        "title": "Database upgrade",
        "what": "Checkout will be read-only.",
        "scheduled_for": "2026-03-06T22:00",
        "scheduled_until": "2026-03-06T23:30",
        **GERMAN,
    }
    return desk.browser.send_shown(NEW, {**values, **changes})


def beside(answer: Any, name: str) -> list[str]:
    """What stands beside a field of the second language."""
    [place] = html.fromstring(answer.text).cssselect(f"[data-beside={name}]")
    return [" ".join(each.text_content().split()) for each in place.cssselect("li")]


def test_maintenance_is_announced_in_both_languages_and_each_step_of_it_too(desk: Desk) -> None:
    code = send_plan(desk, publish="1").headers["Location"].rpartition("/")[2]
    with desk.app.app_context():
        maintenance.advance(code, MaintenanceStatus.IN_PROGRESS, Submission(ACTOR, "start"))
    texts = [update.translations["de"] for update in desk.posts(code)]
    assert [text["title"] for text in texts] == [GERMAN["second_title"]] * 2
    assert all("Bestellungen sind zeitweise nicht möglich." in text["body"] for text in texts)
    assert "Checkout will be read-only." in desk.posts(code)[0].body


def test_without_a_language_nothing_is_kept_of_it(desk: Desk) -> None:
    answer = send_plan(desk, second_language="", publish="1")
    code = answer.headers["Location"].rpartition("/")[2]
    assert desk.incident(code).public_facts == {}


def test_what_the_checks_find_stands_beside_its_field(desk: Desk) -> None:
    shown = send_plan(desk, second_users_notice=LEAK, preview="1")
    [found] = beside(shown, "second_users_notice")
    assert found.startswith("Blocked.")
    assert "db-01.internal" in found
    assert beside(shown, "second_title") == []
    live = desk.browser.send(f"{NEW}/texts", fields(shown.text))
    assert beside(live, "second_users_notice") == [found]


def test_a_leak_in_a_second_language_needs_a_reason_that_can_be_given(desk: Desk) -> None:
    held = send_plan(desk, second_users_notice=LEAK, publish="1")
    assert held.status_code == 422
    [reason] = html.fromstring(held.text).cssselect("[data-sheet=public] .override")
    assert reason.get("hidden") is None
    [said] = html.fromstring(held.text).cssselect("[data-sheet=public] .holds")
    assert "In the second language: This is the name of a server." in said.text_content()
    why = {**fields(held.text), "because_public": "It is a sample.", "publish": "1"}
    assert desk.browser.send(NEW, why).status_code == 303


def test_an_incident_s_facts_are_checked_in_the_second_language_too(desk: Desk) -> None:
    code = desk.declare()
    shown = desk.browser.send_shown(
        f"/admin/incidents/{code}",
        {"second_language": "de", "second_users_notice": LEAK, "preview": "1"},
    )
    assert "db-01.internal" in beside(shown, "second_users_notice")[0]
