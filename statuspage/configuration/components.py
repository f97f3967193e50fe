"""Components and groups: their order on the page, their state, and what is taken off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import (
    ComponentDetails,
    GroupDetails,
    change_row,
    read_as,
    record,
)
from statuspage.configuration.public_names import let_name_pass
from statuspage.core import clock
from statuspage.core.db import read_once, writing
from statuspage.core.enums import ComponentStatus
from statuspage.core.errors import Invalid
from statuspage.models import (
    Component,
    ComponentChange,
    ComponentGroup,
    Incident,
    IncidentComponent,
    StateRule,
    revision,
)

Direction = Literal["up", "down"]


def top_level(session: Session) -> list[ComponentGroup | Component]:
    """Groups and ungrouped components together, in the page's order; removed ones left out."""
    return list(read_once(session, "top level", lambda: _read_top_level(session)))


def _read_top_level(session: Session) -> list[ComponentGroup | Component]:
    groups = session.scalars(
        select(ComponentGroup).options(selectinload(ComponentGroup.components))
    )
    alone = session.scalars(
        select(Component).where(Component.group_id.is_(None), Component.removed_at.is_(None))
    )
    return sorted([*groups, *alone], key=_place)


def _place(item: ComponentGroup | Component) -> tuple[int, bool, int]:
    """As the public page orders them where places are equal: headings first, then the older."""
    return item.position, isinstance(item, Component), item.id


def present(group: ComponentGroup) -> list[Component]:
    """A group's components in order, without the removed ones."""
    return [component for component in group.components if component.removed_at is None]


def component_names(session: Session, *, also: frozenset[int] = frozenset()) -> dict[int, str]:
    """Names by id, with their group, in the page's order; removed ones only if in ``also``."""
    names: dict[int, str] = {}
    for item in top_level(session):
        if isinstance(item, Component):
            names[item.id] = item.name
            continue
        names |= {each.id: f"{item.name} / {each.name}" for each in present(item)}
    removed = also - names.keys()
    if not removed:
        return names
    gone = session.scalars(select(Component).where(Component.id.in_(removed)))
    return names | {each.id: f"{each.name} (removed)" for each in gone}


def removed_components(session: Session) -> list[Component]:
    """Components that were taken off the page, the last one first."""
    return list(
        session.scalars(
            select(Component)
            .where(Component.removed_at.is_not(None))
            .order_by(Component.removed_at.desc(), Component.id)
        )
    )


def open_incidents_by_component(session: Session) -> dict[int, list[Incident]]:
    """The unfinished incidents and maintenances that name each component, by its id."""
    incidents: dict[int, list[Incident]] = {}
    pairs = session.execute(
        select(IncidentComponent.component_id, Incident)
        .join(IncidentComponent.incident)
        .where(Incident.resolved_at.is_(None))
        .order_by(Incident.started_at)
    )
    for component_id, incident in pairs:
        incidents.setdefault(component_id, []).append(incident)
    return incidents


@needs(Permission.COMPONENTS)
def add_group(details: GroupDetails, *, actor: Actor, because: str = "") -> ComponentGroup:
    """Add a heading at the end; :class:`Invalid` for a name that is taken, or that would leak.

    ``because`` says why it stays all the same, here and in what follows.
    """
    with writing() as session:
        _refuse_taken_group(session, details.name, but=None)
        _let_pass(session, "group", details, None, because=because, actor=actor)
        group = ComponentGroup(**asdict(details), position=next_position(session, None))
        session.add(group)
        record(session, actor, "group.add", group.name, after=asdict(details))
        revision.bump(session)
    return group


@needs(Permission.COMPONENTS)
def change_group(
    group_id: int,
    details: GroupDetails,
    *,
    actor: Actor,
    seen: str | None = None,
    because: str = "",
) -> None:
    """Rename or describe a heading; :class:`Invalid` for a name that is taken, or would leak."""
    with writing() as session:
        group = session.get_one(ComponentGroup, group_id, with_for_update=True)
        _refuse_taken_group(session, details.name, but=group_id)
        _let_pass(session, "group", details, group, because=because, actor=actor)
        if change_row(session, group, details, actor=actor, action="group.change", seen=seen):
            group.updated_at = clock.now()
            revision.bump(session)


