"""Maintenance that recurs: planned once, announced by itself, changed and stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import DateField, HiddenField
from wtforms.validators import Optional

from statuspage import clock, maintenance, series
from statuspage.db import session
from statuspage.models import MaintenanceSeries
from statuspage.series import SeriesPlan, Unit
from statuspage.web.admin.shell import admin, done, page, zone
from statuspage.web.admin.story_form import TickedComponentsField, read_number
from statuspage.web.auth import actor
from statuspage.web.forms import (
    CountField,
    DurationField,
    MomentField,
    NameField,
    Needed,
    PostForm,
    ProseField,
    WordField,
    write_length,
)

DATES_SHOWN: Final = 6


class SeriesForm(PostForm):
    """A series as it is planned."""

    title = NameField("Title", needed="Give it a title that a customer would understand")
    what = ProseField("What is done, and what is felt of it", needed="Say what people will notice")
    component_ids = TickedComponentsField("Components")
    first_start = MomentField("First begins", needed="Enter when the first one begins")
    length_minutes = DurationField(
        "Lasts", most=timedelta(days=7), validators=[Needed("Enter how long it lasts")]
    )
    every = CountField("Every", least=1, most=series.MOST_EVERY, default=1)
    unit = WordField("Counted in", Unit, default=Unit.WEEKS)
    until = DateField("Last day", validators=[Optional()])
    remind_minutes = DurationField(
        "Remind people before each begins",
        most=timedelta(minutes=maintenance.LONGEST_REMINDER),
        default=maintenance.USUAL_REMINDER,
    )
    seen_version = HiddenField()

    def plan(self) -> SeriesPlan:
        """The plan as typed."""
        begins: datetime = self.first_start.data or clock.now()
        return SeriesPlan(
            title=self.title.data,
            what=self.what.data,
            first_start=begins,
            length_minutes=self.length_minutes.data or 0,
            every=self.every.data or 1,
            unit=self.unit.data,
            until=self.until.data,
            component_ids=tuple(self.component_ids.data),
            remind_minutes=self.remind_minutes.data,
        )


@admin.route("/maintenances/series/new", methods=["GET", "POST"])
def new_series() -> ResponseReturnValue:
    """Plan maintenance that recurs; or only look at its dates."""
    form = SeriesForm.read(zone=zone())
    if form.is_accepted() and "save" in request.form:
        with form.refusals():
            kept = series.plan_series(form.plan(), actor=actor(), form_key=form.form_key.data or "")
            return done("The series is planned.", "admin.maintenance_series", code=kept.code)
    return _show(form, None)


@admin.route("/maintenances/series/<code>", methods=["GET", "POST"])
def maintenance_series(code: str) -> ResponseReturnValue:
    """One series: what it says, its dates, what is announced of it."""
    kept = _found(code)
    of_series = clock.read_zone(kept.time_zone)
    form = SeriesForm.read(series.plan_of(kept), zone=of_series, seen_version=kept.version)
    if form.is_accepted() and "save" in request.form:
        with form.refusals():
            series.change_series(
                code,
                form.plan(),
                actor=actor(),
                seen_version=read_number(form.seen_version.data),
            )
            return done(
                "The series is changed, and what is announced of it.",
                "admin.maintenance_series",
                code=code,
            )
    return _show(form, kept)


@admin.post("/maintenances/series/<code>/stop")
def stop_series(code: str) -> ResponseReturnValue:
    """Announce no more of it."""
    series.stop_series(_found(code).code, actor=actor())
    return done("Stopped. No more of it is announced.", "admin.maintenance_series", code=code)


def running_series() -> list[dict[str, Any]]:
    """What the list of maintenances shows of each series that goes on."""
    found = session().scalars(
        select(MaintenanceSeries).filter_by(stopped_at=None).order_by(MaintenanceSeries.id)
    )
    return [{"code": each.code, "title": each.title, "rule": in_words(each)} for each in found]


def in_words(kept: MaintenanceSeries) -> str:
    """How it recurs: ``Every 2 weeks on Tuesday, 22:00 for 2 hours, Europe/Berlin``."""
    plan = series.plan_of(kept)
    first = datetime.fromisoformat(kept.first_start)
    unit = "week" if plan.unit is Unit.WEEKS else "month"
    often = f"Every {unit}" if plan.every == 1 else f"Every {plan.every} {unit}s"
    day = f" on day {first.day}" if plan.unit is Unit.MONTHS_BY_DAY else f" on {first:%A}"
    if plan.unit is Unit.MONTHS_BY_WEEKDAY:
        place = ("first", "second", "third", "fourth", "last")[(first.day - 1) // 7]
        day = f" on the {place} {first:%A}"
    end = f", until {clock.show_date(plan.until)}" if plan.until else ""
    length = write_length(timedelta(minutes=kept.length_minutes))
    return f"{often}{day}, {first:%H:%M} for {length}, {kept.time_zone}{end}"


def _show(form: SeriesForm, kept: MaintenanceSeries | None) -> ResponseReturnValue:
    dates: list[datetime] = []
    if kept is not None and request.method == "GET" and kept.stopped_at is None:
        dates = list(islice(series.occurrences(kept, after=clock.now()), DATES_SHOWN))
    elif request.method == "POST" and not form.is_refused:
        with form.refusals():
            dates = series.preview_dates(form.plan(), time_zone=form.zone.key, most=DATES_SHOWN)
    return page(
        "admin/series.html",
        form=form,
        kept=kept,
        rule=in_words(kept) if kept else "",
        zone_name=form.zone.key,
        dates=[clock.show(at, form.zone) for at in dates],
        stories=series.announced(session(), kept) if kept else [],
        components=form.component_ids.rows(),
    )


def _found(code: str) -> MaintenanceSeries:
    return session().scalars(select(MaintenanceSeries).filter_by(code=code)).one()
