"""Components and their groups."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.configuration import components
from statuspage.configuration.editing import (
    ComponentDetails,
    GroupDetails,
)
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus, Visibility
from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    Page,
    revision,
)
from tests.configuration_edits import ACTOR, add, count_entries, last_entry, names, refusal
from tests.factories import make_component, make_group, make_incident


def test_groups_and_components_stand_in_one_order(session: Session, page: Page) -> None:
    add("API")
    shop = components.add_group(GroupDetails("Shop"), actor=ACTOR)
    add("Auth")
    add("Checkout", shop)
    add("Catalog", shop)
    assert names(session) == ["API", "Shop", ["Checkout", "Catalog"], "Auth"]
    assert revision.current_number(session) == 5


def test_a_new_component_is_operational_from_the_start(
    session: Session, page: Page, frozen: Traveller
) -> None:
    key = add("API")
    change = session.scalars(select(ComponentChange)).one()
    assert (change.component_id, change.at, change.status) == (
        key,
        clock.now(),
        ComponentStatus.OPERATIONAL,
    )


def test_things_move_one_place_at_a_time(session: Session, page: Page) -> None:
    add("API")
    shop = components.add_group(GroupDetails("Shop"), actor=ACTOR)
    checkout, catalog = add("Checkout", shop), add("Catalog", shop)
    components.move_group(shop.id, direction="up", actor=ACTOR)
    assert names(session) == ["Shop", ["Checkout", "Catalog"], "API"]
    components.move_component(checkout, direction="down", actor=ACTOR)
    assert names(session) == ["Shop", ["Catalog", "Checkout"], "API"]
    entry = last_entry(session)
    assert (entry.action, entry.before, entry.after) == (
        "component.move",
        {"place": 1},
        {"place": 2},
    )
    before = count_entries(session)
    components.move_component(catalog, direction="up", actor=ACTOR)
    components.move_group(shop.id, direction="up", actor=ACTOR)
    assert names(session) == ["Shop", ["Catalog", "Checkout"], "API"]
    assert count_entries(session) == before


def test_rows_that_share_a_place_move_all_the_same(session: Session, page: Page) -> None:
    with writing() as session:
        for name in ("A", "B", "C"):
            make_component(session, name)
        make_group(session, "G")
    assert names(session) == ["G", [], "A", "B", "C"]
    c = session.scalars(select(Component).filter_by(name="C")).one()
    components.move_component(c.id, direction="up", actor=ACTOR)
    assert names(session) == ["G", [], "A", "C", "B"]


def test_a_component_that_changes_its_group_goes_to_its_end(session: Session, page: Page) -> None:
    shop = components.add_group(GroupDetails("Shop"), actor=ACTOR)
    add("Checkout", shop)
    api = add("API")
    components.change_component(api, ComponentDetails("API", group_id=shop.id), actor=ACTOR)
    assert names(session) == ["Shop", ["Checkout", "API"]]
    components.change_component(api, ComponentDetails("API"), actor=ACTOR)
    assert names(session) == ["Shop", ["Checkout"], "API"]


def test_a_name_is_taken_within_its_group_only(session: Session, page: Page) -> None:
    shop = components.add_group(GroupDetails("Shop"), actor=ACTOR)
    api = add("API")
    add("API", shop)
    with refusal(field="name", reason="A component with that name already exists"):
        add("api")
    with refusal(field="name", reason="A component with that name already exists"):
        components.change_component(api, ComponentDetails("API", group_id=shop.id), actor=ACTOR)
    with refusal(field="name", reason="A group with that name already exists"):
        components.add_group(GroupDetails("SHOP"), actor=ACTOR)
    components.change_component(api, ComponentDetails("Api"), actor=ACTOR)
    components.change_group(shop.id, GroupDetails("shop"), actor=ACTOR)
    assert names(session) == ["shop", ["API"], "Api"]


def test_a_component_cannot_join_a_group_that_is_gone(page: Page) -> None:
    with refusal(field="group_id", reason="That group has just been removed; pick another"):
        components.add_component(ComponentDetails("API", group_id=4711), actor=ACTOR)


def test_a_removed_group_leaves_its_components(session: Session, page: Page) -> None:
    shop = components.add_group(GroupDetails("Shop"), actor=ACTOR)
    add("Checkout", shop)
    add("Catalog", shop)
    add("API")
    components.remove_group(shop.id, actor=ACTOR)
    assert names(session) == ["API", "Checkout", "Catalog"]
    assert last_entry(session).before == {"name": "Shop", "components": ["Checkout", "Catalog"]}


def test_a_removed_component_keeps_its_history(session: Session, page: Page) -> None:
    api = add("API")
    with writing() as session:
        incident = make_incident(session, components=[session.get_one(Component, api)])
    components.remove_component(api, actor=ACTOR)
    components.remove_component(api, actor=ACTOR)
    assert names(session) == []
    assert [row.component.name for row in incident.affected] == ["API"]
    assert [one.name for one in components.removed_components(session)] == ["API"]
    assert components.component_names(session) == {}
    assert components.component_names(session, also=frozenset({api})) == {api: "API (removed)"}
    assert last_entry(session).action == "component.remove"


def test_a_removed_component_can_come_back_unless_its_name_is_taken(
    session: Session, page: Page
) -> None:
    api = add("API")
    components.remove_component(api, actor=ACTOR)
    other = add("API")
    with refusal(field="name", reason="A component with that name already exists"):
        components.restore_component(api, actor=ACTOR)
    components.change_component(other, ComponentDetails("Other"), actor=ACTOR)
    components.restore_component(api, actor=ACTOR)
    components.restore_component(api, actor=ACTOR)
    assert names(session) == ["Other", "API"]


def test_a_state_set_by_hand_is_logged_and_shown(
    session: Session, page: Page, frozen: Traveller
) -> None:
    api = add("API")
    frozen.shift(timedelta(minutes=5))
    before = revision.current_number(session)
    for _ in range(2):
        components.set_component_status(api, ComponentStatus.MAJOR_OUTAGE, actor=ACTOR)
    component = session.get_one(Component, api)
    assert (component.status, component.updated_at) == (ComponentStatus.MAJOR_OUTAGE, clock.now())
    changes = session.scalars(select(ComponentChange.status).order_by(ComponentChange.id)).all()
    assert changes == [ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR_OUTAGE]
    assert last_entry(session).after == {"status": "major_outage"}
    assert revision.current_number(session) == before + 1


def test_open_incidents_are_found_by_component(session: Session, page: Page) -> None:
    api = add("API")
    with writing() as session:
        component = session.get_one(Component, api)
        make_incident(session, "Open", components=[component])
        make_incident(session, "Inside", components=[component], visibility=Visibility.INTERNAL)
        make_incident(session, "Over", components=[component], updates=["resolved"])
    found = components.open_incidents_by_component(session)
    assert {
        key: [incident.title for incident in incidents] for key, incidents in found.items()
    } == {api: ["Open", "Inside"]}


def test_a_group_is_described(session: Session, page: Page) -> None:
    shop = components.add_group(GroupDetails("Shop"), actor=ACTOR)
    components.change_group(shop.id, GroupDetails("Shop", "What customers touch"), actor=ACTOR)
    assert session.get_one(ComponentGroup, shop.id).description == "What customers touch"
    assert last_entry(session).after == {"description": "What customers touch"}
