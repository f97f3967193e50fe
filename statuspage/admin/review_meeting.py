"""The meeting about a review: planned, moved, cancelled, and as a file for calendars."""

from __future__ import annotations

from typing import Any

from flask import Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import SelectMultipleField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, zone
from statuspage.admin.forms import DurationField, Form, LineField, ProseField, read_number
from statuspage.admin.marked_texts import _
from statuspage.admin.time_fields import MomentField
from statuspage.configuration import contacts
from statuspage.core.db import current_session
from statuspage.core.enums import Kind
from statuspage.core.languages import N_
from statuspage.incidents.review import meeting as verbs
from statuspage.incidents.review.documents import review_of
from statuspage.models import Incident, Review, ReviewMeeting


class MeetingForm(Form):
    """A meeting."""

    begins_at = MomentField(N_("Starts"), needed=N_("Choose a time"))
    minutes = DurationField(N_("Length"), most=verbs.LONGEST)
    place = LineField(N_("Where"))
    attendees = SelectMultipleField(N_("Attendees"), validate_choice=False)
    agenda = ProseField(N_("Agenda"), render_kw={"rows": 6})

    def details(self) -> verbs.MeetingDetails:
        """The meeting as typed."""
        people = [key for one in self.attendees.data or () if (key := read_number(one))]
        return verbs.MeetingDetails(
            self.begins_at.data, self.minutes.data or 60, self.place.data, people, self.agenda.data
        )


@admin.route("/incidents/<code>/review/meeting", methods=["GET", "POST"])
def review_meeting(code: str) -> ResponseReturnValue:
    """Plan the meeting, or move it."""
    incident, review = _found(code)
    planned = verbs.meeting_of(current_session(), review)
    form = MeetingForm.read(zone=zone(), **_values(incident, planned))
    people = contacts.contacts(current_session())
    form.attendees.choices = [(str(one.id), one.name) for one in people]
    if form.is_accepted():
        with form.refusals():
            verbs.plan(code, form.details(), actor=actor())
            return done(
                _("The meeting is planned. Attendees get an email."), "admin.review", code=code
            )
    return page("admin/review_meeting.html", form=form, incident=incident, meeting=planned)


@admin.post("/incidents/<code>/review/meeting/cancel")
def cancel_review_meeting(code: str) -> ResponseReturnValue:
    """Cancel the meeting."""
    _found(code)
    verbs.cancel(code, actor=actor())
    return done(_("The meeting is cancelled. Attendees get an email."), "admin.review", code=code)


@admin.get("/incidents/<code>/review/meeting.ics")
def review_meeting_file(code: str) -> ResponseReturnValue:
    """The meeting for a calendar."""
    incident, review = _found(code)
    planned = verbs.meeting_of(current_session(), review)
    if planned is None:
        abort(404)
    written = verbs.as_calendar(current_session(), incident, planned)
    answer = Response(written, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename=review-{code}.ics"
    return answer


def _found(code: str) -> tuple[Incident, Review]:
    session = current_session()
    incident = session.scalars(select(Incident).filter_by(code=code, kind=Kind.INCIDENT)).one()
    return incident, review_of(session, incident) or abort(404)


def _values(incident: Incident, planned: ReviewMeeting | None) -> dict[str, Any]:
    if planned is None:
        people = verbs.proposed_attendees(incident)
        return {"minutes": 60, "agenda": verbs.AGENDA, "attendees": list(map(str, people))}
    return {
        "begins_at": planned.begins_at,
        "minutes": planned.minutes,
        "place": planned.place,
        "attendees": list(map(str, planned.attendees)),
        "agenda": planned.agenda,
    }
