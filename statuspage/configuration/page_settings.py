"""The page itself: its first set-up, and its settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from statuspage.access import alarms
from statuspage.access.audit import SYSTEM, Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration import ticket_numbers
from statuspage.configuration.components import insert_component, next_position
from statuspage.configuration.editing import ComponentDetails, PageSettings, change_row, record
from statuspage.configuration.severity import install_scheme
from statuspage.core import clock
from statuspage.core.db import current_session, writing
from statuspage.core.errors import Invalid
from statuspage.core.richtext import clean_line
from statuspage.models import Component, ComponentGroup, Page, revision
from statuspage.models.columns import TITLE_LIMIT
from statuspage.models.page import the_page

MOST_COMPONENTS: Final = 500


def ensure_page(*, time_zone: str) -> None:
    """Make an empty page with the default scheme where there is none: to be set up later."""
    if the_page(current_session()) is not None:
        return
    with writing() as session:
        if the_page(session) is not None:
            return
        session.add(Page(id=1, name="Status", time_zone=time_zone))
        install_scheme(session, "sev")
        record(
            session,
            SYSTEM,
            "page.create",
            "Status",
        )
        revision.bump(session)


@needs(Permission.SETTINGS)
def set_up_page(
    settings: PageSettings,
    *,
    scheme: str,
    components: Sequence[tuple[str | None, Sequence[str]]],
    actor: Actor,
) -> None:
    """Make the page what its first admin says; ``components`` as :func:`read_outline` gives them.

    Components that an import made are taken, not doubled, and alone are enough.  :class:`Invalid`
    where there are none at all, and where the page has been set up already.
    """
    with writing() as session:
        page = the_page(session)
        if page is not None and page.set_up_at is not None:
            raise Invalid("name", "The page has been set up already")
        if not any(names for _, names in components) and not count_components(session):
            raise Invalid("components", "Enter at least one component")
        if page is None:
            page = Page(name=settings.name)
            session.add(page)
        for name, value in asdict(settings).items():
            setattr(page, name, value)
        page.scheme = scheme
        page.set_up_at = page.updated_at = clock.now()
        install_scheme(session, scheme)
        _add_outline(session, components)
        record(
            session,
            actor,
            "page.set_up",
            settings.name,
            after={
                **asdict(settings),
                "scheme": scheme,
                "components": [name for _, names in components for name in names],
            },
        )
        revision.bump(session)


def count_components(session: Session) -> int:
    """How many components there are, removed ones left out."""
    return session.scalar(select(func.count()).where(Component.removed_at.is_(None))) or 0


def cause_categories(page: Page | None) -> list[str]:
    """What causes of incidents are sorted by, in the order of the settings, each once."""
    lines = map(clean_line, page.cause_categories.splitlines() if page else ())
    return list(dict.fromkeys(filter(None, lines)))


@needs(Permission.SETTINGS)
def change_page(settings: PageSettings, *, actor: Actor, seen: str | None = None) -> None:
    """Change the page's settings.

    Raises :class:`Invalid` for a category of causes that is too long and a range that is none, and
    :class:`~statuspage.core.conflict.Conflict` where they no longer are as ``seen``.
    """
    for line in settings.cause_categories.splitlines():
        if len(line) > TITLE_LIMIT:
            raise Invalid("cause_categories", f"“{line[:40]}…” is longer than {TITLE_LIMIT}")
    ticket_numbers.read_ranges(settings.ticket_numbers)
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        if page.ticket_numbers != settings.ticket_numbers:
            alarms.clear_alarm(session, ticket_numbers.ALARM)
        if change_row(session, page, settings, actor=actor, action="page.change", seen=seen):
            page.updated_at = clock.now()
            revision.bump(session)


@needs(Permission.SETTINGS)
def dismiss_checklist(*, actor: Actor) -> None:
    """Hide from everybody what is left to do after set-up."""
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        if page.checklist_dismissed_at is None:
            page.checklist_dismissed_at = clock.now()
            record(session, actor, "page.dismiss_checklist", page.name)


def read_outline(text: str) -> list[tuple[str | None, list[str]]]:
    """Components written one per line; a line that ends with a colon begins a group.

    An empty line ends the group.  :class:`Invalid` for a name that is too long, or there twice.
    """
    outline: list[tuple[str | None, list[str]]] = []
    group: str | None = None
    for raw in text.splitlines():
        line = clean_line(raw)
        if len(line) > TITLE_LIMIT:
            raise Invalid("components", f"“{line[:40]}…” is longer than {TITLE_LIMIT} characters")
        if line.endswith(":"):
            group = line.removesuffix(":").rstrip() or None
            outline.append((group, []))
        elif not line:
            group = None
        elif not outline or outline[-1][0] != group:
            outline.append((group, [line]))
        else:
            outline[-1][1].append(line)
    _refuse_repeated(outline)
    return outline


def _refuse_repeated(outline: Iterable[tuple[str | None, Sequence[str]]]) -> None:
    seen: set[tuple[str, str]] = set()
    groups: set[str] = set()
    for group, names in outline:
        if group and group.casefold() in groups:
            raise Invalid("components", f"The group “{group}” is there twice")
        groups.add((group or "").casefold())
        for name in names:
            key = ((group or "").casefold(), name.casefold())
            if key in seen:
                raise Invalid("components", f"“{name}” is there twice")
            seen.add(key)
    if len(seen) > MOST_COMPONENTS:
        raise Invalid("components", f"At most {MOST_COMPONENTS} components")


def _add_outline(session: Session, outline: Iterable[tuple[str | None, Sequence[str]]]) -> None:
    present = session.scalars(
        select(Component).where(Component.removed_at.is_(None)).order_by(Component.id.desc())
    )
    known = {(one.group_id, one.name.casefold()): one for one in present}
    for group_name, names in outline:
        group_id = _group_id(session, group_name) if group_name else None
        for name in names:
            found = (known.get((place, name.casefold())) for place in (group_id, None))
            there = next(filter(None, found), None)
            if there is None:
                insert_component(session, ComponentDetails(name, group_id=group_id))
            elif there.group_id != group_id:
                there.position = next_position(session, group_id)
                there.group_id, there.updated_at = group_id, clock.now()


def _group_id(session: Session, name: str) -> int:
    """The group of that name, made where there is none."""
    groups = session.scalars(select(ComponentGroup).order_by(ComponentGroup.id))
    group = next((one for one in groups if one.name.casefold() == name.casefold()), None)
    if group is None:
        group = ComponentGroup(name=name, position=next_position(session, None))
        session.add(group)
        session.flush()
    return group.id
