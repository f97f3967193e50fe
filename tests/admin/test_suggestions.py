"""What alerts suggest, on the screens: the list, one of them, the dashboard, desk and gate."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from time_machine import Traveller

from statuspage.core.db import current_session, writing
from statuspage.intake import suggestions as verbs
from statuspage.models import SeverityLevel
from tests.admin.conftest import Desk
from tests.alerting import Payload, alert, incoming, make_source, notice, over
from tests.browsing import fields, said, texts
from tests.intake.conftest import TOOL

LIST = "/admin/suggestions"
ONE = alert(labels={"severity": "critical", "service": "checkout"})


class Alerting:
    """A source of alerts beside the desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with desk.app.app_context():
            self.source, _ = make_source(severity_rules="severity = critical -> SEV1")

    def send(self, *alerts: Payload, group: str = "one") -> None:
        with self.desk.app.app_context():
            read = incoming(notice(*alerts, group=group))
            verbs.take_alerts(self.source, read, actor=TOOL)

    def codes(self) -> list[str]:
        with self.desk.app.app_context():
            return [one.code for one in verbs.open_suggestions(current_session())]


@pytest.fixture
def alerting(desk: Desk) -> Alerting:
    return Alerting(desk)


def test_without_alerts_it_says_how_they_would_come(desk: Desk) -> None:
    assert texts(desk.get(LIST), "empty", "//strong") == ["No alerts yet"]
    assert "Suggestions from alerts" not in desk.get("/admin/").text


def test_a_suggestion_is_on_the_dashboard_which_follows(desk: Desk, alerting: Alerting) -> None:
    before = desk.get("/admin/live").get_json()
    alerting.send(ONE)
    assert desk.get("/admin/live").get_json() != before
    assert "Declare from this" in desk.get("/admin/").text
    for path in (LIST, f"{LIST}/{alerting.codes()[0]}"):
        assert "Many requests fail" in desk.get(path).text


def test_the_clock_to_the_first_response_runs(
    desk: Desk, alerting: Alerting, frozen: Traveller
) -> None:
    with desk.app.app_context(), writing() as session:
        session.execute(update(SeverityLevel).values(respond_minutes=15))
    alerting.send(ONE)
    assert texts(desk.get(LIST), "promise") == [
        "First response due in 15 minutes · Mar 4, 2026, 12:15 UTC"
    ]
    frozen.shift(timedelta(minutes=20))
    assert texts(desk.get("/admin/"), "late") == [
        "Response overdue: was due 5 minutes ago · Mar 4, 2026, 12:15 UTC"
    ]


def test_declaring_from_it_fills_the_form_and_takes_it_off_the_list(
    desk: Desk, alerting: Alerting
) -> None:
    alerting.send(ONE)
    (code,) = alerting.codes()
    path = f"/admin/incidents/new?suggestion={code}"
    typed = fields(desk.get(path).text)
    assert (typed["title"], typed["severity_rank"]) == ("Many requests fail", "1")
    assert typed[f"components-{desk.checkout}"] == "major_outage"
    assert typed["started_at"] == "2026-03-04T11:50"
    assert ("More than 5 % fail." in typed["progress"], typed["detected"]) == (
        True,
        "2026-03-04T12:00",
    )
    worded = fields(desk.get(f"{path}&template=checkout").text)
    assert (worded["title"], worded["suggestion"], worded["severity_rank"]) == (
        "Orders can’t be completed", code, "1",
    )  # fmt: skip
    declared = desk.browser.send("/admin/incidents/new", {**typed, "publish": "1"})
    assert declared.status_code == 303, texts(declared, "problems")
    assert alerting.codes() == []
    desk_text = desk.get(str(declared.headers["Location"])).text
    assert "1 of 1 still fires" in " ".join(desk_text.split())


def test_the_incidents_screen_learns_when_its_alerts_change(desk: Desk, alerting: Alerting) -> None:
    path = f"/admin/incidents/{desk.declare()}/live"
    before = desk.get(path).get_json()["alerts"]
    found = []
    for one in (ONE, over(ONE)):
        alerting.send(one)
        found.append(desk.get(path).get_json()["alerts"])
    assert (before, found) == ("", ["1/1", "0/1"])


def test_the_gate_says_whether_the_alerts_still_fire(desk: Desk, alerting: Alerting) -> None:
    code = desk.declare()
    alerting.send(ONE)
    asked = desk.post(code, "resolved")
    assert "Not met: 1 of 1 still fires" in " ".join(texts(asked, "gate"))
    alerting.send(over(ONE))
    asked = desk.post(code, "resolved")
    assert "Passed: resolved Mar 4, 2026, 11:58 UTC" in " ".join(texts(asked, "gate"))


def test_it_is_dismissed_or_added_to_an_incident(desk: Desk, alerting: Alerting) -> None:
    alerting.send(alert())
    alerting.send(alert(number=2), group="two")
    first, second = alerting.codes()
    desk.browser.send(f"{LIST}/{first}/dismiss")
    assert "Dismissed by Kim" in " ".join(said(desk.get(f"{LIST}/{first}")))
    code = desk.declare()
    added = desk.browser.send(f"{LIST}/{second}/add", {"incident": code})
    assert added.headers["Location"].endswith(f"/admin/incidents/{code}")
    assert alerting.codes() == []
    twice = desk.browser.send(f"{LIST}/{second}/dismiss", follow_redirects=True)
    assert "Someone has already decided on this suggestion." in twice.text
    assert desk.get(f"{LIST}/nothing").status_code == 404
