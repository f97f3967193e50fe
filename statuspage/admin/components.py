"""Components and their groups."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import abort, request
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from statuspage.admin.auth import actor
from statuspage.admin.base import admin, done, page, refused
from statuspage.admin.forms import (
    EditForm,
    Form,
    LineField,
    NameField,
    RowField,
    TermRadioField,
    WebAddressField,
    read_number,
)
from statuspage.admin.marked_texts import _
from statuspage.configuration import components, contacts, editing, owners, public_names
from statuspage.configuration.components import (
    Direction,
)
from statuspage.configuration.editing import ComponentDetails, GroupDetails, Ownership
from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.core.languages import N_
from statuspage.intake import provider_pages, state_rules
from statuspage.models import Component, ComponentGroup


class ComponentForm(EditForm):
    """What a component is."""

    name = NameField(N_("Name"), needed=N_("Enter the component's name"))
    description = LineField(N_("Description"))
    group_id = RowField(N_("Group"), none=N_("No group"))
    only_show_if_degraded = BooleanField(N_("Show only while it isn’t operational"))
    because = LineField(N_("Show it anyway because"))

    def details(self) -> ComponentDetails:
        """The component as typed."""
        return ComponentDetails(**_without_reason(self))


class GroupForm(EditForm):
    """A heading."""

    name = NameField(N_("Name"), needed=N_("Enter the group's name"))
    description = LineField(N_("Description"))
    because = LineField(N_("Show it anyway because"))

    def details(self) -> GroupDetails:
        """The heading as typed."""
        return GroupDetails(**_without_reason(self))


class OwnershipForm(EditForm):
    """Who answers for a component."""

    owner_id = RowField(N_("Owner"), none=N_("Nobody"))
    stand_in_id = RowField(N_("Stand-in"), none=N_("Nobody"))
    team_channel = LineField(N_("Chat channel"))
    runbook = WebAddressField(N_("Runbook"))
    vendor_contact = LineField(N_("Vendor contact"))

    def ownership(self) -> Ownership:
        """The people and places as typed."""
        return Ownership(**self.typed())


class StatusForm(Form):
    """How a component is, apart from any incident."""

    status = TermRadioField(N_("State"), ComponentStatus)


def _without_reason(form: EditForm) -> dict[str, Any]:
    typed = form.typed()
    del typed["because"]
    return typed


def _advice(form: ComponentForm | GroupForm) -> str:
    return public_names.name_warning(current_session(), form.name.data, form.description.data)


@admin.get("/components", endpoint="components")
def list_components() -> ResponseReturnValue:
    """All components in the page's order."""
    session = current_session()
    return page(
        "admin/components.html",
        items=components.top_level(session),
        present=components.present,
        incidents=components.open_incidents_by_component(session),
        removed=components.removed_components(session),
        automatic=state_rules.automatic_components(session),
    )


@admin.route("/components/new", methods=["GET", "POST"])
def new_component() -> ResponseReturnValue:
    """Add a component."""
    form = ComponentForm.read(group_id=read_number(request.args.get("group")) or None)
    form.group_id.offer(_groups())
    if form.is_accepted():
        with form.refusals():
            components.add_component(form.details(), actor=actor(), because=form.because.data)
            return done(
                _(
                    "%(name)s is on the page now.%(advice)s",
                    name=form.name.data,
                    advice=_advice(form),
                ),
                "admin.components",
            )
    return page("admin/component.html", form=form, component=None)


@admin.route("/components/<int:component_id>", methods=["GET", "POST"])
def component(component_id: int) -> ResponseReturnValue:
    """Change what a component is."""
    found = present_component(component_id)
    form = ComponentForm.read(editing.read_as(ComponentDetails, found))
    form.group_id.offer(_groups())
    if form.is_accepted():
        with form.refusals():
            components.change_component(
                component_id,
                form.details(),
                actor=actor(),
                seen=form.seen.data,
                because=form.because.data,
            )
            return done(
                _("%(name)s is saved.%(advice)s", name=form.name.data, advice=_advice(form)),
                "admin.components",
            )
    return _component_page(found, form=form)


@admin.post("/components/<int:component_id>/status")
def set_component_status(component_id: int) -> ResponseReturnValue:
    """Set a component's state outside of any incident."""
    found = present_component(component_id)
    form = StatusForm.read()
    if form.is_accepted():
        components.set_component_status(component_id, form.status.data, actor=actor())
        return done(
            f"{current_session().get_one(Component, component_id).name}: {form.status.data.label}.",
            "admin.components",
        )
    return _component_page(found, form=_details_form(found), status_form=form)


