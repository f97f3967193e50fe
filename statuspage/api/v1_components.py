"""The page, its components and groups, and the incident templates, over v1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.api import callers, v1_objects
from statuspage.api.v1_requests import (
    MissingRecord,
    answer,
    error_answer,
    paged,
    route,
    sent_object,
    v1,
)
from statuspage.api.v1_values import read_codes, read_flag, read_line, read_term, read_text
from statuspage.configuration import components as verbs
from statuspage.configuration import incident_templates
from statuspage.configuration.editing import (
    ComponentDetails,
    GroupDetails,
    PageSettings,
    read_as,
)
from statuspage.configuration.incident_templates import TemplateDetails
from statuspage.configuration.page_settings import change_page
from statuspage.core import clock
from statuspage.core.db import current_session
from statuspage.core.enums import ComponentStatus, IncidentStatus, KeyScope
from statuspage.core.errors import Invalid
from statuspage.core.links import current_links
from statuspage.models import Component, ComponentGroup
from statuspage.models.columns import LINE_LIMIT, TITLE_LIMIT
from statuspage.models.page import the_page
from statuspage.public import queries
from statuspage.public.snapshot import GroupView


def _actor() -> Actor:
    return callers.caller().actor


# --- the page ------------------------------------------------------------------------------------


@v1.get("/pages", endpoint="list_pages")
@v1.get("/pages.json", endpoint="list_pages_json")
def list_pages() -> ResponseReturnValue:
    """The one page of this service, in a list."""
    callers.need(KeyScope.READ)
    page = the_page(current_session())
    return answer([v1_objects.page_object(page, current_links())] if page else [])


@route("", "GET", KeyScope.READ)
def get_page() -> ResponseReturnValue:
    """The page."""
    page = the_page(current_session())
    assert page is not None  # else there is no address of it
    return answer(v1_objects.page_object(page, current_links()))


@route("", "PATCH", KeyScope.ADMIN)
@route("", "PUT", KeyScope.ADMIN)
def change_the_page() -> ResponseReturnValue:
    """Change the page's name, description, time zone or support address."""
    page = the_page(current_session())
    assert page is not None  # else there is no address of it
    sent = sent_object("page")
    given = {
        "name": read_line(sent, "name"),
        "about": read_text(sent, "page_description"),
        "time_zone": read_line(sent, "time_zone"),
        "support_url": read_line(sent, "support_url"),
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if "time_zone" in changes:
        changes["time_zone"] = _zone_name(changes["time_zone"])
    _check_length("name", changes.get("name"), TITLE_LIMIT)
    _check_length("support_url", changes.get("support_url"), LINE_LIMIT)
    change_page(replace(read_as(PageSettings, page), **changes), actor=_actor())
    return get_page()


def _zone_name(text: str) -> str:
    try:
        return clock.read_zone(text).key
    except ValueError as error:
        raise Invalid("time_zone", str(error)) from None


# --- components ----------------------------------------------------------------------------------


@route("/components", "GET", KeyScope.READ)
def list_components() -> ResponseReturnValue:
    """Groups and components together, in the page's order."""
    site = queries.read_site(current_session())
    rows = []
    for item in site.tree:
        if isinstance(item, GroupView):
            rows.append(v1_objects.group_row(item, site))
            rows += [v1_objects.component_object(one, site) for one in item.components]
        else:
            rows.append(v1_objects.component_object(item, site))
    return answer(paged(rows))


@route("/components/<id:code>", "GET", KeyScope.READ)
def get_component(code: str) -> ResponseReturnValue:
    """One component."""
    return _component_answer(_component(code).id)


@route("/components", "POST", KeyScope.COMPONENTS)
def create_component() -> ResponseReturnValue:
    """Add a component, and set its state where one is sent."""
    sent = sent_object("component")
    details = _component_details(sent, ComponentDetails(""))
    status = read_term(sent, "status", ComponentStatus)
    made = verbs.add_component(details, actor=_actor())
    made_id = made.id
    if status is not None:
        verbs.set_component_status(made_id, status, actor=_actor())
    return _component_answer(made_id, 201)


@route("/components/<id:code>", "PATCH", KeyScope.COMPONENTS)
@route("/components/<id:code>", "PUT", KeyScope.COMPONENTS)
def change_component(code: str) -> ResponseReturnValue:
    """Change a component: what it is, its state, or both."""
    component, sent = _component(code), sent_object("component")
    component_id = component.id
    saved = read_as(ComponentDetails, component)
    details = _component_details(sent, saved)
    status = read_term(sent, "status", ComponentStatus)
    if details != saved:
        verbs.change_component(component_id, details, actor=_actor())
    if status is not None:
        verbs.set_component_status(component_id, status, actor=_actor())
    return _component_answer(component_id)


@route("/components/<id:code>", "DELETE", KeyScope.COMPONENTS)
def remove_component(code: str) -> ResponseReturnValue:
    """Take a component off the page; the history that names it keeps it."""
    verbs.remove_component(_component(code).id, actor=_actor())
    return Response(status=204)


def _component_details(sent: Mapping[str, Any], saved: ComponentDetails) -> ComponentDetails:
    name = read_line(sent, "name") or saved.name
    if not name:
        raise Invalid("name", "Send the component's name")
    has_description = "description" in sent and sent["description"] is not None
    description = (read_line(sent, "description") or "") if has_description else saved.description
    _check_length("name", name, TITLE_LIMIT)
    _check_length("description", description, LINE_LIMIT)
    group_id = saved.group_id
    if "group_id" in sent:
        code = read_line(sent, "group_id")
        group_id = _group(code).id if code else None
    only = read_flag(sent, "only_show_if_degraded", default=saved.only_show_if_degraded)
    return ComponentDetails(name, description, group_id, only)


def _check_length(field: str, text: str | None, limit: int) -> None:
    if text is not None and len(text) > limit:
        raise Invalid(field, f"Use at most {limit} characters")


def _component(code: str) -> Component:
    chosen = select(Component).filter_by(code=code, removed_at=None)
    found = current_session().scalars(chosen).one_or_none()
    if found is None:
        raise MissingRecord("component")
    return found


def _component_answer(component_id: int, status: int = 200) -> Response:
    site = queries.read_site(current_session())
    return answer(v1_objects.component_object(site.by_key[component_id], site), status)


# --- groups --------------------------------------------------------------------------------------


@route("/component-groups", "GET", KeyScope.READ)
def list_groups() -> ResponseReturnValue:
    """The groups, in the page's order."""
    site = queries.read_site(current_session())
    groups = [item for item in site.tree if isinstance(item, GroupView)]
    return answer(paged([v1_objects.group_object(group, site) for group in groups]))


@route("/component-groups/<id:code>", "GET", KeyScope.READ)
def get_group(code: str) -> ResponseReturnValue:
    """One group."""
    return _group_answer(_group(code).code)


@route("/component-groups", "POST", KeyScope.COMPONENTS)
def create_group() -> ResponseReturnValue:
    """Add a group and move these components into it."""
    sent = sent_object("component_group")
    details = _group_details(sent, GroupDetails(""))
    members = _members(current_session(), sent)
    if not members:
        raise Invalid("components", "Send at least one component")
    made = verbs.add_group(details, actor=_actor())
    made_id, code = made.id, made.code
    _fill(made_id, members)
    return _group_answer(code, 201)


@route("/component-groups/<id:code>", "PATCH", KeyScope.COMPONENTS)
@route("/component-groups/<id:code>", "PUT", KeyScope.COMPONENTS)
def change_group(code: str) -> ResponseReturnValue:
    """Rename or describe a group, or say which components stand under it."""
    group, sent = _group(code), sent_object("component_group")
    group_id, saved = group.id, read_as(GroupDetails, group)
    before = [component.id for component in verbs.present(group)]
    details = _group_details(sent, saved)
    members = _members(current_session(), sent)
    if details != saved:
        verbs.change_group(group_id, details, actor=_actor())
    if members is not None:
        _fill(group_id, members)
        _move([one for one in before if one not in members], None)
    return _group_answer(code)


@route("/component-groups/<id:code>", "DELETE", KeyScope.COMPONENTS)
def remove_group(code: str) -> ResponseReturnValue:
    """Remove a group; its components stay on the page."""
    site, group = queries.read_site(current_session()), _group(code)
    shown = v1_objects.group_object(_group_view(site, code), site)
    verbs.remove_group(group.id, actor=_actor())
    return answer(shown)


def _group_details(sent: Mapping[str, Any], saved: GroupDetails) -> GroupDetails:
    name = read_line(sent, "name") or saved.name
    if not name:
        raise Invalid("name", "Send the group's name")
    given = read_line(sent, "description")
    description = saved.description if given is None else given
    _check_length("name", name, TITLE_LIMIT)
    _check_length("description", description, LINE_LIMIT)
    return GroupDetails(name, description)


def _members(session: Session, sent: Mapping[str, Any]) -> list[int] | None:
    codes = read_codes(sent, "components")
    if codes is None:
        return None
    chosen = select(Component.code, Component.id).where(
        Component.code.in_(codes), Component.removed_at.is_(None)
    )
    known = {row[0]: row[1] for row in session.execute(chosen)}
    for code in codes:
        if code not in known:
            raise Invalid("components", f"There is no component “{code[:40]}”")
    return [known[code] for code in codes]


def _fill(group_id: int, members: Sequence[int]) -> None:
    _move(members, group_id)


def _move(component_ids: Sequence[int], group_id: int | None) -> None:
    for component_id in component_ids:
        component = current_session().get_one(Component, component_id)
        details = replace(read_as(ComponentDetails, component), group_id=group_id)
        verbs.change_component(component_id, details, actor=_actor())


def _group(code: str) -> ComponentGroup:
    found = current_session().scalars(select(ComponentGroup).filter_by(code=code)).one_or_none()
    if found is None:
        raise MissingRecord("component group")
    return found


def _group_view(site: queries.Site, code: str) -> GroupView:
    groups = (item for item in site.tree if isinstance(item, GroupView))
    found = next((group for group in groups if group.code == code), None)
    if found is None:
        raise MissingRecord("component group")
    return found


def _group_answer(code: str, status: int = 200) -> Response:
    site = queries.read_site(current_session())
    return answer(v1_objects.group_object(_group_view(site, code), site), status)


# --- templates -----------------------------------------------------------------------------------


@route("/incident_templates", "GET", KeyScope.READ)
def list_templates() -> ResponseReturnValue:
    """The incident templates, shipped ones among them."""
    session = current_session()
    site = queries.read_site(session)
    found = incident_templates.incident_templates(session)
    return answer([v1_objects.template_object(one, session, site) for one in paged(found)])


@route("/incident_templates", "POST", KeyScope.ADMIN)
def create_template() -> ResponseReturnValue:
    """Add an incident template."""
    sent, session = sent_object("template"), current_session()
    label, title, body = (
        read_line(sent, "name"), read_line(sent, "title"), read_text(sent, "body")
    )  # fmt: skip
    for name, text in (("name", label), ("title", title), ("body", body)):
        if not text:
            raise Invalid(name, "Send a text")
        _check_length(name, text, LINE_LIMIT if name == "body" else TITLE_LIMIT)
    read_term(sent, "update_status", IncidentStatus)
    ids = _members(session, {"components": read_codes(sent, "component_ids") or []}) or []
    names = session.scalars(select(Component.name).where(Component.id.in_(ids))).all()
    key = incident_templates.save_template(
        None,
        TemplateDetails(label or "", title or "", body or "", components="\n".join(names)),
        actor=_actor(),
    )
    session = current_session()
    made = incident_templates.find_template(session, key)
    if made is None:
        raise MissingRecord("template")
    return answer(v1_objects.template_object(made, session, queries.read_site(session)), 201)


# --- what is left out ----------------------------------------------------------------------------

_WHY_NOT = {
    "metrics_providers": "Metrics have no providers here: they are made in the admin.",
    "page_access_users": "This page is open to everybody: there are no page access users.",
    "page_access_groups": "This page is open to everybody: there are no page access groups.",
    "status_embed_config": "The widget takes its settings from its own tag, not from here.",
}


def _leave_out(name: str) -> None:
    for ending in ("", "/<path:rest>"):
        v1.add_url_rule(
            f"/pages/<id:page_id>/{name}{ending}",
            f"no_{name}{'_below' if ending else ''}",
            lambda rest="", name=name: error_answer(404, _WHY_NOT[name]),
            methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        )


for _name in _WHY_NOT:
    _leave_out(_name)
