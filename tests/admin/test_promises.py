"""The clocks on an incident's desk, and what remains after its end."""

from __future__ import annotations

from datetime import timedelta

import lxml.html
from sqlalchemy import select
from time_machine import Traveller
from werkzeug.test import TestResponse

from statuspage.core.db import current_session
from statuspage.models import AuditEntry
from tests.admin.conftest import Desk
from tests.browsing import said, texts
from tests.htmlchecker import HtmlChecker


def path(code: str) -> str:
    return f"/admin/incidents/{code}"


def clocks(shown: TestResponse) -> dict[str, str]:
    """What each clock of the desk says."""
    rows = lxml.html.fromstring(shown.text).cssselect(".clocks > div")
    return {
        row.findtext("dt"): "; ".join(
            " ".join(value.text_content().split()) for value in row.findall("dd")
        )
        for row in rows
    }


def remains(shown: TestResponse) -> list[str]:
    return texts(shown, "closing", "//label")


def test_the_desk_tells_which_promises_were_kept_and_why_none_is_given(
    desk: Desk, frozen: Traveller
) -> None:
    code = desk.declare()
    frozen.shift(timedelta(minutes=34))
    desk.post(code, "identified")
    frozen.shift(timedelta(minutes=20))
    desk.post(code, "monitoring", promise="none", no_promise_because="We write once it is over")
    shown = desk.get(path(code))
    assert clocks(shown)["Updates"].startswith("2 promises: 1 kept, 1 late by 4 minutes")
    assert texts(shown, "promised", "/p")[0] == (
        "No next update scheduled: We write once it is over"
    )


def test_the_clocks_tell_what_the_scheme_asks_for(desk: Desk, frozen: Traveller) -> None:
    desk.use_scheme("p0")
    bob = desk.add_contact("Bob, on-call")
    code = desk.declare(severity_rank="2", commander=str(bob), started_at="2026-03-04T10:50")
    assert clocks(desk.get(path(code))) == {
        "First update": "1 hour 10 minutes after it started late (1 hour allowed)",
        "Acknowledged": "by no one yet Acknowledge",
        "Escalation": "L1 · On-call engineer (nobody named) in 15 minutes · Mar 4, 2026, 12:15 UTC "
        "Escalate now: On-call engineer (nobody named)",
        "Resolve by": "in 22 hours 50 minutes Mar 5, 2026, 10:50 UTC",
        "Updates": "1 promise: 1 still to come Each promised update Mar 4, 2026, 12:30 UTC to come",
    }
    frozen.shift(timedelta(minutes=20))
    desk.resolve(code, because_watched="It was a false start")
    assert clocks(desk.get(path(code))) == {
        "First update": "1 hour 10 minutes after it started late (1 hour allowed)",
        "Updates": "1 promise: 1 kept Each promised update Mar 4, 2026, 12:30 UTC kept",
        "Review": "due in 2 days Mar 6, 2026, 12:20 UTC",
        "Closing checklist": "in 1 hour, one hour after resolution Mar 4, 2026, 13:20 UTC",
    }


def test_what_remains_is_asked_after_an_hour_of_calm_and_ticked_off(
    desk: Desk, frozen: Traveller, html_errors: HtmlChecker
) -> None:
    olga = desk.add_contact("Olga")
    code = desk.declare()
    desk.resolve(code)
    frozen.shift(timedelta(minutes=59))
    assert remains(desk.get(path(code))) == []
    frozen.shift(timedelta(minutes=1))
    shown = desk.get(path(code))
    assert html_errors(shown.text) == []
    assert remains(shown) == [
        "Root cause identified",
        "Fix verified",
        "Alerts are back to green",
        "Customers were notified of the resolution",
        "The review has an owner",
        "Colleagues were notified in chat",
    ]
    known = texts(shown, "closing", "//li")
    assert known == [
        "Stable for an hourResolved 1 hour ago, and not reopened since.",
        "All affected components are restoredThe page shows all of them as operational.",
        "Status page shows it as resolvedThe page says “Resolved”.",
    ]
    ours = ["root_cause", "fix", "alerts", "channel"]
    desk.browser.send(f"{path(code)}/closing", {"done": ours})
    desk.browser.send(f"{path(code)}/closing", {"undo": "channel"})
    desk.browser.send(f"{path(code)}/closing", {"done": "customers", "review_owner": str(olga)})
    assert remains(desk.get(path(code))) == ["Colleagues were notified in chat"]
    desk.browser.send(f"{path(code)}/closing", {"done": "channel"})
    shown = desk.get(path(code))
    assert said(shown) == ["Noted. Closing checklist complete."]
    assert "The review has an owner: Olga" in texts(shown, "closing", "//li")[-2]
    assert html_errors(shown.text) == []
    with desk.app.app_context():
        noted = current_session().scalars(select(AuditEntry).filter_by(action="incident.close"))
        assert [entry.after for entry in noted] == [
            {
                "Root cause identified": "done",
                "Fix verified": "done",
                "Alerts are back to green": "done",
                "Colleagues were notified in chat": "done",
            },
            {"Colleagues were notified in chat": "not done after all"},
            {
                "Customers were notified of the resolution": "done",
                "The review has an owner": "Olga",
            },
            {"Colleagues were notified in chat": "done"},
        ]


def test_a_reopened_incident_begins_its_list_anew(desk: Desk, frozen: Traveller) -> None:
    code = desk.declare()
    desk.resolve(code)
    desk.browser.send(f"{path(code)}/closing", {"done": "channel"})
    desk.browser.send_shown(f"{path(code)}?do=reopen", {"publish": "1"})
    assert desk.incident(code).closing == {}
    answer = desk.browser.send(f"{path(code)}/closing", {"done": "channel"})
    assert (answer.status_code, desk.incident(code).closing) == (303, {})
