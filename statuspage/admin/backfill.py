"""Telling an incident of the past: one form for all its updates, each with its own time."""

from __future__ import annotations

from typing import Any, Final

from flask import request
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, zone
from statuspage.admin.forms import (
    Form,
    LineField,
    NameField,
    PostForm,
    ProseField,
    RowField,
    TermField,
    read_number,
)
from statuspage.admin.incident_form import AFFECTED, ComponentsField, ImpactField, usual_states
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import MomentField
from statuspage.configuration import severity
from statuspage.core.db import current_session
from statuspage.core.enums import IncidentStatus, Visibility
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.importers.backfilled import PastIncident, PastUpdate, backfill
from statuspage.incidents.announcement import of_declaration
from statuspage.incidents.inputs import Declaration

AT_FIRST: Final = (
    IncidentStatus.INVESTIGATING,
    IncidentStatus.IDENTIFIED,
    IncidentStatus.MONITORING,
    IncidentStatus.RESOLVED,
)
MOST_UPDATES: Final = 50


class PastUpdateForm(Form):
    """One update; a row that is left empty is none."""

    status = TermField(N_("Status"), IncidentStatus)
    at = MomentField(N_("Posted at"), not_after_now=True)
    body = ProseField(N_("Text"), render_kw={"rows": 4})

    @property
    def is_empty(self) -> bool:
        """Whether nobody typed anything into it."""
        return not (self.body.data or (self.at.raw_data and self.at.raw_data[0]))


class BackfillForm(PostForm):
    """An incident of the past."""

    title = NameField(N_("Title"), needed=N_("Give it a title that a customer would understand"))
    severity_rank = RowField(N_("Severity"), none=N_("None"))
    impact = ImpactField(N_("Impact"), N_("By severity"))
    started_at = MomentField(N_("When it started"), not_after_now=True)
    components = ComponentsField(N_("Affected components"))
    because = LineField(N_("Publish anyway because"))
    updates_shown = HiddenField()

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        sent = args[0] if args else None
        shown = read_number(self.updates_shown.data) or len(AT_FIRST)
        if "more" in request.form:
            shown += 1
        shown = min(shown, MOST_UPDATES)
        self.updates_shown.data = str(shown)
        usual = [*AT_FIRST[:shown], *[AT_FIRST[-1]] * (shown - len(AT_FIRST))]
        self.updates = [
            PastUpdateForm(sent, prefix=f"update-{number}-", zone=self.zone, status=status)
            for number, status in enumerate(usual)
        ]

    def validate(self, extra_validators: Any = None) -> bool:
        """Each row that was begun has its time and its text."""
        is_valid = super().validate(extra_validators)
        for row in self.updates:
            if row.is_empty:
                continue
            is_valid = row.validate() and is_valid
            if not row.at.data and not row.at.errors:
                row.refuse("at", _("Enter when it was posted"))
                is_valid = False
            if not row.body.data:
                row.refuse("body", _("Write what people read then"))
                is_valid = False
        return is_valid

    def refuse(self, name: str, reason: str) -> None:
        """Show a reason beside the field of that name, in its row where it is a row's."""
        number, _dash, field = name.removeprefix("update-").partition("-")
        if name.startswith("update-") and number.isdigit():
            self.updates[int(number)].refuse(field, reason)
            self.form_errors.append(
                _("Update %(number)s: %(reason)s", number=int(number) + 1, reason=reason)
            )
            return
        super().refuse(name, reason)

    @property
    def is_refused(self) -> bool:
        """Whether something has to be corrected before it can be taken."""
        return super().is_refused or any(row.is_refused for row in self.updates)

    def past(self) -> PastIncident:
        """The incident as typed."""
        return PastIncident(
            self.title.data,
            [
                PastUpdate(row.at.data, row.status.data, row.body.data, f"update-{number}")
                for number, row in enumerate(self.updates)
                if not row.is_empty
            ],
            severity_rank=self.severity_rank.data,
            impact=self.impact.impact,
            components=self.components.data,
            started_at=self.started_at.data,
            because=self.because.data,
        )


@admin.route("/incidents/past", methods=["GET", "POST"])
def new_past_incident() -> ResponseReturnValue:
    """Tell an incident that is over, with all its updates."""
    form = BackfillForm.read(zone=zone())
    levels = severity.severity_levels(current_session())
    form.severity_rank.offer([(level.rank, level.name) for level in levels])
    if "publish" in request.form and form.is_accepted():
        with form.refusals():
            code = backfill(form.past(), form_key=form.form_key.data or "", actor=actor())
            notice = _("It’s in the history, with its own times. Nobody was emailed.")
            return done(notice, "admin.incident", code=code)
    return page(
        "admin/backfill.html",
        form=form,
        components=form.components.rows(),
        states=AFFECTED,
        proposed=usual_states(levels),
        most_updates=MOST_UPDATES,
        would_be=_who_would_be_emailed(form),
    )


def _who_would_be_emailed(form: BackfillForm) -> tuple[int, int] | None:
    """How many customers and subscribers such an incident would be emailed to, were it of now."""
    rank = form.severity_rank.data
    if rank is None:
        return None
    wanted = Declaration(
        title=form.title.data or "",
        severity_rank=rank,
        components=form.components.data,
        status=IncidentStatus.RESOLVED,
        visibility=Visibility.PUBLIC,
    )
    try:
        announcement = of_declaration(wanted)
    except Invalid:
        return None
    customers = announcement.customer_count
    return customers[0] if customers else 0, announcement.subscribers.total
