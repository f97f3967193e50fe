"""Tags of an incident and the category of its cause, on its screen and on one of their own."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import SelectField, SelectMultipleField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import Form, LineField
from statuspage.admin.marked_texts import _
from statuspage.configuration.page_settings import cause_categories
from statuspage.core.db import current_session
from statuspage.core.enums import Kind
from statuspage.core.languages import N_
from statuspage.incidents.classification import classify, frequent_tags
from statuspage.models import Incident
from statuspage.models.page import the_page

PROPOSED: Final = 10


class ClassificationForm(Form):
    """The tags that are offered, further ones as typed, and the category."""

    tags = SelectMultipleField(N_("Tags"), validate_choice=False)
    more_tags = LineField(N_("More tags"))
    cause_category = SelectField(N_("Cause category"), validate_choice=False)

    def refuse(self, name: str, reason: str) -> None:
        """What is wrong with a tag is wrong with one that was typed."""
        super().refuse("more_tags" if name == "tags" else name, reason)


@admin.route("/incidents/<code>/classification", methods=["GET", "POST"])
def classify_incident(code: str) -> ResponseReturnValue:
    """Sort an incident by tags and cause."""
    chosen = select(Incident).filter_by(code=code, kind=Kind.INCIDENT)
    incident = current_session().scalars(chosen).one()
    form = read_classification(incident)
    if form.is_accepted():
        with form.refusals():
            tags = [*(form.tags.data or ()), *form.more_tags.data.split(",")]
            classify(code, tags, form.cause_category.data or "", actor=actor())
            return done(_("Tags and cause are saved."), "admin.incident", code=code)
    return page("admin/incident_classification.html", form=form, incident=incident)


def read_classification(incident: Incident) -> ClassificationForm:
    """The form, under names of its own: it stands on screens with another one."""
    session = current_session()
    sent_here = request.endpoint == "admin.classify_incident"
    read = ClassificationForm.read if sent_here else ClassificationForm
    form = read(prefix="class-", tags=incident.tags, cause_category=incident.cause_category)
    offered = [*incident.tags, *(form.tags.data or ()), *frequent_tags(session, PROPOSED)]
    form.tags.choices = [(tag, tag) for tag in dict.fromkeys(offered)]
    causes = ["", *cause_categories(the_page(session)), incident.cause_category]
    form.cause_category.choices = {one: one or _("Unknown") for one in causes}
    return form
