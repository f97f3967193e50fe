"""The report of a month: a page to read and print, CSV, JSON, and the targets that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, download, page, page_zone
from statuspage.admin.forms import EditForm, Form, LineField
from statuspage.admin.marked_texts import _
from statuspage.admin.trends import short
from statuspage.configuration import components
from statuspage.configuration.report_settings import (
    ReportSettings,
    change_report_settings,
    report_settings,
)
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.models import ComponentGroup
from statuspage.public.days import day_of
from statuspage.recipients.customer_csv_rows import csv_lines
from statuspage.reports.monthly import MonthlyReport, read_report
from statuspage.reports.trends import months_before


class TargetForm(Form):
    """The target of one component or group."""

    target = LineField(N_("Target in percent"))


class ReportSettingsForm(EditForm):
    """What reports hold uptime against."""

    excludes_maintenance = BooleanField(N_("Leave out announced maintenance"))

    def __init__(self, sent: Any = None, stored: Any = None, **values: Any) -> None:
        super().__init__(sent, stored, **values)
        self.rows: list[tuple[str, TargetForm]] = []

    def offer(self, sent: Any, stored: ReportSettings, named: Sequence[tuple[str, str]]) -> None:
        """A row for each component and group, by its code and name."""
        for code, name in named:
            target = stored.targets.get(code, "")
            row = TargetForm(sent, prefix=f"target-{code}-", target=target)
            row.target.label.text = name
            self.rows.append((code, row))

    def refuse(self, name: str, reason: str) -> None:
        """Show a reason beside the field of that name, in its row where it is a row's."""
        for code, row in self.rows:
            if code == name:
                row.refuse("target", reason)
                self.form_errors.append(f"{row.target.label.text}: {reason}")
                return
        super().refuse(name, reason)

    def settings(self) -> ReportSettings:
        """The settings as typed."""
        targets = {code: row.target.data for code, row in self.rows}
        return ReportSettings(targets, bool(self.excludes_maintenance.data))


@admin.get("/reports")
def monthly_report() -> ResponseReturnValue:
    """The month before this one, or the one that is asked for."""
    this = _this_month()
    months = [months_before(this, count) for count in range(1, 14)]
    return page(
        "admin/monthly_report.html", report=_read(), months=months, short=short, this_month=this
    )


@admin.get("/reports.csv")
def export_report_csv() -> ResponseReturnValue:
    """Uptime by component and group as CSV, with its target."""
    found = _read()
    name = f"report-{found.month:%Y-%m}.csv"
    return download(name, lambda: csv_lines(_rows(found)))


@admin.get("/reports.json")
def export_report_json() -> Response:
    """All figures as JSON; times are whole minutes, moments are in UTC."""
    found = _read()
    word = found.first_word
    return jsonify(
        month=f"{found.month:%Y-%m}",
        until=found.until.isoformat(),
        uptime=[
            {
                "id": row.code, "name": row.name, "is_group": row.is_group,
                "is_removed": row.is_removed, "uptime_percent": row.measured.percent,
                "down_minutes": row.measured.down_minutes, "target_percent": row.target or None,
                "is_met": row.is_met,
            }
            for row in found.rows
        ],
        incidents=[
            {
                "id": row.code, "title": row.title, "severity": row.severity,
                "started_at": row.started_at.isoformat(), "resolved_at": _written(row.resolved_at),
            }
            for row in found.incidents
        ],
        minutes_in_incidents=found.minutes,
        promises=found.promises,
        promises_kept=found.promises_kept,
        slips=found.slips,
        median_minutes_to_first_update=(
            None if word.median is None else word.median.total_seconds() // 60
        ),
        emails=found.emails,
        emails_reached=found.emails_reached,
    )  # fmt: skip


@admin.route("/reports/settings", methods=["GET", "POST"])
def edit_report_settings() -> ResponseReturnValue:
    """Change the targets, and whether maintenance counts."""
    session = current_session()
    stored = report_settings(session)
    form = ReportSettingsForm.read(stored)
    sent = request.form if request.method == "POST" else None
    form.offer(sent, stored, list(_named()))
    if form.is_accepted():
        with form.refusals():
            change_report_settings(form.settings(), actor=actor(), seen=form.seen.data)
            return done(_("The targets are saved."), "admin.monthly_report")
    return page("admin/report_settings.html", form=form)


def _read() -> MonthlyReport:
    settings = report_settings(current_session())
    return read_report(
        current_session(),
        _month_asked(),
        now=clock.now(),
        zone=page_zone(),
        targets=settings.targets,
        excludes_maintenance=settings.excludes_maintenance,
    )


def _month_asked() -> date:
    """The month of the query, else the one before this."""
    this = _this_month()
    try:
        asked = datetime.strptime(request.args.get("month", ""), "%Y-%m").date()  # noqa: DTZ007
    except ValueError:
        return months_before(this, 2)
    return asked if date(2000, 1, 1) <= asked <= this else this


def _this_month() -> date:
    return day_of(clock.now(), page_zone()).replace(day=1)


def _named() -> Iterator[tuple[str, str]]:
    for item in components.top_level(current_session()):
        yield item.code, item.name
        if isinstance(item, ComponentGroup):
            for one in components.present(item):
                yield one.code, f"{item.name} - {one.name}"


def _rows(found: MonthlyReport) -> Iterator[Sequence[str]]:
    yield ["name", "kind", "uptime_percent", "down_minutes", "target_percent", "target_met"]
    for row in found.rows:
        met = "" if row.is_met is None else "yes" if row.is_met else "no"
        yield [
            row.name, "group" if row.is_group else "component", row.measured.percent or "",
            str(row.measured.down_minutes), row.target, met,
        ]  # fmt: skip


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