@needs(Permission.COMPONENTS)
def remove_group(group_id: int, *, actor: Actor) -> None:
    """Remove a heading; its components stay, at the end of the page, without one."""
    with writing() as session:
        group = session.get_one(ComponentGroup, group_id)
        members = list(group.components)
        before = {"name": group.name, "components": [one.name for one in members]}
        record(session, actor, "group.remove", group.name, before=before)
        for component in members:
            component.position = next_position(session, None)
            component.group_id = None
            session.flush()
        session.expire(group, ["components"])
        session.delete(group)
        revision.bump(session)


@needs(Permission.COMPONENTS)
def add_component(details: ComponentDetails, *, actor: Actor, because: str = "") -> Component:
    """Add a component at the end of its group, operational.

    :class:`Invalid` for a name that is taken, or that would leak.
    """
    with writing() as session:
        _refuse_taken_component(session, details, but=None)
        _let_pass(session, "component", details, None, because=because, actor=actor)
        component = insert_component(session, details)
        record(session, actor, "component.add", component.name, after=asdict(details))
        revision.bump(session)
    return component


@needs(Permission.COMPONENTS)
def change_component(
    component_id: int,
    details: ComponentDetails,
    *,
    actor: Actor,
    seen: str | None = None,
    because: str = "",
) -> None:
    """Change what a component is, not its state; one that changes its group goes to its end.

    :class:`Invalid` for a name that is taken, or that would leak.
    """
    with writing() as session:
        component = session.get_one(Component, component_id, with_for_update=True)
        _refuse_taken_component(session, details, but=component_id)
        _let_pass(session, "component", details, component, because=because, actor=actor)
        moves = component.group_id != details.group_id
        if not change_row(
            session, component, details, actor=actor, action="component.change", seen=seen
        ):
            return
        if moves:
            component.position = next_position(session, details.group_id, but=component_id)
        component.updated_at = clock.now()
        revision.bump(session)


@needs(Permission.COMPONENTS)
def remove_component(component_id: int, *, actor: Actor) -> None:
    """Take a component off the page; the history that names it keeps it."""
    with writing() as session:
        component = session.get_one(Component, component_id)
        if component.removed_at is not None:
            return
        component.removed_at = component.updated_at = clock.now()
        record(session, actor, "component.remove", component.name)
        revision.bump(session)


@needs(Permission.COMPONENTS)
def restore_component(component_id: int, *, actor: Actor) -> None:
    """Put a removed component back at the end of its group; :class:`Invalid` for a taken name."""
    with writing() as session:
        component = session.get_one(Component, component_id)
        if component.removed_at is None:
            return
        details = read_as(ComponentDetails, component)
        _refuse_taken_component(session, details, but=component_id)
        component.position = next_position(session, component.group_id, but=component_id)
        component.removed_at, component.updated_at = None, clock.now()
        record(session, actor, "component.restore", component.name)
        revision.bump(session)


@needs(Permission.COMPONENT_STATUS)
def set_component_status(component_id: int, status: ComponentStatus, *, actor: Actor) -> None:
    """Set a component's state outside of any incident; the state log keeps it.

    No rule changes it again until somebody hands the component back to that.
    """
    with writing() as session:
        component = session.get_one(Component, component_id, with_for_update=True)
        rule = session.scalars(select(StateRule).filter_by(component_id=component_id)).first()
        is_marked = rule is not None and rule.set_at is not None
        if rule is not None:
            rule.set_at, rule.paused_at = None, clock.now()
        if component.status is not status:
            set_status(session, component, status, actor=actor)
        elif is_marked:
            revision.bump(session)


