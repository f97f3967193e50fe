from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access.audit import Actor
from statuspage.configuration import components, contacts, editing, page_settings, severity
from statuspage.configuration.editing import (
    ComponentDetails,
    ContactDetails,
    GroupDetails,
    LevelRules,
    PageSettings,
    fingerprint,
)
from statuspage.configuration.severity import severity_levels
from statuspage.core import clock
from statuspage.core.db import writing
from statuspage.core.enums import ComponentStatus, CustomerMail, Impact, Visibility
from statuspage.core.errors import Invalid, Stale
from statuspage.models import (
    Account,
    AuditEntry,
    Component,
    ComponentChange,
    ComponentGroup,
    Contact,
    Page,
    SeverityLevel,
    revision,
)
from tests.factories import make_component, make_group, make_incident, make_page

ACTOR = Actor("Kim")


def refusal(*, field: str, reason: str) -> pytest.RaisesExc[Invalid]:
    return pytest.RaisesExc(
        Invalid, check=lambda error: (error.field, error.reason) == (field, reason)
    )


def last_entry(session: Session) -> AuditEntry:
    return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


def count_entries(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


@pytest.fixture
def page(session: Session) -> Page:
    with writing() as session:
        return make_page(session)


def names(session: Session) -> list[str | list[str]]:
    """The page's order: names, and under the name of each group those of its components."""
    listed: list[str | list[str]] = []
    for item in components.top_level(session):
        listed.append(item.name)
        if isinstance(item, ComponentGroup):
            listed.append([component.name for component in components.present(item)])
    return listed


def add(name: str, group: ComponentGroup | None = None) -> int:
    details = ComponentDetails(name, group_id=group.id if group else None)
    return components.add_component(details, actor=ACTOR).id


# --- the first steps -----------------------------------------------------------------------------


def test_a_page_is_set_up_with_all_that_it_needs(session: Session, frozen: Traveller) -> None:
    page_settings.set_up_page(
        PageSettings("Globex", time_zone="Europe/Berlin"),
        scheme="p0",
        components=page_settings.read_outline("Status\n\nShop:\nCheckout\nCatalog"),
        actor=ACTOR,
    )
    page = page_settings.the_page(session)
    assert page is not None
    assert (page.name, page.time_zone, page.scheme) == ("Globex", "Europe/Berlin", "p0")
    assert page.set_up_at == clock.now()
    assert [level.name for level in severity_levels(session)] == ["P0", "P1", "P2", "P3"]
    assert names(session) == ["Status", "Shop", ["Checkout", "Catalog"]]
    assert revision.current_number(session) == 1
    assert (last_entry(session).action, last_entry(session).subject) == ("page.set_up", "Globex")


def test_an_empty_page_is_filled_and_not_doubled(session: Session) -> None:
    page_settings.ensure_page(time_zone="Asia/Tokyo")
    page_settings.ensure_page(time_zone="UTC")
    empty = page_settings.the_page(session)
    assert empty is not None
    assert (empty.time_zone, empty.set_up_at) == ("Asia/Tokyo", None)
    page_settings.set_up_page(
        PageSettings("Globex"), scheme="sev", components=[(None, ["Shop"])], actor=ACTOR
    )
    assert [page.name for page in session.scalars(select(Page))] == ["Globex"]
    assert len(severity_levels(session)) == 3


def test_a_page_is_set_up_only_once(page: Page) -> None:
    with refusal(field="name", reason="The page has been set up already"):
        page_settings.set_up_page(PageSettings("Other"), scheme="sev", components=[], actor=ACTOR)


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("", []),
        ("API", [(None, ["API"])]),
        ("Shop:\nCheckout\nCatalog", [("Shop", ["Checkout", "Catalog"])]),
        ("Shop:\nCheckout\n\nAPI", [("Shop", ["Checkout"]), (None, ["API"])]),
        ("API\nShop:\nCheckout", [(None, ["API"]), ("Shop", ["Checkout"])]),
        ("Shop:", [("Shop", [])]),
        (" Shop : \n  Check   out ", [("Shop", ["Check out"])]),
        ("A:\nX\nB:\nX", [("A", ["X"]), ("B", ["X"])]),
    ],
)
def test_an_outline_is_read_as_it_is_written(
    text: str, outline: list[tuple[str | None, list[str]]]
) -> None:
    assert page_settings.read_outline(text) == outline


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("API\napi", "“api” is there twice"),
        ("Shop:\nX\n\nshop:\nY", "The group “shop” is there twice"),
        ("x" * 201, f"“{'x' * 40}…” is longer than 200 characters"),
        ("\n".join(map(str, range(501))), "At most 500 components"),
    ],
)
def test_an_outline_that_cannot_be_taken_says_why(text: str, reason: str) -> None:
    with refusal(field="components", reason=reason):
        page_settings.read_outline(text)


# --- the page's settings -------------------------------------------------------------------------


def test_changed_settings_are_kept_with_what_they_were(session: Session, page: Page) -> None:
    standing = editing.read_as(PageSettings, page)
    page_settings.change_page(replace(standing, name="Globex", sign_off="The team"), actor=ACTOR)
    entry = last_entry(session)
    assert entry.before == {"name": "Acme", "sign_off": ""}
    assert entry.after == {"name": "Globex", "sign_off": "The team"}
    assert (entry.actor, entry.action, entry.subject) == ("Kim", "page.change", "Acme")
    assert revision.current_number(session) == 1


def test_saving_what_is_there_is_no_act(session: Session, page: Page) -> None:
    page_settings.change_page(editing.read_as(PageSettings, page), actor=ACTOR)
    assert (count_entries(session), revision.current_number(session)) == (0, 0)


