"""The rule of a component is switched on, shown, paused by a person and handed back."""

from __future__ import annotations

from flask import Flask

from statuspage.core.db import current_session, writing
from statuspage.intake.state_rules import rule_of
from tests.admin.conftest import Desk
from tests.alerting import make_source
from tests.browsing import actions, reasons
from tests.factories import NOON
from tests.htmlchecker import HtmlChecker


def test_a_rule_is_switched_on_paused_handed_back_and_switched_off(
    desk: Desk, app: Flask, html_errors: HtmlChecker
) -> None:
    with app.app_context():
        source, _ = make_source()
    screen = f"/admin/components/{desk.checkout}"
    assert "Set the status by alerts" in desk.get(screen).text
    shown = desk.get(f"{screen}/rule")
    assert html_errors(shown.text) == []
    assert 'value="5 minutes"' in shown.text
    sent = {"source_id": str(source), "status": "partial_outage", "quiet_minutes": "1 hour"}
    assert desk.browser.send_shown(f"{screen}/rule", sent).status_code == 303
    with app.app_context():
        rule = rule_of(current_session(), desk.checkout)
        assert rule is not None
        assert (rule.status.value, rule.delay_minutes, rule.quiet_minutes, rule.most_per_hour) == (
            "partial_outage", 5, 60, 2,
        )  # fmt: skip
        with writing() as session:
            session.merge(rule).set_at = NOON
    assert "Set automatically by alerts of “Production”" in desk.get(screen).text
    assert "Set automatically by alerts" in desk.get("/admin/components").text
    desk.browser.send(f"{screen}/status", {"status": "degraded_performance"})
    paused = desk.get(screen)
    assert html_errors(paused.text) == []
    assert "is paused" in paused.text
    desk.browser.send(f"{screen}/hand-back")
    assert "Alerts of “Production” set the status automatically." in desk.get(screen).text
    desk.browser.send_shown(f"{screen}/rule", {"source_id": ""})
    assert "Set the status by alerts" in desk.get(screen).text
    assert actions(app)[-4:] == [
        "state_rule.save", "component.set_status", "state_rule.hand_back", "state_rule.remove",
    ]  # fmt: skip


def test_what_cannot_be_taken_is_said_at_its_field(desk: Desk, app: Flask) -> None:
    with app.app_context():
        source, _ = make_source()
    answer = desk.browser.send_shown(
        f"/admin/components/{desk.checkout}/rule",
        {"source_id": str(source), "delay_minutes": "soon", "quiet_minutes": "2 days",
         "most_per_hour": "0"},
    )  # fmt: skip
    assert reasons(answer) == [
        "After an alert has fired for: Enter a duration, like 30 minutes, 4 hours or 2 days",
        "Take it back after no alerts for: Use at most 24 hours",
        "Times an hour at most: Enter a whole number from 1 to 12",
    ]
