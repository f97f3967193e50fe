"""The report of a month on its screen, as files, and the targets that it is held against."""

from __future__ import annotations

from datetime import timedelta

from time_machine import Traveller

from tests.admin.conftest import Desk
from tests.browsing import fields, reasons, said
from tests.htmlchecker import HtmlChecker


def test_a_month_is_shown_with_its_targets_and_as_files(
    desk: Desk, frozen: Traveller, html_errors: HtmlChecker
) -> None:
    code = desk.declare(title="Pay <fails>")
    frozen.shift(timedelta(minutes=30))
    desk.resolve(code, because_watched="It held")
    path = "/admin/reports/settings"
    assert html_errors(desk.get(path).text) == []
    name = next(one for one in fields(desk.get(path).text) if one.startswith("target-"))
    answer = desk.browser.send_shown(path, {name: "often"})
    assert "Enter a percentage up to 100, like 99.9" in reasons(answer)[0]
    assert desk.browser.send_shown(path, {name: "99.9"}).status_code == 303
    assert said(desk.get("/admin/reports")) == ["The targets are saved."]
    shown = desk.get("/admin/reports?month=2026-03")
    assert html_errors(shown.text) == []
    for text in ("Pay &lt;fails&gt;", "Report: March 2026", "99.9%", "30 minutes"):
        assert text in shown.text
    rows = desk.get("/admin/reports.csv?month=2026-03").text.splitlines()
    assert rows[0].startswith('"name","kind","uptime_percent","down_minutes"')
    assert len(rows) == 3
    told = desk.get("/admin/reports.json?month=2026-03").get_json()
    assert [one["title"] for one in told["incidents"]] == ["Pay <fails>"]
    assert (told["minutes_in_incidents"], told["month"]) == (30, "2026-03")
    for month in ("", "2026-13", "9999-01", "x"):
        assert desk.get(f"/admin/reports?month={month}").status_code == 200