def test_what_somebody_else_saved_meanwhile_is_not_lost(session: Session, page: Page) -> None:
    seen = editing.read_as(PageSettings, page)
    page_settings.change_page(replace(seen, name="Theirs"), actor=Actor("Sam"))
    with pytest.raises(Stale) as caught:
        page_settings.change_page(replace(seen, name="Mine"), actor=ACTOR, seen=fingerprint(seen))
    standing = caught.value.standing
    assert isinstance(standing, PageSettings)
    assert standing.name == "Theirs"
    page_settings.change_page(replace(seen, name="Mine"), actor=ACTOR, seen=fingerprint(standing))
    assert page_settings.the_page(session).name == "Mine"  # type: ignore[union-attr]


def test_two_who_type_the_same_do_not_disturb_each_other(session: Session, page: Page) -> None:
    seen = editing.read_as(PageSettings, page)
    for _ in range(2):
        page_settings.change_page(replace(seen, name="Both"), actor=ACTOR, seen=fingerprint(seen))
    assert count_entries(session) == 1


# --- components and groups -----------------------------------------------------------------------


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
    with refusal(field="name", reason="There is a component of that name already"):
        add("api")
    with refusal(field="name", reason="There is a component of that name already"):
        components.change_component(api, ComponentDetails("API", group_id=shop.id), actor=ACTOR)
    with refusal(field="name", reason="There is a group of that name already"):
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
    assert last_entry(session).action == "component.remove"


def test_a_removed_component_can_come_back_unless_its_name_is_taken(
    session: Session, page: Page
) -> None:
    api = add("API")
    components.remove_component(api, actor=ACTOR)
    other = add("API")
    with refusal(field="name", reason="There is a component of that name already"):
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


# --- contacts ------------------------------------------------------------------------------------


def test_contacts_are_listed_by_name_without_the_removed(session: Session, page: Page) -> None:
    for name in ("robin", "Kim", "Sam"):
        contacts.add_contact(ContactDetails(name), actor=ACTOR)
    sam = session.scalars(select(Contact).filter_by(name="Sam")).one()
    contacts.remove_contact(sam.id, actor=ACTOR)
    contacts.remove_contact(sam.id, actor=ACTOR)
    assert [contact.name for contact in contacts.contacts(session)] == ["Kim", "robin"]
    assert last_entry(session).action == "contact.remove"
    assert revision.current_number(session) == 0


def test_an_account_belongs_to_the_contact_with_its_address(session: Session, page: Page) -> None:
    with writing() as session:
        account = Account(email="kim@example.com", name="Kim", password_hash="x")
        session.add(account)
    details = ContactDetails("Kim", email="Kim@Example.com")
    contact = contacts.add_contact(details, actor=ACTOR)
    assert account.contact_id == contact.id
    contacts.change_contact(contact.id, replace(details, email="other@example.com"), actor=ACTOR)
    session.refresh(account)
    assert account.contact_id is None
    contacts.change_contact(contact.id, details, actor=ACTOR)
    session.refresh(account)
    assert account.contact_id == contact.id
    contacts.remove_contact(contact.id, actor=ACTOR)
    session.refresh(account)
    assert account.contact_id is None


def test_a_contact_without_an_address_belongs_to_no_account(session: Session, page: Page) -> None:
    with writing() as session:
        account = Account(email="kim@example.com", name="Kim", password_hash="x")
        session.add(account)
    contacts.add_contact(ContactDetails("Kim"), actor=ACTOR)
    session.refresh(account)
    assert account.contact_id is None


# --- the severity scheme -------------------------------------------------------------------------


def test_another_scheme_replaces_all_levels(session: Session, page: Page) -> None:
    severity.choose_scheme("critical", actor=ACTOR)
    assert [level.name for level in severity_levels(session)] == [
        "Critical",
        "High",
        "Medium",
        "Low",
    ]
    assert page_settings.the_page(session).scheme == "critical"  # type: ignore[union-attr]
    entry = last_entry(session)
    assert (entry.subject, entry.before, entry.after) == (
        "Critical to Low",
        {"scheme": "sev"},
        {"scheme": "critical"},
    )


def test_a_scheme_that_nobody_knows_is_refused(page: Page) -> None:
    with refusal(field="scheme", reason="Pick one of the schemes"):
        severity.choose_scheme("p9", actor=ACTOR)


def test_a_level_is_changed_and_the_trail_says_how(session: Session, page: Page) -> None:
    level = session.scalars(select(SeverityLevel).filter_by(rank=2)).one()
    rules = editing.read_as(LevelRules, level)
    changed = replace(
        rules,
        cadence_minutes=45,
        customer_mail=CustomerMail.EVERY_UPDATE,
        impact=Impact.CRITICAL,
        escalation=[{"after_minutes": 20, "to": "technical_lead"}],
    )
    severity.change_level(level.id, changed, actor=ACTOR, seen=fingerprint(rules))
    assert editing.read_as(LevelRules, session.get_one(SeverityLevel, level.id)) == changed
    entry = last_entry(session)
    assert entry.before == {
        "impact": "major",
        "cadence_minutes": 60,
        "customer_mail": "never",
        "escalation": [],
    }
    assert entry.after == {
        "impact": "critical",
        "cadence_minutes": 45,
        "customer_mail": "every_update",
        "escalation": [{"after_minutes": 20, "to": "technical_lead"}],
    }


def test_two_levels_have_two_names(session: Session, page: Page) -> None:
    level = session.scalars(select(SeverityLevel).filter_by(rank=2)).one()
    rules = editing.read_as(LevelRules, level)
    with refusal(field="name", reason="Another level has that name"):
        severity.change_level(level.id, replace(rules, name="sev1"), actor=ACTOR)
