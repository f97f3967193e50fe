"""Incident templates: what a declaration can begin with."""

from __future__ import annotations

from flask import abort
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page
from statuspage.admin.forms import (
    EditForm,
    LineField,
    NameField,
    ProseField,
    RowField,
    TermField,
    WebAddressField,
)
from statuspage.admin.incident_form import AFFECTED, asks_for
from statuspage.admin.marked_texts import _
from statuspage.configuration import incident_templates, public_names, severity
from statuspage.configuration.incident_templates import (
    Template,
    TemplateDetails,
)
from statuspage.core.db import current_session
from statuspage.core.languages import N_
from statuspage.messages import facts
from statuspage.messages.facts import Use


@asks_for(*(fact for fact in facts.ASKED_PUBLIC if Use.TEMPLATES in fact.use))
class TemplateForm(EditForm):
    """What a template fills in."""

    label = NameField(N_("Name of the template"), needed=N_("Give it a name that’s easy to find"))
    title = NameField(N_("Title"), needed=N_("Give it a title that a customer would understand"))
    severity_rank = RowField(N_("Severity"), none=N_("Chosen when it is declared"))
    components = ProseField(N_("Components"))
    state = TermField(N_("Their state"), AFFECTED)
    users_notice = ProseField(N_("What users notice"), needed=N_("Write what people should read"))
    runbook = WebAddressField(N_("Runbook"))
    calls_management = BooleanField(N_("Call management at once"))
    because = LineField(N_("Keep it anyway because"))

    def details(self) -> TemplateDetails:
        """The template as typed."""
        typed = self.typed()
        del typed["because"]
        return TemplateDetails(**typed)


@admin.get("/incident-templates", endpoint="incident_templates")
def list_incident_templates() -> ResponseReturnValue:
    """All of them, and the shipped ones that were removed."""
    session = current_session()
    return page(
        "admin/incident_templates.html",
        templates=incident_templates.incident_templates(session),
        removed=incident_templates.removed_templates(session),
        levels={level.rank: level.name for level in severity.severity_levels(session)},
    )


@admin.route("/incident-templates/new", methods=["GET", "POST"])
def new_incident_template() -> ResponseReturnValue:
    """Add one."""
    return _edit(TemplateForm.read(), None)


@admin.route("/incident-templates/<key>", methods=["GET", "POST"])
def incident_template(key: str) -> ResponseReturnValue:
    """Change one."""
    found = incident_templates.find_template(current_session(), key) or abort(404)
    return _edit(TemplateForm.read(found.details), found)


@admin.post("/incident-templates/<key>/remove")
def remove_incident_template(key: str) -> ResponseReturnValue:
    """Take one out of the choice."""
    incident_templates.remove_template(key, actor=actor())
    return done(_("The template was removed."), "admin.incident_templates")


@admin.post("/incident-templates/<key>/restore")
def restore_incident_template(key: str) -> ResponseReturnValue:
    """Have a shipped one say again what it was shipped with."""
    incident_templates.restore_template(key, actor=actor())
    return done(_("The template was restored."), "admin.incident_templates")


def _edit(form: TemplateForm, found: Template | None) -> ResponseReturnValue:
    levels = severity.severity_levels(current_session())
    form.severity_rank.offer([(level.rank, level.name) for level in levels])
    if form.is_accepted():
        with form.refusals():
            key = found.key if found else None
            incident_templates.save_template(
                key, form.details(), actor=actor(), seen=form.seen.data, because=form.because.data
            )
            advice = public_names.name_warning(
                current_session(), form.title.data, form.users_notice.data
            )
            return done(
                _("%(label)s is saved.%(advice)s", label=form.label.data, advice=advice),
                "admin.incident_templates",
            )
    return page("admin/incident_template.html", form=form, found=found)
