"""Who is on call: now, week by week, and who covers for whom."""

from __future__ import annotations

from datetime import date
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused, zone
from statuspage.admin.forms import Form, RowField, read_number
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import MomentField
from statuspage.configuration import contacts, on_call
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.models.page import the_page

WEEKS: Final = 8


class SwapForm(Form):
    """Who covers for whom, from when until when."""

    absent_id = RowField(N_("Absent"), none=N_("Choose"))
    cover_id = RowField(N_("Covered by"), none=N_("Choose"))
    starts_at = MomentField(N_("From"), needed=N_("Enter when it starts"))
    ends_at = MomentField(N_("Until"), needed=N_("Enter when it ends"))


@admin.get("/on-call", endpoint="on_call")
def show_on_call() -> ResponseReturnValue:
    """Who is on call now, the coming weeks and the swaps."""
    return _screen(_swap_form())


@admin.post("/on-call/weeks")
def plan_on_call() -> ResponseReturnValue:
    """Enter who is on call in the weeks that the form shows."""
    entered: dict[date, tuple[int | None, int | None]] = {
        monday: (_chosen("primary", monday), _chosen("secondary", monday)) for monday in _mondays()
    }
    try:
        on_call.plan_weeks(entered, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.on_call")
    return done(_("The weeks are saved."), "admin.on_call")


@admin.post("/on-call/swaps")
def add_on_call_swap() -> ResponseReturnValue:
    """Have somebody cover for somebody else."""
    form = _swap_form()
    if form.is_accepted():
        with form.refusals():
            on_call.add_swap(
                form.starts_at.data,
                form.ends_at.data,
                absent_id=form.absent_id.data or 0,
                cover_id=form.cover_id.data or 0,
                actor=actor(),
            )
            return done(_("The swap is saved."), "admin.on_call")
    return _screen(form)


@admin.post("/on-call/swaps/<int:swap_id>/remove")
def remove_on_call_swap(swap_id: int) -> ResponseReturnValue:
    """Take a swap back."""
    on_call.remove_swap(swap_id, actor=actor())
    return done(_("The swap was removed."), "admin.on_call")


def _screen(form: SwapForm) -> ResponseReturnValue:
    session = current_session()
    return page(
        "admin/on_call.html",
        form=form,
        now=on_call.planned(session),
        by_role=contacts.contacts_by_role(session, "on_call"),
        weeks=on_call.weeks(session, _mondays()[0], WEEKS),
        swaps=on_call.swaps(session, clock.now()),
        people=contacts.contacts(session),
    )


def _mondays() -> list[date]:
    found = the_page(current_session())
    first = on_call.monday_of(clock.now(), found.zone if found else zone())
    return [first + number * on_call.WEEK for number in range(WEEKS)]


def _chosen(place: str, monday: date) -> int | None:
    return read_number(request.form.get(f"{place}-{monday.isoformat()}")) or None


def _swap_form() -> SwapForm:
    form = SwapForm.read(zone=zone())
    people = [(one.id, one.name) for one in contacts.contacts(current_session())]
    form.absent_id.offer(people)
    form.cover_id.offer(people)
    return form
