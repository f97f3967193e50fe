"""The page, its groups and its components: their rows into views."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Connection, Row

from statuspage.core.clock import EPOCH
from statuspage.core.enums import ComponentStatus
from statuspage.models.columns import CODE_LENGTH
from statuspage.public import statements
from statuspage.public.snapshot import ComponentView, GroupView, PageView

AnyRow = Row[*tuple[Any, ...]]


def read_page(connection: Connection) -> PageView:
    """The page's settings; what a visitor is shown before anybody has set the page up."""
    row: AnyRow | None = connection.execute(statements.PAGE).one_or_none()
    if row is None:
        return _NO_PAGE
    return PageView(
        code=row.code,
        name=row.name,
        about=row.about,
        time_zone=row.time_zone,
        language=row.language,
        support_email=row.support_email,
        support_url=row.support_url,
        look=tuple(sorted((str(key), str(value)) for key, value in row.look.items())),
        is_set_up=row.set_up_at is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        takes_reports=bool(row.takes_reports),
    )


_NO_PAGE = PageView(
    code="0" * CODE_LENGTH,
    name="Status",
    about="",
    time_zone="UTC",
    language="en",
    support_email="",
    support_url="",
    look=(),
    is_set_up=False,
    created_at=EPOCH,
    updated_at=EPOCH,
)


def read_components(
    connection: Connection,
) -> tuple[tuple[GroupView | ComponentView, ...], dict[int, ComponentView]]:
    """The tree in the page's order, and all components by their rows' keys, removed ones last."""
    groups = connection.execute(statements.GROUPS).all()
    rows = connection.execute(statements.COMPONENTS).all()
    members: dict[int | None, list[AnyRow]] = defaultdict(list)
    for row in sorted(rows, key=attrgetter("position")):
        if row.removed_at is None:
            members[row.group_id].append(row)
    # Groups, and components that have none, stand in one order.
    roots = [(group.position, True, group) for group in groups if members[group.id]]
    roots += [(row.position, False, row) for row in members[None]]
    by_key: dict[int, ComponentView] = {}
    tree: list[GroupView | ComponentView] = []
    for place, (_, is_group, root) in enumerate(sorted(roots, key=itemgetter(0)), start=1):
        if is_group:
            views = [
                (row.id, _component(row, position=n, group=root))
                for n, row in enumerate(members[root.id], start=1)
            ]
            tree.append(_group(root, position=place, components=[view for _, view in views]))
        else:
            views = [(root.id, _component(root, position=place))]
            tree.append(views[0][1])
        by_key.update(views)
    group_of = {group.id: group for group in groups}
    for row in rows:
        if row.removed_at is not None:
            by_key[row.id] = _component(row, position=0, group=group_of.get(row.group_id))
    return tuple(tree), by_key


def _group(row: AnyRow, *, position: int, components: Iterable[ComponentView]) -> GroupView:
    return GroupView(
        code=row.code,
        name=row.name,
        description=row.description,
        position=position,
        components=tuple(components),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _component(row: AnyRow, *, position: int, group: AnyRow | None = None) -> ComponentView:
    # Without its key and its group's: they are rows' affairs.
    return _component_view(
        *row[2:],
        position=position,
        group_code=group.code if group else None,
        group_name=group.name if group else None,
    )


@lru_cache(maxsize=8192)
def _component_view(
    code: str,
    name: str,
    description: str,
    status: str,
    _place: int,
    only_show_if_degraded: int | bool,
    created_at: str | datetime,
    updated_at: str | datetime,
    removed_at: str | datetime | None,
    is_automatic: int | bool,
    *,
    position: int,
    group_code: str | None,
    group_name: str | None,
) -> ComponentView:
    return ComponentView(
        code=code,
        name=name,
        description=description,
        status=ComponentStatus(status),
        position=position,
        only_show_if_degraded=bool(only_show_if_degraded),
        group_code=group_code,
        group_name=group_name,
        is_removed=removed_at is not None,
        created_at=read_moment(created_at),
        updated_at=read_moment(updated_at),
        is_automatic=bool(is_automatic),
    )


def read_moment(value: str | datetime) -> datetime:
    """A time as it comes: text in UTC from SQLite, from PostgreSQL aware or text with its zone."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return value.astimezone(UTC)
