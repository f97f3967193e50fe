"""Maintenance that recurs: planned once, announced by itself, changed, stopped, one left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import HiddenField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, page_zone, refused
from statuspage.admin.forms import (
    CountField,
    DurationField,
    NameField,
    Needed,
    ProseField,
    TermField,
    read_number,
    write_length,
)
from statuspage.admin.incident_form import TickedComponentsField
from statuspage.admin.marked_texts import _, forms, ngettext
from statuspage.admin.previews import TextsForm
from statuspage.admin.time_fields import DayField, MomentField
from statuspage.core import clock
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.enums import MaintenanceStatus
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.incidents import maintenance, recurring
from statuspage.incidents.drafts import drafts
from statuspage.incidents.recurring import SeriesPlan, Unit
from statuspage.models import Incident, MaintenanceSeries

DATES_SHOWN: Final = 6
# How an occurrence is named in an address: its start in UTC, as iCalendar writes it.
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_SERIES: Final = "admin.maintenance_series"
_NO_TEXTS: Final[dict[str, Any]] = {"sheets": [], "reason": "", "promised": None, "mails": False}


class LeaveOutForm(TextsForm):
    """What is said of an announced occurrence that is left out."""

    can_ask = True
    can_choose = False


class SeriesForm(TextsForm):
    """A series as it is planned; each announcement is generated when its time comes."""

    can_ask = True
    can_edit = False
    can_choose = False

    title = NameField(N_("Title"), needed=N_("Give it a title that a customer would understand"))
    what = ProseField(
        N_("What we’re doing and what users will notice"), needed=N_("Say what people will notice")
    )
    component_ids = TickedComponentsField(N_("Components"))
    first_start = MomentField(N_("First begins"), needed=N_("Enter when the first one starts"))
    length_minutes = DurationField(
        N_("Lasts"), most=timedelta(days=7), validators=[Needed(N_("Enter the duration"))]
    )
    every = CountField(N_("Every"), least=1, most=recurring.MOST_EVERY, default=1)
    unit = TermField(N_("Counted in"), Unit, default=Unit.WEEKS)
    until = DayField(N_("Last day"))
    remind_minutes = DurationField(
        N_("Reminder before each starts"),
        most=timedelta(minutes=maintenance.LONGEST_REMINDER),
        default=maintenance.USUAL_REMINDER,
    )
    verify_minutes = DurationField(
        N_("Then verify for"), most=timedelta(minutes=maintenance.LONGEST_VERIFYING)
    )
    seen_version = HiddenField()

    def refuse(self, name: str, reason: str) -> None:
        """Show why a text is blocked beside the field that asks for a reason to let it go."""
        super().refuse("because_public" if name == "text_public" else name, reason)

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
            verify_minutes=self.verify_minutes.data,
            because=self.because_public.data,
        )


@admin.route("/maintenances/series/new", methods=["GET", "POST"])
def new_series() -> ResponseReturnValue:
    """Plan maintenance that recurs; or only look at its dates."""
    form = SeriesForm.read(zone=page_zone())
    if form.is_accepted() and "save" in request.form:
        with form.refusals():
            kept = recurring.plan_series(
                form.plan(), actor=actor(), form_key=form.form_key.data or ""
            )
            return done(_("The series was scheduled."), _SERIES, code=kept.code)
    return _show(form, None)


@admin.route("/maintenances/series/<code>", methods=["GET", "POST"])
def maintenance_series(code: str) -> ResponseReturnValue:
    """One series: what it says, its dates, what is announced of it."""
    kept = _found(code)
    form = _form_of(kept)
    if form.is_accepted() and "save" in request.form:
        seen_version = read_number(form.seen_version.data)
        try:
            with form.refusals():
                recurring.change_series(code, form.plan(), actor=actor(), seen_version=seen_version)
                notice = _("The series and its announced dates were changed.")
                return done(notice, _SERIES, code=code)
        except Conflict:
            notice = _("Someone else changed this series. Reload it.")
            form.refuse("series", notice)
    return _show(form, kept)


@admin.post("/maintenances/series/texts")
@admin.post("/maintenances/series/<code>/texts", endpoint="changed_series_texts")
def series_texts(code: str = "") -> ResponseReturnValue:
    """The text alone, for the script that keeps it beside what is typed."""
    kept = _found(code) if code else None
    form = _form_of(kept) if kept else SeriesForm.read(zone=page_zone())
    return page("admin/texts_only.html", form=None, texts_form=form, **_texts(form, kept))


@admin.route("/maintenances/series/<code>/<stamp>/leave-out", methods=["GET", "POST"])
def leave_out(code: str, stamp: str) -> ResponseReturnValue:
    """Ask whether one occurrence shall be left out, and what is said of it; then leave it out."""
    kept, moment = _found(code), _moment(stamp)
    found = {
        one.starts_at: one for one in recurring.coming(current_session(), kept, most=DATES_SHOWN)
    }
    one = found.get(moment)
    if one is None or kept.stopped_at is not None:
        return refused(_("That date has passed or isn’t part of this series."), _SERIES, code=code)
    form = LeaveOutForm.read()
    if "publish" in request.form and form.is_accepted():
        with form.refusals():
            recurring.leave_out(
                code,
                moment,
                actor=actor(),
                texts=form.edited_texts(),
                overrides=form.overrides(),
            )
            return done(_("Left out: %(shown)s.", shown=_shown(kept, moment)), _SERIES, code=code)
    is_announced = one.incident is not None and one.incident.status == MaintenanceStatus.SCHEDULED
    texts = _texts_of_calling_off(form, one.incident) if one.incident and is_announced else {}
    return page(
        "admin/leave_out.html",
        form=form,
        kept=kept,
        date=_shown(kept, moment),
        **{**_NO_TEXTS, **texts},
    )


@admin.post("/maintenances/series/<code>/<stamp>/take-back")
def take_back(code: str, stamp: str) -> ResponseReturnValue:
    """Have an occurrence that was left out after all."""
    kept, moment = _found(code), _moment(stamp)
    try:
        recurring.take_back(code, moment, actor=actor())
    except Invalid as error:
        return refused(error.reason, _SERIES, code=code)
    notice = _(
        "Back in the series: %(shown)s. It is announced when its turn comes.",
        shown=_shown(kept, moment),
    )
    return done(notice, _SERIES, code=code)


@admin.post("/maintenances/series/<code>/stop")
def stop_series(code: str) -> ResponseReturnValue:
    """Announce no more of it."""
    recurring.stop_series(_found(code).code, actor=actor())
    return done(_("Stopped. No more dates will be announced."), _SERIES, code=code)


def running_series() -> list[dict[str, Any]]:
    """What the list of maintenances shows of each series that goes on."""
    found = current_session().scalars(
        select(MaintenanceSeries).filter_by(stopped_at=None).order_by(MaintenanceSeries.id)
    )
    return [{"code": each.code, "title": each.title, "rule": in_words(each)} for each in found]


_ON_THE: Final = (
    forms("Every month on the first %(weekday)s", "Every %(num)s months on the first %(weekday)s"),
    forms(
        "Every month on the second %(weekday)s", "Every %(num)s months on the second %(weekday)s"
    ),
    forms("Every month on the third %(weekday)s", "Every %(num)s months on the third %(weekday)s"),
    forms(
        "Every month on the fourth %(weekday)s", "Every %(num)s months on the fourth %(weekday)s"
    ),
    forms("Every month on the last %(weekday)s", "Every %(num)s months on the last %(weekday)s"),
)


def in_words(kept: MaintenanceSeries) -> str:
    """How it recurs: ``Every 2 weeks on Tuesday, 22:00 for 2 hours, Europe/Berlin``."""
    plan = recurring.plan_of(kept)
    first = datetime.fromisoformat(kept.first_start)
    weekday = f"{first:%A}"
    if plan.unit is Unit.WEEKS:
        often = forms("Every week on %(weekday)s", "Every %(num)s weeks on %(weekday)s")
    elif plan.unit is Unit.MONTHS_BY_DAY:
        often = forms("Every month on day %(day)s", "Every %(num)s months on day %(day)s")
    else:
        often = _ON_THE[(first.day - 1) // 7]
    said = ngettext(*often, plan.every, weekday=weekday, day=first.day)
    at = {
        "often": said,
        "time": f"{first:%H:%M}",
        "length": write_length(timedelta(minutes=kept.length_minutes)),
        "zone": kept.time_zone,
    }
    if plan.until is None:
        return _("%(often)s, %(time)s for %(length)s, %(zone)s", **at)
    until = clock.show_date(plan.until)
    return _("%(often)s, %(time)s for %(length)s, %(zone)s, until %(until)s", **at, until=until)


def _show(form: SeriesForm, kept: MaintenanceSeries | None) -> ResponseReturnValue:
    dates: list[datetime] = []
    if request.method == "POST" and not form.is_refused:
        with form.refusals():
            dates = recurring.preview_dates(
                form.plan(), most=DATES_SHOWN, **_zone_and_exdates(form, kept)
            )
    return page(
        "admin/series.html",
        form=form,
        kept=kept,
        rule=in_words(kept) if kept else "",
        zone_name=form.zone.key,
        dates=[clock.show(at, form.zone) for at in dates],
        coming=_occurrences(kept) if kept else [],
        components=form.component_ids.rows(),
        **_texts(form, kept),
    )


def _occurrences(kept: MaintenanceSeries) -> list[dict[str, Any]]:
    """Upcoming of a series, as its screen lists it."""
    found = recurring.coming(current_session(), kept, most=DATES_SHOWN)
    return [
        {
            "date": _shown(kept, one.starts_at),
            "stamp": f"{one.starts_at:{_STAMP}}",
            "incident": one.incident,
            "moved_to": _moved_to(kept, one),
            "is_left_out": one.is_left_out,
            "can_leave_out": one.incident is None
            or one.incident.status == MaintenanceStatus.SCHEDULED,
        }
        for one in found
        if one.incident or not kept.stopped_at
    ]


def _moved_to(kept: MaintenanceSeries, one: recurring.Occurrence) -> str:
    moved = one.incident.scheduled_for if one.incident else None
    return "" if moved in {None, one.starts_at} else _shown(kept, moved or one.starts_at)


def _shown(kept: MaintenanceSeries, moment: datetime) -> str:
    return clock.show(moment, clock.read_zone(kept.time_zone))


def _texts(form: SeriesForm, kept: MaintenanceSeries | None) -> dict[str, Any]:
    """What the next announcement says, and whom it reaches."""
    try:
        form.check_lengths()
        plan = recurring.next_plan(form.plan(), **_zone_and_exdates(form, kept))
        announcement = maintenance.announcement_of_plan(plan)
        sheets, reason = form.announce(announcement, drafts(announcement)), ""
    except Invalid as error:
        sheets, reason = [], error.reason
    return {**_NO_TEXTS, "sheets": sheets, "reason": reason}


def _texts_of_calling_off(form: LeaveOutForm, incident: Incident) -> dict[str, Any]:
    """What is said of an announced one that is left out, and whom it reaches."""
    over = MaintenanceStatus.COMPLETED
    announcement = maintenance.announcement_of_step(incident, over, cancels=True)
    return {"sheets": form.announce(announcement, drafts(announcement, form.edited_texts()))}


def _zone_and_exdates(form: SeriesForm, kept: MaintenanceSeries | None) -> dict[str, Any]:
    return {"time_zone": form.zone.key, "exdates": kept.exdates if kept else ()}


def _form_of(kept: MaintenanceSeries) -> SeriesForm:
    return SeriesForm.read(
        recurring.plan_of(kept),
        zone=clock.read_zone(kept.time_zone),
        seen_version=kept.version,
        because_public=kept.because,
    )


def _moment(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        abort(404)


def _found(code: str) -> MaintenanceSeries:
    return current_session().scalars(select(MaintenanceSeries).filter_by(code=code)).one()
