"""Planned work: announce it, and lead it from its start to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import case, select
from sqlalchemy.orm import selectinload
from wtforms import HiddenField

from statuspage.access import accounts
from statuspage.admin.audiences import not_notified
from statuspage.admin.base import admin, done, page, show_span, zone
from statuspage.admin.deliveries import advise, describe_posted, in_words
from statuspage.admin.forms import DurationField, NameField, ProseField, read_number
from statuspage.admin.incident_form import ChosenRadioField, TickedComponentsField
from statuspage.admin.marked_texts import _
from statuspage.admin.notes import shown_notes
from statuspage.admin.previews import TextPreview, TextsForm
from statuspage.admin.recurring import running_series
from statuspage.admin.second_language import SecondLanguageForm, asks_for_second
from statuspage.admin.time_fields import MomentField
from statuspage.core import clock
from statuspage.core.conflict import Conflict
from statuspage.core.db import current_session
from statuspage.core.enums import Kind, MaintenanceStatus
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.core.links import current_links
from statuspage.core.richtext import to_html
from statuspage.delivery import control, report
from statuspage.incidents import maintenance
from statuspage.incidents.announcement import Announcement
from statuspage.incidents.drafts import drafts
from statuspage.incidents.maintenance import MaintenanceWindow, Plan
from statuspage.models import Incident, IncidentComponent

PAGE_SIZE: Final = 25
USUAL_LENGTH: Final = timedelta(hours=2)

SCHEDULED, IN_PROGRESS, VERIFYING, COMPLETED = MaintenanceStatus
# What can be done next, by how it stands: the form's value, and how it is called.
_NEXT: Final[dict[MaintenanceStatus, dict[str, str]]] = {
    SCHEDULED: {
        "in_progress": N_("Start now"),
        "move": N_("Move"),
        "scheduled": N_("Post an update"),
        "cancel": N_("Cancel maintenance"),
    },
    IN_PROGRESS: {
        "in_progress": N_("Post an update"),
        "verifying": N_("Verify"),
        "completed": N_("Complete"),
        "move": N_("Extend"),
    },
    VERIFYING: {
        "verifying": N_("Post an update"),
        "completed": N_("Complete"),
        "move": N_("Extend"),
    },
    COMPLETED: {},
}


def _presses(incident: Incident) -> dict[str, str]:
    """What the button is called, by what is chosen."""
    return {
        **dict.fromkeys(_NEXT[MaintenanceStatus(incident.status)], _("Post the update")),
        "move": _("Reschedule") if incident.status == SCHEDULED else _("Extend it"),
        "cancel": _("Cancel maintenance"),
        **({"in_progress": _("Start the maintenance now")} if incident.status == SCHEDULED else {}),
        **({"verifying": _("Begin verifying")} if incident.status == IN_PROGRESS else {}),
        "completed": _("Complete maintenance"),
    }


@asks_for_second(
    {"title": N_("Title"), "users_notice": N_("What we’re doing and what users will notice")}
)
class PlanForm(SecondLanguageForm):
    """A maintenance as it is planned."""

    can_ask = True

    title = NameField(N_("Title"), needed=N_("Give it a title that a customer would understand"))
    what = ProseField(
        N_("What we’re doing and what users will notice"), needed=N_("Say what people will notice")
    )
    components = TickedComponentsField(N_("Components"))
    scheduled_for = MomentField(N_("Begins"), needed=N_("Enter when it starts"))
    scheduled_until = MomentField(N_("Ends"), needed=N_("Enter when it ends"))
    remind_minutes = DurationField(
        N_("Reminder before it starts"),
        most=timedelta(minutes=maintenance.LONGEST_REMINDER),
        default=maintenance.USUAL_REMINDER,
    )
    verify_minutes = DurationField(
        N_("Then verify for"), most=timedelta(minutes=maintenance.LONGEST_VERIFYING)
    )

    def plan(self) -> Plan:
        """The plan as typed."""
        begins: datetime = self.scheduled_for.data or clock.now()
        return Plan(
            title=self.title.data,
            what=self.what.data,
            scheduled_for=begins,
            scheduled_until=self.scheduled_until.data or begins + USUAL_LENGTH,
            component_ids=self.components.data,
            remind_minutes=self.remind_minutes.data,
            verify_minutes=self.verify_minutes.data,
            form_key=self.form_key.data or "",
            translations=self.translations(),
        )


class StepForm(TextsForm):
    """The next step of a maintenance."""

    can_ask = True

    do = ChosenRadioField(N_("Next step"), N_("Choose the next step"))
    scheduled_for = MomentField(N_("Begins"))
    scheduled_until = MomentField(N_("Ends"))
    verify_minutes = DurationField(
        N_("Then verify for"), most=timedelta(minutes=maintenance.LONGEST_VERIFYING)
    )
    seen_version = HiddenField()

    def status(self, incident: Incident) -> MaintenanceStatus:
        """The status that the update will carry."""
        if self.do.data == "cancel":
            return COMPLETED
        if self.do.data in set(MaintenanceStatus):
            return MaintenanceStatus(self.do.data)
        return MaintenanceStatus(incident.status)

    def window(self, incident: Incident) -> MaintenanceWindow:
        """The window as typed; a time that is empty stays as it was."""
        begins = self.scheduled_for.data or incident.scheduled_for or incident.started_at
        ends = self.scheduled_until.data or incident.scheduled_until or begins
        # While it verifies, that has its end already and is not asked about.
        verifies = incident.status == VERIFYING
        minutes = incident.verify_minutes if verifies else self.verify_minutes.data
        return MaintenanceWindow(begins, ends, minutes)


@admin.get("/maintenances")
def maintenances() -> ResponseReturnValue:
    """What runs, what is to come, and what was."""
    number = max(1, request.args.get("page", 1, type=read_number))
    order = case(
        (Incident.status.in_((IN_PROGRESS.value, VERIFYING.value)), 0),
        (Incident.status == SCHEDULED.value, 1),
        else_=2,
    )
    soonest = case((Incident.status == SCHEDULED.value, Incident.scheduled_for))
    found = (
        current_session()
        .scalars(
            select(Incident)
            .where(Incident.kind == Kind.MAINTENANCE)
            .order_by(order, soonest, Incident.scheduled_for.desc(), Incident.id)
            .options(selectinload(Incident.affected).joinedload(IncidentComponent.component))
            .limit(PAGE_SIZE + 1)
            .offset((number - 1) * PAGE_SIZE)
        )
        .all()
    )
    return page(
        "admin/maintenances.html",
        incidents=found[:PAGE_SIZE],
        number=number,
        recurring=running_series() if number == 1 else [],
        has_more=len(found) > PAGE_SIZE,
        span=_span,
        held_up=control.held_up(current_session()),
    )


@admin.route("/maintenances/new", methods=["GET", "POST"])
def new_maintenance() -> ResponseReturnValue:
    """Schedule maintenance and announce it; or only look at the text."""
    form = PlanForm.read(zone=zone())
    if "publish" in request.form and form.is_accepted():
        with form.refusals():
            incident = maintenance.schedule(form.plan(), form.submission())
            return done(_("Announced on the page."), "admin.maintenance_desk", code=incident.code)
    return page(
        "admin/new_maintenance.html",
        form=form,
        components=form.components.rows(),
        **_plan_texts(form),
    )


@admin.post("/maintenances/new/texts")
def new_maintenance_texts() -> ResponseReturnValue:
    """The text alone, for the script that keeps it beside what is typed."""
    form = PlanForm.read(zone=zone())
    return page("admin/texts_only.html", form=None, texts_form=form, **_plan_texts(form))


@admin.route("/maintenances/<code>", methods=["GET", "POST"])
def maintenance_desk(code: str) -> ResponseReturnValue:
    """Its screen: start, verify, complete, update, reschedule or cancel, all by one form."""
    incident = _found(code)
    if incident.kind is Kind.INCIDENT:
        return redirect(url_for("admin.incident", code=code), 303)
    form = _form(incident)
    if "publish" in request.form and form.is_accepted():
        try:
            with form.refusals():
                if form.again.data or not _repeats(incident, form):
                    return _take(incident, form)
                form.ask_to_repeat()
        except Conflict:
            form.form_errors.append(
                _(
                    "Someone else changed this maintenance while you were editing. Nothing was "
                    "posted, and what you typed is kept. Read what’s new below, then publish "
                    "again."
                )
            )
            incident = _found(code)
            form.seen_version.data = str(incident.version)
    return page(
        "admin/maintenance.html",
        form=form,
        incident=incident,
        updates=list(reversed(incident.updates)),
        writers=accounts.names_of(
            current_session(), (update.account_id for update in incident.updates)
        ),
        to_html=to_html,
        presses=_presses(incident),
        span=_span,
        public_address=current_links().incident(incident.code),
        told=report.tallies(current_session(), incident.id),
        not_notified=not_notified(incident),
        in_words=in_words,
        advise=advise,
        **shown_notes(incident),
        **_step_texts(incident, form),
    )


@admin.post("/maintenances/<code>/texts")
def maintenance_texts(code: str) -> ResponseReturnValue:
    """The text alone, for the script that keeps it beside what is typed."""
    incident = _found(code)
    form = _form(incident)
    return page("admin/texts_only.html", form=None, texts_form=form, **_step_texts(incident, form))


def _found(code: str) -> Incident:
    return current_session().scalars(select(Incident).filter_by(code=code)).one()


def _form(incident: Incident) -> StepForm:
    # Nothing is chosen beforehand: each choice is published, and may begin or end something.
    form = StepForm.read(
        zone=zone(),
        scheduled_for=incident.scheduled_for,
        scheduled_until=incident.scheduled_until,
        verify_minutes=incident.verify_minutes,
        seen_version=incident.version,
    )
    form.do.choices = _NEXT[MaintenanceStatus(incident.status)]
    return form


def _repeats(incident: Incident, form: StepForm) -> bool:
    """Whether an update would say, word for word, what was published last."""
    if form.do.data != incident.status or read_number(form.seen_version.data) != incident.version:
        return False
    announcement = maintenance.announcement_of_step(incident, form.status(incident))
    made = drafts(announcement, form.edited_texts())
    return any(draft.before and draft.before.body == draft.as_sent.body for draft in made)


def _take(incident: Incident, form: StepForm) -> ResponseReturnValue:
    submission = form.submission()
    if form.do.data == "cancel":
        update = maintenance.cancel(incident.code, submission)
    elif form.do.data == "move":
        update = maintenance.move(incident.code, form.window(incident), submission)
    else:
        update = maintenance.advance(incident.code, form.status(incident), submission)
    step = _("Cancelled") if update.incident.cancelled_at else update.step.label
    return done(describe_posted(update, step), "admin.maintenance_desk", code=incident.code)


def _plan_texts(form: PlanForm) -> dict[str, Any]:
    return _texts(form, lambda: maintenance.announcement_of_plan(form.plan()))


def _step_texts(incident: Incident, form: StepForm) -> dict[str, Any]:
    def announcement() -> Announcement:
        return maintenance.announcement_of_step(
            incident,
            form.status(incident),
            window=form.window(incident) if form.do.data == "move" else None,
            cancels=form.do.data == "cancel",
        )

    return _texts(form, announcement, reason="" if form.do.data else _("Choose the next step."))


def _texts(
    form: TextsForm, make: Callable[[], Announcement], *, reason: str = ""
) -> dict[str, Any]:
    """What the panel of texts shows, or the ``reason`` why it shows none."""
    sheets: list[TextPreview] = []
    try:
        if not reason:
            form.check_lengths()
            announcement = replace(make(), choice=form.choice())
            sheets = form.announce(announcement, drafts(announcement, form.edited_texts()))
    except Invalid as error:
        reason = error.reason
    return {"sheets": sheets, "reason": reason, "promised": None, "mails": False}


def _span(incident: Incident) -> str:
    begins = incident.scheduled_for or incident.started_at
    return show_span(begins, incident.scheduled_until or begins)
