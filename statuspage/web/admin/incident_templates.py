"""Incident templates: what a declaration can begin with."""

from __future__ import annotations

from flask import abort
from flask.typing import ResponseReturnValue

from statuspage import policy, setup
from statuspage.db import session
from statuspage.setup import TemplateDetails
from statuspage.web.admin.shell import admin, done, page
from statuspage.web.admin.story_form import AFFECTED
from statuspage.web.auth import actor
from statuspage.web.forms import (
    EditForm,
    LineField,
    NameField,
    ProseField,
    RowField,
    WordField,
)


class TemplateForm(EditForm):
    """What a template fills in."""

    label = NameField("Name of the template", needed="Give it a name that is found in a hurry")
    title = NameField("Title", needed="Give it a title that a customer would understand")
    severity_rank = RowField("Severity", none="Chosen when it is declared")
    components = ProseField("Components")
    state = WordField("Their state", AFFECTED)
    users_notice = ProseField("What users notice", needed="Write what people should read")
    workaround = ProseField("What users can do meanwhile")
    action = ProseField("What is being done")
    because = LineField("Keep it anyway because")

    def details(self) -> TemplateDetails:
        """The template as typed."""
        typed = self.typed()
        del typed["because"]
        return TemplateDetails(**typed)


@admin.get("/incident-templates")
def incident_templates() -> ResponseReturnValue:
    """All of them, and the shipped ones that were removed."""
    current = session()
    return page(
        "admin/incident_templates.html",
        templates=setup.incident_templates(current),
        removed=setup.removed_templates(current),
        levels={level.rank: level.name for level in policy.severity_levels(current)},
    )


@admin.route("/incident-templates/new", methods=["GET", "POST"])
def new_incident_template() -> ResponseReturnValue:
    """Add one."""
    return _edit(TemplateForm.read(), None)


@admin.route("/incident-templates/<key>", methods=["GET", "POST"])
def incident_template(key: str) -> ResponseReturnValue:
    """Change one."""
    found = setup.find_template(session(), key) or abort(404)
    return _edit(TemplateForm.read(found.details), found)


@admin.post("/incident-templates/<key>/remove")
def remove_incident_template(key: str) -> ResponseReturnValue:
    """Take one out of the choice."""
    setup.remove_template(key, actor=actor())
    return done("The template is removed.", "admin.incident_templates")


@admin.post("/incident-templates/<key>/restore")
def restore_incident_template(key: str) -> ResponseReturnValue:
    """Have a shipped one say again what it was shipped with."""
    setup.restore_template(key, actor=actor())
    return done("The template is as it was shipped.", "admin.incident_templates")


def _edit(form: TemplateForm, found: setup.Template | None) -> ResponseReturnValue:
    levels = policy.severity_levels(session())
    form.severity_rank.offer([(level.rank, level.name) for level in levels])
    if form.is_accepted():
        with form.refusals():
            key = found.key if found else None
            setup.save_template(
                key, form.details(), actor=actor(), seen=form.seen.data, because=form.because.data
            )
            look = setup.worth_a_look(session(), form.title.data, form.users_notice.data)
            return done(f"{form.label.data} is saved.{look}", "admin.incident_templates")
    return page("admin/incident_template.html", form=form, found=found)
