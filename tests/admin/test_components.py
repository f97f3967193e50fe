from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from statuspage.access.audit import Actor
from statuspage.configuration import components, contacts
from statuspage.configuration.editing import ComponentDetails, ContactDetails, GroupDetails
from statuspage.core.db import current_session, writing
from statuspage.core.enums import ComponentStatus
from statuspage.models import Component, ComponentGroup
from tests.actors import acting
from tests.browsing import Browser, actions, fields, reasons, said, texts
from tests.factories import make_incident


@pytest.fixture
def shop(app: Flask, kim: Actor) -> int:
    """The id of a group."""
    with app.app_context():
        return components.add_group(GroupDetails("Shop"), actor=kim).id


@pytest.fixture
def api(app: Flask, kim: Actor) -> int:
    """The id of a component."""
    with app.app_context():
        return components.add_component(ComponentDetails("API", "For partners"), actor=kim).id


def component(app: Flask, key: int) -> Component:
    with app.app_context():
        return current_session().get_one(Component, key)


def test_a_page_without_components_says_what_to_do(admin: Browser) -> None:
    assert texts(admin.get("/admin/components"), "empty", "//strong") == [
        "There are no components yet"
    ]


def test_a_component_is_added_to_its_group(admin: Browser, app: Flask, shop: int) -> None:
    answer = admin.send_shown(f"/admin/components/new?group={shop}", {"name": " Check  out "})
    assert answer.headers["Location"] == "/admin/components"
    assert said(admin.get("/admin/components")) == ["Check out is on the page now."]
    with app.app_context():
        found = current_session().scalars(select(Component)).one()
        assert (found.name, found.group_id) == ("Check out", shop)


def test_a_component_needs_a_name_of_its_own(admin: Browser, api: int) -> None:
    answer = admin.send("/admin/components/new", {"name": "", "description": "kept"})
    assert (answer.status_code, reasons(answer)) == (422, ["Name: Enter the component's name"])
    assert 'value="kept"' in answer.text
    assert "<title>Error: Add a component" in answer.text
    answer = admin.send("/admin/components/new", {"name": "api"})
    assert reasons(answer) == ["Name: A component with that name already exists"]


def test_a_component_is_changed(admin: Browser, app: Flask, api: int, shop: int) -> None:
    path = f"/admin/components/{api}"
    values = {"name": "Partners", "group_id": str(shop), "only_show_if_degraded": "y"}
    assert admin.send_shown(path, values).status_code == 303
    found = component(app, api)
    assert (found.name, found.description, found.group_id, found.only_show_if_degraded) == (
        "Partners",
        "For partners",
        shop,
        True,
    )


def test_what_somebody_else_changed_is_shown_and_can_be_overruled(
    admin: Browser, app: Flask, api: int
) -> None:
    path = f"/admin/components/{api}"
    seen = admin.get(path).text
    with app.app_context():
        components.change_component(
            api, ComponentDetails("Theirs", "For partners"), actor=acting("Sam")
        )
    stale = {**fields(seen, having="name"), "name": "Mine"}
    answer = admin.send(path, {key: stale[key] for key in stale if key != "csrf_token"})
    assert (answer.status_code, reasons(answer)) == (
        422,
        [
            "Someone else saved this while you were editing. What you typed is kept; "
            "save again to replace theirs.",
            "Name: Now saved here: Theirs",
        ],
    )
    assert component(app, api).name == "Theirs"
    assert admin.send(path, fields(answer.text, having="name")).status_code == 303
    assert component(app, api).name == "Mine"


def test_a_state_is_set_by_hand(admin: Browser, app: Flask, api: int) -> None:
    path = f"/admin/components/{api}/status"
    assert admin.send(path, {"status": "partial_outage"}).status_code == 303
    assert component(app, api).status is ComponentStatus.PARTIAL_OUTAGE
    assert said(admin.get("/admin/components")) == ["API: Partial outage."]
    answer = admin.send(path, {"status": "on fire"})
    assert (answer.status_code, reasons(answer)) == (422, ["State: Pick one from the list"])