@admin.post("/components/<int:component_id>/owners")
def change_component_owners(component_id: int) -> ResponseReturnValue:
    """Say who answers for a component."""
    found = present_component(component_id)
    form = _ownership_form(found)
    if form.is_accepted():
        with form.refusals():
            owners.change_owners(component_id, form.ownership(), actor=actor(), seen=form.seen.data)
            return done(_("The owners of %(name)s are saved.", name=found.name), "admin.components")
    return _component_page(found, form=_details_form(found), ownership_form=form)


@admin.post("/components/<int:component_id>/move")
def move_component(component_id: int) -> ResponseReturnValue:
    """Move a component one place."""
    components.move_component(component_id, direction=_direction(), actor=actor())
    return done(_("Moved."), "admin.components", _anchor=f"component-{component_id}")


@admin.post("/components/<int:component_id>/remove")
def remove_component(component_id: int) -> ResponseReturnValue:
    """Take a component off the page."""
    components.remove_component(component_id, actor=actor())
    return done(
        _("The component was removed from the page; its history stays."), "admin.components"
    )


@admin.post("/components/<int:component_id>/restore")
def restore_component(component_id: int) -> ResponseReturnValue:
    """Put a removed component back."""
    try:
        components.restore_component(component_id, actor=actor())
    except Invalid as error:
        return refused(error.reason, "admin.components")
    return done(_("The component is back on the page."), "admin.components")


@admin.route("/groups/new", methods=["GET", "POST"])
def new_group() -> ResponseReturnValue:
    """Add a heading."""
    form = GroupForm.read()
    if form.is_accepted():
        with form.refusals():
            components.add_group(form.details(), actor=actor(), because=form.because.data)
            return done(_("The group %(name)s is added.", name=form.name.data), "admin.components")
    return page("admin/group.html", form=form, group=None)


@admin.route("/groups/<int:group_id>", methods=["GET", "POST"])
def group(group_id: int) -> ResponseReturnValue:
    """Rename or describe a heading."""
    found = current_session().get_one(ComponentGroup, group_id)
    form = GroupForm.read(editing.read_as(GroupDetails, found))
    if form.is_accepted():
        with form.refusals():
            components.change_group(
                group_id,
                form.details(),
                actor=actor(),
                seen=form.seen.data,
                because=form.because.data,
            )
            return done(_("The group %(name)s is saved.", name=form.name.data), "admin.components")
    return page("admin/group.html", form=form, group=found)


@admin.post("/groups/<int:group_id>/move")
def move_group(group_id: int) -> ResponseReturnValue:
    """Move a heading, and what is under it, one place."""
    components.move_group(group_id, direction=_direction(), actor=actor())
    return done(_("Moved."), "admin.components", _anchor=f"group-{group_id}")


@admin.post("/groups/<int:group_id>/remove")
def remove_group(group_id: int) -> ResponseReturnValue:
    """Remove a heading, and keep what is under it."""
    components.remove_group(group_id, actor=actor())
    return done(_("The group was removed; its components stay on the page."), "admin.components")


def _details_form(found: Component) -> ComponentForm:
    form = ComponentForm(None, editing.read_as(ComponentDetails, found))
    form.group_id.offer(_groups())
    return form


def _ownership_form(found: Component) -> OwnershipForm:
    sent_here = request.endpoint == "admin.change_component_owners"
    read = OwnershipForm.read if sent_here else partial(OwnershipForm, None)
    form = read(editing.read_as(Ownership, found), prefix="own-")
    people = [(one.id, one.name) for one in contacts.contacts(current_session())]
    form.owner_id.offer(people)
    form.stand_in_id.offer(people)
    return form


def _component_page(
    found: Component,
    *,
    form: ComponentForm,
    status_form: StatusForm | None = None,
    ownership_form: OwnershipForm | None = None,
) -> ResponseReturnValue:
    status_form = status_form or StatusForm(None, found)
    ownership_form = ownership_form or _ownership_form(found)
    answer = page(
        "admin/component.html",
        form=form,
        component=found,
        status_form=status_form,
        ownership_form=ownership_form,
        rule=state_rules.rule_of(current_session(), found.id),
        followed=provider_pages.followed(current_session(), found.id),
        incidents=components.open_incidents_by_component(current_session()).get(found.id, []),
    )
    if status_form.is_refused or ownership_form.is_refused:
        answer.status_code = 422
    return answer


def present_component(component_id: int) -> Component:
    """The component of that id; not found where it is off the page."""
    found = current_session().get_one(Component, component_id)
    if found.removed_at is not None:
        abort(404)
    return found


def _groups() -> list[tuple[int, str]]:
    return [
        (item.id, item.name)
        for item in components.top_level(current_session())
        if isinstance(item, ComponentGroup)
    ]


def _direction() -> Direction:
    asked = request.form.get("direction")
    if asked not in {"up", "down"}:
        abort(400)
    return "up" if asked == "up" else "down"
