"""Recurring maintenance from the admin: planned, looked at, changed and stopped."""

from __future__ import annotations

from typing import Any

import lxml.html
import pytest

from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, said, texts
from tests.htmlchecker import HtmlChecker

NEW = "/admin/maintenances/series/new"


def send(desk: Desk, where: str = NEW, **changes: Any) -> Any:
    values = {
        "title": "Weekly upgrade",
        "what": "Checkout is slow.",
        "first_start": "2026-03-10T21:00",
        "length_minutes": "2 hours",
        "component_ids": str(desk.checkout),
        "save": "1",
    }
    return desk.browser.send_shown(where, {**values, **changes})


def plan(desk: Desk, **changes: Any) -> str:
    answer = send(desk, **changes)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_series_is_planned_and_its_next_two_are_announced(desk: Desk) -> None:
    where = plan(desk, every="2")
    shown = desk.get(where)
    assert said(shown) == ["The series was scheduled."]
    assert "Every 2 weeks on Tuesday, 21:00 for 2 hours, UTC" in shown.text
    assert [incident.title for incident in desk.incidents()] == ["Weekly upgrade"] * 2
    assert "Weekly upgrade" in desk.get("/admin/maintenances").text


def test_its_dates_are_seen_before_it_is_planned(desk: Desk) -> None:
    values = {"unit": "months_on_the_same_weekday"}
    shown = desk.browser.send_shown(
        NEW,
        {
            "title": "Upgrade",
            "what": "Slow.",
            "first_start": "2026-03-10T21:00",
            "length_minutes": "2h",
            "preview": "1",
            **values,
        },
    )
    assert "Apr 14, 2026, 21:00 UTC" in shown.text
    assert desk.incidents() == []


def test_it_is_changed_with_what_is_announced(desk: Desk) -> None:
    where = plan(desk)
    changed = send(desk, where, title="Nightly upgrade")
    assert changed.status_code == 303, changed.text
    assert [incident.title for incident in desk.incidents()] == ["Nightly upgrade"] * 2


def test_its_form_shows_what_stands(desk: Desk) -> None:
    where = plan(desk, until="2026-12-24")
    form = desk.get(where).text
    assert 'value="2026-03-10T21:00"' in form
    assert 'value="2026-12-24"' in form
    assert f'value="{desk.checkout}" checked' in form


def test_it_is_stopped(desk: Desk) -> None:
    where = plan(desk)
    desk.browser.send(f"{where}/stop", {})
    shown = desk.get(where)
    assert "stopped" in shown.text
    assert texts(shown, "danger") == []
    assert "Every week" not in desk.get("/admin/maintenances").text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"length_minutes": ""}, "Lasts: Enter the duration"),
        ({"every": "0"}, "Every: Enter a whole number from 1 to 52"),
        ({"until": "2026-03-01"}, "Last day: This is before it begins."),
        ({"first_start": ""}, "First begins: Enter when the first one starts"),
    ],
)
def test_what_cannot_be_planned_comes_back(
    desk: Desk, changes: dict[str, str], reason: str
) -> None:
    assert reasons(send(desk, **changes)) == [reason]
    assert desk.incidents() == []


def test_an_unknown_series_is_not_found(desk: Desk) -> None:
    assert desk.get("/admin/maintenances/series/nothinghere0").status_code == 404


def test_the_screens_are_sound_html(desk: Desk, html_errors: HtmlChecker) -> None:
    assert html_errors(desk.get(NEW).text) == []
    where = plan(desk)
    assert html_errors(desk.get(where).text) == []
    assert html_errors(desk.get("/admin/maintenances").text) == []


def test_one_occurrence_is_left_out_and_taken_back(desk: Desk, html_errors: HtmlChecker) -> None:
    where = plan(desk)
    rows = texts(desk.get(where), "list", "/li")
    assert rows[1] == "Mar 17, 2026, 21:00 UTCAnnounced Skip: Mar 17, 2026, 21:00 UTC"
    assert rows[2].startswith("Mar 24, 2026, 21:00 UTCNot announced yet")
    asked = desk.get(f"{where}/20260317T210000Z/leave-out")
    assert "This maintenance has been cancelled." in texts(asked, "reading")[0]
    assert html_errors(asked.text) == []
    values = {**fields(asked.text), "publish": "1"}
    assert desk.browser.send(f"{where}/20260317T210000Z/leave-out", values).status_code == 303
    shown = desk.get(where)
    assert said(shown) == ["Left out: Mar 17, 2026, 21:00 UTC."]
    assert texts(shown, "list", "/li")[1].startswith(
        "Mar 17, 2026, 21:00 UTCLeft out, and cancelled"
    )
    assert html_errors(shown.text) == []
    desk.browser.send(f"{where}/20260317T210000Z/take-back", {})
    assert texts(desk.get(where), "list", "/li")[1].startswith(
        "Mar 17, 2026, 21:00 UTCNot announced yet"
    )


def test_leaving_out_what_is_not_announced_says_nothing(desk: Desk) -> None:
    where = plan(desk)
    address = f"{where}/20260324T210000Z/leave-out"
    asked = desk.get(address)
    assert texts(asked, "sheet") == []
    desk.browser.send(address, {**fields(asked.text), "publish": "1"})
    assert [len(incident.updates) for incident in map(desk.incident, codes(desk))] == [1, 1]


@pytest.mark.parametrize(("stamp", "status"), [("20260318T210000Z", 303), ("tomorrow", 404)])
def test_a_time_that_the_series_does_not_have_cannot_be_left_out(
    desk: Desk, stamp: str, status: int
) -> None:
    assert desk.get(f"{plan(desk)}/{stamp}/leave-out").status_code == status


def test_a_text_that_is_held_back_needs_a_reason_which_is_kept(desk: Desk) -> None:
    leaks = {"what": "We restart db-01.prod.internal."}
    (reason,) = reasons(send(desk, **leaks))
    assert reason.startswith("Publish anyway because: ")
    where = plan(desk, **leaks, because_public="Customers know this host.")
    assert 'value="Customers know this host."' in desk.get(where).text


def test_whoever_asks_learns_whom_the_next_announcement_reaches(desk: Desk) -> None:
    shown = desk.browser.send_shown(plan(desk), {"ask": "nobody@example.com", "preview": "1"})
    assert texts(shown, "recipient-check") == [
        "No, nobody@example.com doesn’t get an email. "
        "They aren’t on the customer list. They didn’t subscribe."
    ]
    assert texts(shown, "edit") == []
    asked = desk.browser.send(f"{NEW.removesuffix('/new')}/texts", {"title": "Work"})
    assert "<html" not in asked.text


def codes(desk: Desk) -> list[str]:
    return [incident.code for incident in desk.incidents()]


def test_the_dates_are_asked_for_by_a_press_that_the_script_leaves_alone(desk: Desk) -> None:
    buttons = lxml.html.fromstring(desk.get(NEW).text).xpath("//button[text()='Show the dates']")
    # The desk's script answers "preview" and "remake" itself, with the texts alone.
    assert [button.get("name") for button in buttons] == ["dates"]
    typed = {"title": "Upgrade", "what": "Slow.", "first_start": "2026-03-10T21:00"}
    answer = desk.browser.send_shown(NEW, {**typed, "length_minutes": "2 hours", "dates": "1"})
    shown = lxml.html.fromstring(answer.text)
    assert len(shown.xpath("//*[@id='dates']//li")) == 6