def test_an_open_incident_is_the_better_place_for_a_state(
    admin: Browser, app: Flask, api: int
) -> None:
    with app.app_context(), writing() as session:
        make_incident(session, "Payments fail", components=[session.get_one(Component, api)])
    assert said(admin.get(f"/admin/components/{api}")) == [
        "Payments fail is not over and names this component. Better set its state with the "
        "next update there: visitors then read why."
    ]


def test_things_are_moved_by_buttons(admin: Browser, app: Flask, api: int, shop: int) -> None:
    answer = admin.send(f"/admin/groups/{shop}/move", {"direction": "up"})
    assert answer.headers["Location"] == f"/admin/components#group-{shop}"
    answer = admin.send(f"/admin/components/{api}/move", {"direction": "up"})
    assert answer.headers["Location"] == f"/admin/components#component-{api}"
    assert admin.send(f"/admin/components/{api}/move", {"direction": "left"}).status_code == 400
    with app.app_context():
        assert [item.name for item in components.top_level(current_session())] == ["API", "Shop"]


def test_a_removed_component_can_be_brought_back(admin: Browser, app: Flask, api: int) -> None:
    assert admin.send(f"/admin/components/{api}/remove").status_code == 303
    assert admin.get(f"/admin/components/{api}").status_code == 404
    assert "Removed components (1)" in admin.get("/admin/components").text
    admin.send("/admin/components/new", {"name": "API"})
    admin.send(f"/admin/components/{api}/restore")
    assert said(admin.get("/admin/components"))[-1] == "A component with that name already exists"
    assert component(app, api).removed_at is not None


def test_a_group_is_added_changed_and_removed(admin: Browser, app: Flask, shop: int) -> None:
    answer = admin.send("/admin/groups/new", {"name": "SHOP"})
    assert reasons(answer) == ["Name: A group with that name already exists"]
    admin.send("/admin/groups/new", {"name": "Platform", "description": "Below"})
    admin.send_shown(f"/admin/groups/{shop}", {"name": "Store"})
    with app.app_context():
        names = (
            current_session().scalars(select(ComponentGroup.name).order_by(ComponentGroup.id)).all()
        )
        assert names == ["Store", "Platform"]
    admin.send(f"/admin/groups/{shop}/remove")
    assert admin.get(f"/admin/groups/{shop}").status_code == 404
    assert actions(app)[-3:] == ["group.add", "group.change", "group.remove"]


def test_owners_are_saved_shown_at_declaration_and_on_no_page(
    admin: Browser, app: Flask, api: int, kim: Actor
) -> None:
    with app.app_context():
        dana = contacts.add_contact(ContactDetails("Dana"), actor=kim).id
    path = f"/admin/components/{api}"
    typed = {
        "own-owner_id": str(dana), "own-team_channel": "#api-team",
        "own-runbook": "https://wiki.example.com/api", "own-vendor_contact": "Hosting, +49 30 1",
    }  # fmt: skip
    shown = fields(admin.get(path).text)
    wrong = admin.send(f"{path}/owners", {**shown, **typed, "own-runbook": "wiki"})
    assert wrong.status_code == 422
    assert reasons(wrong) == ["Runbook: Enter a web address that begins with https://"]
    assert fields(wrong.text)["own-team_channel"] == "#api-team"
    assert admin.send(f"{path}/owners", {**shown, **typed}).status_code == 303
    assert {name: fields(admin.get(path).text)[name] for name in typed} == typed
    chosen = {f"components-{api}": "major_outage", "severity_rank": "1", "title": "API fails"}
    beside = admin.send_shown("/admin/incidents/new", {**chosen, "preview": "1"}).text
    for said_there in ("Dana", "#api-team", "https://wiki.example.com/api", "Hosting, +49 30 1"):
        assert said_there in beside
        for public in ("/", "/api/v2/components.json"):
            assert said_there not in admin.get(public).text
    late = admin.send(f"{path}/owners", {**shown, **typed, "own-team_channel": "#other"})
    assert "Someone else saved this" in late.text
