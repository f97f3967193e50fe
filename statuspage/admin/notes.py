"""Notes for colleagues on an incident: the internal timeline, and the form that adds to it."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import BooleanField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused, zone
from statuspage.admin.forms import PostForm, ProseField, TermRadioField
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import MomentField
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import Kind, NoteKind
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.incidents import notes, verification
from statuspage.models import Incident

NEWEST = 5


class NoteForm(PostForm):
    """What somebody notes for colleagues."""

    kind = TermRadioField(N_("Kind"), NoteKind, default=NoteKind.PROGRESS)
    body = ProseField(N_("Note"), needed=N_("Write what colleagues should know"))
    happened_at = MomentField(N_("When it happened"), not_after_now=True)
    in_chat = BooleanField(N_("Post it to chat"))


@admin.route("/incidents/<code>/notes", methods=["GET", "POST"])
def incident_notes(code: str) -> ResponseReturnValue:
    """The internal timeline of an incident; adds a note."""
    incident = current_session().scalars(select(Incident).filter_by(code=code)).one()
    form = read_note_form()
    if form.is_accepted():
        with form.refusals():
            notes.add_note(
                code,
                notes.NewNote(
                    form.kind.data, form.body.data, form.happened_at.data, form.in_chat.data
                ),
                form_key=form.form_key.data or "",
                actor=actor(),
            )
            # Where the screen shows it.
            anchor = "said" if incident.kind is Kind.INCIDENT else "notes"
            return done(_("The note is kept."), "admin.incident", code=code, _anchor=anchor)
    return page(
        "admin/incident_notes.html",
        form=form,
        incident=incident,
        **shown_notes(incident, form=form, most=None),
    )


@admin.post("/incidents/<code>/acknowledge")
def acknowledge_incident(code: str) -> ResponseReturnValue:
    """Say that one has taken the incident on."""
    try:
        notes.acknowledge(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.incidents")
    return done(_("You have acknowledged the incident."), "admin.incident", code=code)


@admin.post("/incidents/<code>/verify")
def verify_incident(code: str) -> ResponseReturnValue:
    """Say that the fix still holds."""
    try:
        verification.verify(code, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.incidents")
    return done(_("Kept: the fix holds."), "admin.incident", code=code)


def shown_notes(
    incident: Incident,
    *,
    form: NoteForm | None = None,
    most: int | None = NEWEST,
    in_timeline: bool = False,
) -> dict[str, Any]:
    """What a screen shows of an incident's notes: the newest, when the next is due, and a form.

    ``in_timeline`` says that the screen shows them among the updates.
    """
    session = current_session()
    found, last = notes.newest_notes(session, incident, most=most)
    marks = verification.marks_of(incident, found)
    has_more = most is not None and len(found) == most
    return {
        "notes": found,
        "in_timeline": in_timeline,
        "last_note": last,
        "has_more_notes": has_more,
        "acknowledged": notes.acknowledged_by(
            session, incident, all_notes=None if has_more else found
        ),
        "marks": marks,
        "may_verify": verification.is_asked_for(marks),
        "note_due": notes.note_due_at(session, incident, all_notes=found),
        "note_form": form or read_note_form(),
        "moment": clock.now(),
    }


def read_note_form() -> NoteForm:
    """The form, under names of its own: it stands on screens with another one."""
    sent_here = request.endpoint == "admin.incident_notes"
    read = NoteForm.read if sent_here else NoteForm
    return read(zone=zone(), prefix="note-")
