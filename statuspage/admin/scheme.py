"""The severity scheme: its levels and their rules, and the presets to begin from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import BooleanField, SelectField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import (
    CountField,
    DurationField,
    EditForm,
    LineField,
    NameField,
    ProseField,
    TermField,
    TermRadioField,
)
from statuspage.admin.marked_texts import _
from statuspage.configuration import closing_list, editing, severity
from statuspage.configuration.closing_list import ABOUT, ClosingText, change_closing_list
from statuspage.configuration.editing import LevelRules
from statuspage.configuration.severity import ESCALATED_TO, PRESETS, severity_levels
from statuspage.core.db import current_session
from statuspage.core.enums import CustomerMail, Impact, Kind
from statuspage.core.languages import N_
from statuspage.models import Incident, SeverityLevel
from statuspage.models.page import the_page

ESCALATION_STEPS: Final = 4

_IMPACTS: Final = (Impact.CRITICAL, Impact.MAJOR, Impact.MINOR, Impact.NONE)


class LevelForm(EditForm):
    """The texts and rules of a level."""

    name = NameField(N_("Name"), needed=N_("Enter the level's name"))
    description = LineField(N_("What it means"), needed=N_("Describe when this level applies"))
    impact = TermField(N_("Impact shown to visitors"), _IMPACTS)
    respond_minutes = DurationField(N_("First response within"))
    resolve_minutes = DurationField(N_("Resolved within"))
    cadence_minutes = DurationField(N_("Public update every"), most=timedelta(days=7))
    note_minutes = DurationField(N_("Internal note every"), most=timedelta(days=7))
    watch_minutes = DurationField(N_("Monitoring period for"), most=timedelta(days=7))
    needs_approval = BooleanField(N_("Resolutions need a second person’s approval"))
    customer_mail = TermRadioField(N_("Customer emails"), CustomerMail)
    review_hours = DurationField(N_("Review due within"), unit=timedelta(hours=1))
    review_business_days = CountField(N_("Or within business days"), least=1, most=60)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check also what two fields say together."""
        valid = super().validate(extra_validators)
        if self.cadence_minutes.data == 0:
            self.refuse("cadence_minutes", _("Leave it empty for no scheduled updates"))
            valid = False
        if self.note_minutes.data == 0:
            self.refuse("note_minutes", _("Leave it empty where no note is asked for"))
            valid = False
        if self.review_hours.data is not None and self.review_business_days.data is not None:
            self.refuse("review_business_days", _("Use hours or business days, not both"))
            valid = False
        for after, to in self.steps():
            if (after.data is None) == bool(to.data) and not after.errors:
                field, reason = (after, _("Enter a time")) if to.data else (to, _("Pick somebody"))
                self.refuse(field.short_name, reason)
                valid = False
        return valid

    def steps(self) -> list[tuple[Any, Any]]:
        """The fields of each escalation step: after how long, and to whom."""
        return [(self[f"after_{n}"], self[f"to_{n}"]) for n in range(1, ESCALATION_STEPS + 1)]

    def rules(self) -> LevelRules:
        """The rules as typed, escalation soonest first."""
        typed = self.typed()
        steps = [(after.data, to.data) for after, to in self.steps() if to.data]
        for after, to in self.steps():
            del typed[after.short_name], typed[to.short_name]
        return LevelRules(
            **typed, escalation=[{"after_minutes": after, "to": to} for after, to in sorted(steps)]
        )


for _number in range(1, ESCALATION_STEPS + 1):
    setattr(LevelForm, f"after_{_number}", DurationField(N_("After"), most=timedelta(days=7)))
    setattr(
        LevelForm, f"to_{_number}", SelectField(N_("To"), choices={"": N_("Nobody")} | ESCALATED_TO)
    )


class ClosingForm(EditForm):
    """The closing checklist, an item a line."""

    closing = ProseField(N_("Items"), render_kw={"rows": 10})


@admin.get("/severity")
def scheme() -> ResponseReturnValue:
    """The scheme in words."""
    session = current_session()
    chosen = the_page(session)
    return page(
        "admin/scheme.html",
        levels=severity_levels(session),
        chosen=chosen.scheme if chosen else "",
        closing=closing_list.closing_list(session),
        presets=PRESETS,
        steps_of=escalation_steps,
        escalated_to=ESCALATED_TO,
    )


@admin.route("/severity/<int:rank>", methods=["GET", "POST"])
def level(rank: int) -> ResponseReturnValue:
    """Change one level."""
    found = current_session().scalars(select(SeverityLevel).filter_by(rank=rank)).one()
    rules = editing.read_as(LevelRules, found)
    form = LevelForm.read(rules, **_escalation_fields(rules))
    if rank == 1:
        _always_tell_customers(form)
    if form.is_accepted():
        with form.refusals():
            severity.change_level(found.id, form.rules(), actor=actor(), seen=form.seen.data)
            return done(_("%(name)s is saved.", name=form.name.data), "admin.scheme")
    return page("admin/level.html", form=form, level=found)


@admin.route("/severity/closing", methods=["GET", "POST"])
def edit_closing_list() -> ResponseReturnValue:
    """Change the chosen scheme's closing checklist."""
    form = ClosingForm.read(closing_list.closing_text(current_session()))
    if form.is_accepted():
        with form.refusals():
            text = ClosingText(form.closing.data)
            change_closing_list(text, actor=actor(), seen=form.seen.data)
            return done(_("The closing checklist is saved."), "admin.scheme")
    return page("admin/closing_list.html", form=form, about=ABOUT)


@admin.route("/severity/choose", methods=["GET", "POST"])
def choose_scheme() -> ResponseReturnValue:
    """Ask before all levels are replaced by a preset's, then do it."""
    preset = PRESETS.get(request.values.get("scheme", "")) or abort(404)
    if request.method == "POST":
        severity.choose_scheme(preset.name, actor=actor())
        return done(_("The scheme is %(title)s now.", title=preset.title), "admin.scheme")
    session = current_session()
    open_incidents = session.scalar(
        select(func.count())
        .select_from(Incident)
        .where(Incident.resolved_at.is_(None), Incident.kind == Kind.INCIDENT)
    )
    return page(
        "admin/choose_scheme.html",
        preset=preset,
        levels=severity_levels(session),
        open_incidents=open_incidents,
        steps_of=escalation_steps,
        escalated_to=ESCALATED_TO,
    )


def escalation_steps(level: SeverityLevel | LevelRules) -> list[tuple[int, str]]:
    """After how many minutes a level, of the scheme or of a preset, is escalated, and to whom."""
    return [(step["after_minutes"], step["to"]) for step in level.escalation]


def _escalation_fields(rules: LevelRules) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for number, step in enumerate(rules.escalation[:ESCALATION_STEPS], start=1):
        values[f"after_{number}"] = step["after_minutes"]
        values[f"to_{number}"] = step["to"]
    return values


def _always_tell_customers(form: LevelForm) -> None:
    """The end of an incident of the worst level is always mailed: never is no choice there."""
    form.customer_mail.choices = {
        term.value: term.label for term in CustomerMail if term is not CustomerMail.NEVER
    }