def set_status(
    session: Session, component: Component, status: ComponentStatus, *, actor: Actor
) -> None:
    """Set a component's state within the caller's transaction, with its log and audit entry."""
    before, component.status = component.status, status
    component.updated_at = clock.now()
    _log_status(session, component)
    record(
        session,
        actor,
        "component.set_status",
        component.name,
        before={"status": before},
        after={"status": status},
    )
    revision.bump(session)


@needs(Permission.COMPONENTS)
def move_component(component_id: int, *, direction: Direction, actor: Actor) -> None:
    """Move a component one place among its neighbours; nothing happens at the end."""
    with writing() as session:
        component = session.get_one(Component, component_id)
        group = component.group
        _move(session, component, present(group) if group else top_level(session), direction, actor)


@needs(Permission.COMPONENTS)
def move_group(group_id: int, *, direction: Direction, actor: Actor) -> None:
    """Move a heading, with what stands under it, one place; nothing happens at the end."""
    with writing() as session:
        group = session.get_one(ComponentGroup, group_id)
        _move(session, group, top_level(session), direction, actor)


def _move(
    session: Session,
    item: ComponentGroup | Component,
    neighbours: Sequence[ComponentGroup | Component],
    direction: Direction,
    actor: Actor,
) -> None:
    order = list(neighbours)
    place = order.index(item) if item in order else -1
    target = place - 1 if direction == "up" else place + 1
    if place < 0 or not 0 <= target < len(order):
        return
    order[place], order[target] = order[target], order[place]
    for position, neighbour in enumerate(order):
        neighbour.position = position
    kind = "group" if isinstance(item, ComponentGroup) else "component"
    record(
        session,
        actor,
        f"{kind}.move",
        item.name,
        before={"place": place + 1},
        after={"place": target + 1},
    )
    revision.bump(session)


def insert_component(session: Session, details: ComponentDetails) -> Component:
    """Add the rows of a new component, at the end of its group and operational from now on."""
    component = Component(
        **asdict(details),
        status=ComponentStatus.OPERATIONAL,
        position=next_position(session, details.group_id),
    )
    session.add(component)
    session.flush()
    _log_status(session, component)
    return component


def _log_status(session: Session, component: Component) -> None:
    session.add(ComponentChange(component_id=component.id, at=clock.now(), status=component.status))


def next_position(session: Session, group_id: int | None, *, but: int | None = None) -> int:
    """The place after the last of a group, or of the top level where no group is given."""
    highest = select(func.max(Component.position)).where(
        Component.group_id == group_id, Component.removed_at.is_(None), Component.id != (but or 0)
    )
    places = [session.scalar(highest)]
    if group_id is None:
        places.append(session.scalar(select(func.max(ComponentGroup.position))))
    return max((place for place in places if place is not None), default=-1) + 1


def _let_pass(
    session: Session,
    kind: str,
    details: ComponentDetails | GroupDetails,
    saved: Component | ComponentGroup | None,
    *,
    because: str,
    actor: Actor,
) -> None:
    """Check what of the words is new."""
    fresh = {"name": details.name, "description": details.description}
    for field, text in fresh.items():
        if saved is not None and getattr(saved, field) == text:
            fresh[field] = ""
    let_name_pass(session, kind, fresh["name"], fresh["description"], reason=because, actor=actor)


def _refuse_taken_group(session: Session, name: str, *, but: int | None) -> None:
    taken = session.execute(select(ComponentGroup.id, ComponentGroup.name)).all()
    if any(one.id != but and one.name.casefold() == name.casefold() for one in taken):
        raise Invalid("name", "A group with that name already exists")


def _refuse_taken_component(
    session: Session, details: ComponentDetails, *, but: int | None
) -> None:
    if details.group_id is not None and session.get(ComponentGroup, details.group_id) is None:
        raise Invalid("group_id", "That group has just been removed; pick another")
    taken = session.execute(
        select(Component.id, Component.name).where(
            Component.group_id == details.group_id, Component.removed_at.is_(None)
        )
    ).all()
    if any(one.id != but and one.name.casefold() == details.name.casefold() for one in taken):
        raise Invalid("name", "A component with that name already exists")
