"""Planned work from the admin: announced, led, moved and cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from time_machine import Traveller

from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus, MaintenanceStatus
from statuspage.incidents import maintenance
from statuspage.incidents.publish import Submission
from statuspage.models import Component, Page
from tests.admin.conftest import Desk
from tests.announcing import ACTOR
from tests.browsing import fields, reasons, said, texts
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker
from tests.subscribing import add_subscriber

NEW = "/admin/maintenances/new"


def plan(desk: Desk, **changes: Any) -> str:
    """Announce a maintenance as a person would, and return its address in the admin."""
    answer = send_plan(desk, **changes)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def send_plan(desk: Desk, **changes: Any) -> Any:
    values = {
        "title": "Database upgrade",
        "what": "Checkout will be read-only.",
        "scheduled_for": "2026-03-06T22:00",
        "scheduled_until": "2026-03-06T23:30",
        "components": str(desk.checkout),
        "publish": "1",
    }
    return desk.browser.send_shown(NEW, {**values, **changes})


def take(desk: Desk, where: str, do: str, **values: Any) -> Any:
    return desk.browser.send_shown(where, {"do": do, **values, "publish": "1"})


def incident(desk: Desk, where: str) -> Any:
    return desk.incident(where.rpartition("/")[2])


def state_of(desk: Desk) -> ComponentStatus:
    with desk.app.app_context():
        return current_session().get_one(Component, desk.checkout).status


def test_a_maintenance_is_announced(desk: Desk) -> None:
    planned = incident(desk, plan(desk))
    assert (planned.title, planned.status) == ("Database upgrade", "scheduled")
    assert planned.scheduled_for == NOON + timedelta(days=2, hours=10)
    assert planned.scheduled_until - planned.scheduled_for == timedelta(minutes=90)
    assert [row.component_id for row in planned.affected] == [desk.checkout]
    assert "Mar 6, 2026, 22:00 – 23:30 UTC (1 hour 30 minutes)" in planned.updates[0].body
    assert state_of(desk) is ComponentStatus.OPERATIONAL


def test_the_text_is_seen_and_edited_before_it_goes(desk: Desk) -> None:
    shown = desk.browser.send_shown(
        NEW,
        {
            "title": "Database upgrade",
            "what": "Checkout will be read-only.",
            "scheduled_for": "2026-03-06T22:00",
            "scheduled_until": "2026-03-06T23:30",
            "preview": "1",
        },
    )
    assert texts(shown, "sheet", "//h3") == ["Public post"]
    assert "Checkout will be read-only." in texts(shown, "reading")[0]
    assert desk.incidents() == []
    desk.browser.send(NEW, {**fields(shown.text), "text_public": "Soon.", "publish": "1"})
    assert desk.incidents()[0].title == "Database upgrade"
    assert [update.body for update in desk.posts(desk.incidents()[0].code)] == ["Soon."]


def test_it_is_started_verified_and_completed_by_hand(desk: Desk) -> None:
    where = plan(desk)
    seen = []
    for do in ("in_progress", "in_progress", "verifying", "completed"):
        assert take(desk, where, do).status_code == 303
        seen.append((incident(desk, where).status, state_of(desk)))
    assert seen == [
        ("in_progress", ComponentStatus.UNDER_MAINTENANCE),
        ("in_progress", ComponentStatus.UNDER_MAINTENANCE),
        ("verifying", ComponentStatus.UNDER_MAINTENANCE),
        ("completed", ComponentStatus.OPERATIONAL),
    ]
    updates = [update.body.partition("\n")[0] for update in incident(desk, where).updates]
    assert updates[1:3] == [
        "The scheduled maintenance on Checkout has started.",
        "The scheduled maintenance on Checkout continues.",
    ]


def test_an_update_before_it_begins_starts_nothing(desk: Desk) -> None:
    where = plan(desk)
    take(desk, where, "scheduled", text_public="Still planned.")
    assert state_of(desk) is ComponentStatus.OPERATIONAL
    assert incident(desk, where).started_at == NOON + timedelta(days=2, hours=10)
    assert incident(desk, where).updates[-1].body == "Still planned."


def test_it_is_moved_and_says_so(desk: Desk) -> None:
    where = plan(desk)
    shown = desk.browser.send_shown(
        where,
        {
            "do": "move",
            "scheduled_for": "2026-03-07T22:00",
            "scheduled_until": "2026-03-07T23:00",
            "preview": "1",
        },
    )
    assert "Mar 7, 2026, 22:00 – 23:00 UTC (1 hour)" in texts(shown, "reading")[0]
    assert desk.browser.send(where, {**fields(shown.text), "publish": "1"}).status_code == 303
    assert incident(desk, where).scheduled_for == NOON + timedelta(days=3, hours=10)
    assert "Mar 7, 2026, 22:00 – 23:00 UTC (1 hour)" in incident(desk, where).updates[-1].body


def test_while_it_runs_it_is_extended(desk: Desk) -> None:
    where = plan(desk)
    take(desk, where, "in_progress")
    take(desk, where, "move", scheduled_until="2026-03-07T01:00")
    extended = incident(desk, where)
    assert (extended.status, extended.scheduled_until) == (
        "in_progress", NOON + timedelta(days=2, hours=13),
    )  # fmt: skip
    assert "The scheduled maintenance on Checkout continues." in extended.updates[-1].body


def test_it_is_called_off(desk: Desk) -> None:
    where = plan(desk)
    take(desk, where, "cancel")
    assert said(desk.get(where)) == ["Posted: Cancelled, 12:00 UTC. No one is notified."]
    off = incident(desk, where)
    assert (off.status, off.cancelled_at) == ("completed", NOON)
    assert "This maintenance has been cancelled." in off.updates[-1].body
    assert texts(desk.get(where), "drafting") == []


def test_the_same_form_sent_twice_acts_once(desk: Desk) -> None:
    where = plan(desk)
    filled = {**fields(desk.get(where).text), "do": "in_progress", "publish": "1"}
    assert [desk.browser.send(where, filled).status_code for _ in range(2)] == [303, 303]
    assert len(incident(desk, where).updates) == 2
    again = {
        **fields(desk.get(NEW).text),
        "title": "Other",
        "what": "Nothing much.",
        "scheduled_for": "2026-03-06T22:00",
        "scheduled_until": "2026-03-06T23:30",
        "publish": "1",
    }
    assert len({desk.browser.send(NEW, again).headers["Location"] for _ in range(2)}) == 1


def test_of_two_people_the_second_is_told(desk: Desk) -> None:
    where = plan(desk)
    filled = {**fields(desk.get(where).text), "do": "cancel"}
    with desk.app.app_context():
        maintenance.advance(
            where.rpartition("/")[2], MaintenanceStatus.IN_PROGRESS, Submission(ACTOR, "x")
        )
    answer = desk.browser.send(where, {**filled, "publish": "1"})
    assert answer.status_code == 422
    assert texts(answer, "posts", "//h3")[0] == "In progress"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": ""}, "Title: Give it a title that a customer would understand"),
        ({"what": ""}, "What we’re doing and what users will notice: Say what people will notice"),
        ({"scheduled_for": ""}, "Begins: Enter when it starts"),
        ({"scheduled_until": "2026-03-06T21:00"}, "Ends: It must end after it starts."),
        (
            {"scheduled_for": "2026-03-01T10:00", "scheduled_until": "2026-03-01T11:00"},
            "Ends: This window has already passed.",
        ),
        (
            {"components": "4711"},
            "Components: One of these components no longer exists.",
        ),
    ],
)
def test_a_plan_that_cannot_be_taken_comes_back(
    desk: Desk, changes: dict[str, str], reason: str
) -> None:
    answer = send_plan(desk, **changes)
    assert (answer.status_code, reasons(answer)) == (422, [reason])
    kept = fields(answer.text)
    assert kept["scheduled_until"] == changes.get("scheduled_until", "2026-03-06T23:30")
    assert desk.incidents() == []


def test_an_hour_that_the_clocks_skip_or_repeat_is_asked_about(desk: Desk) -> None:
    with desk.app.app_context():
        current_session().get_one(Page, 1).time_zone = "Europe/Berlin"
        current_session().commit()
    skipped = send_plan(desk, scheduled_for="2026-03-29T02:30", scheduled_until="2026-03-29T04:00")
    assert reasons(skipped) == [
        "Begins: 2026-03-29 02:30 does not exist in Europe/Berlin: the clocks go forward then"
    ]
    window = {"scheduled_for": "2026-10-25T02:30", "scheduled_until": "2026-10-25T04:00"}
    asked = send_plan(desk, **window)
    assert "happens twice" in reasons(asked)[0]
    chosen = send_plan(desk, **window, **{"scheduled_for-fold": "1"})
    assert chosen.status_code == 303


def test_the_screens_are_sound_html(desk: Desk, html_errors: HtmlChecker) -> None:
    assert html_errors(desk.get("/admin/maintenances").text) == []
    assert html_errors(desk.get(NEW).text) == []
    where = plan(desk)
    for path in (where, "/admin/maintenances"):
        assert html_errors(desk.get(path).text) == []
    take(desk, where, "cancel")
    assert html_errors(desk.get(where).text) == []


def test_the_list_shows_what_runs_then_what_comes_then_what_was(
    desk: Desk, frozen: Traveller
) -> None:
    later = plan(desk, title="Later")
    sooner = plan(
        desk,
        title="Sooner",
        scheduled_for="2026-03-05T22:00",
        scheduled_until="2026-03-05T23:00",
    )
    over = plan(desk, title="Over")
    take(desk, over, "cancel")
    running = plan(desk, title="Running")
    take(desk, running, "in_progress")
    assert texts(desk.get("/admin/maintenances"), "stories", "//h2") == [
        "Running", "Sooner", "Later", "Over",
    ]  # fmt: skip
    assert len({later, sooner}) == 2


def test_each_kind_of_incident_has_its_own_desk(desk: Desk) -> None:
    where = plan(desk)
    code = where.rpartition("/")[2]
    assert desk.get(f"/admin/incidents/{code}").headers["Location"] == where
    incident = desk.declare()
    assert desk.get(f"/admin/maintenances/{incident}").headers["Location"] == (
        f"/admin/incidents/{incident}"
    )
    assert desk.get("/admin/maintenances/nothinghere0").status_code == 404


def test_the_script_gets_the_text_alone(desk: Desk) -> None:
    where = plan(desk)
    answer = desk.browser.send(
        f"{where}/texts", {**fields(desk.get(where).text), "do": "in_progress"}
    )
    assert texts(answer, "reading")[0].startswith(
        "The scheduled maintenance on Checkout has started."
    )
    fresh = desk.browser.send(f"{NEW}/texts", {"title": "Work"})
    assert "<html" not in fresh.text


def test_it_is_planned_to_verify_and_its_desk_says_so(desk: Desk) -> None:
    where = plan(desk, verify_minutes="30 minutes")
    assert incident(desk, where).verify_minutes == 30
    assert "Verifies for 30 minutes, then completes" in texts(desk.get(where), "facts")[0]
    take(desk, where, "in_progress")
    assert "verifies automatically" in texts(desk.get(where), "standing")[0]
    take(desk, where, "move", verify_minutes="1 hour")
    assert incident(desk, where).verify_minutes == 60
    assert "followed by 1 hour of checks" in incident(desk, where).updates[-1].body
    take(desk, where, "verifying")
    take(desk, where, "move", scheduled_until="2026-03-07T01:00")
    assert incident(desk, where).scheduled_until == NOON + timedelta(days=2, hours=13)


def test_whoever_asks_learns_whether_an_address_hears_of_it(desk: Desk) -> None:
    with desk.app.app_context():
        add_subscriber("fan@example.com")
    where = plan(desk)
    for path, values in ((NEW, {"title": "Work", "what": "Slow."}), (where, {"do": "cancel"})):
        shown = desk.browser.send_shown(
            path,
            {
                "scheduled_for": "2026-03-06T22:00",
                "scheduled_until": "2026-03-06T23:30",
                **values,
                "ask": "fan@example.com",
                "preview": "1",
            },
        )
        (heard,) = texts(shown, "recipient-check")
        assert heard.startswith("Yes, fan@example.com gets an email.")


def test_nothing_is_chosen_beforehand_and_the_button_is_named_after_the_choice(desk: Desk) -> None:
    where = plan(desk)
    shown = lxml.html.fromstring(desk.get(where).text)
    assert shown.xpath("//input[@name='do' and @checked]") == []
    assert shown.xpath("//input[@name='do']/@data-press") == [
        "Start the maintenance now", "Reschedule", "Post the update",
        "Cancel maintenance",
    ]  # fmt: skip
    refused = desk.browser.send_shown(where, {"publish": "1"})
    assert reasons(refused) == ["Next step: Choose the next step"]
    assert incident(desk, where).status == "scheduled"


def test_the_same_update_of_a_maintenance_is_asked_about(desk: Desk) -> None:
    where = plan(desk)
    said = {"text_public": "All is well.", "made_public": "x"}
    assert take(desk, where, "scheduled", **said).status_code == 303
    asked = take(desk, where, "scheduled", **said)
    assert reasons(asked) == [
        "Post it again anyway: Nothing has changed since the last update. Check this box "
        "to post it anyway."
    ]
    assert take(desk, where, "scheduled", **said, again="y").status_code == 303
