"""The page itself: its first set-up, and its settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage import clock
from statuspage.audit import SYSTEM, Actor
from statuspage.db import session, writing
from statuspage.models import ComponentGroup, Page
from statuspage.models.columns import TITLE_LIMIT
from statuspage.policy import install_scheme
from statuspage.refusals import Refused
from statuspage.richtext import clean_line
from statuspage.setup.components import insert_component, next_position
from statuspage.setup.editing import ComponentDetails, PageSettings, change_row, record
from statuspage.site import revision

MOST_COMPONENTS: Final = 500


def the_page(current: Session) -> Page | None:
    """The one page; None before anybody has set it up."""
    return current.scalars(select(Page).order_by(Page.id).limit(1)).one_or_none()


def ensure_page(*, time_zone: str) -> None:
    """Make an empty page with the default scheme where there is none: to be set up later."""
    if the_page(session()) is not None:
        return
    with writing() as current:
        if the_page(current) is not None:
            return
        current.add(Page(id=1, name="Status", time_zone=time_zone))
        install_scheme(current, "sev")
        record(
            current,
            SYSTEM,
            "page.create",
            "Status",
        )
        revision.bump(current)


def set_up_page(
    settings: PageSettings,
    *,
    scheme: str,
    components: Sequence[tuple[str | None, Sequence[str]]],
    actor: Actor,
) -> None:
    """Make the page what its first admin says; ``components`` as :func:`read_outline` gives them.

    :class:`Refused` where it has been set up already.
    """
    with writing() as current:
        page = the_page(current)
        if page is not None and page.set_up_at is not None:
            raise Refused("name", "The page has been set up already")
        if page is None:
            page = Page(name=settings.name)
            current.add(page)
        for name, value in asdict(settings).items():
            setattr(page, name, value)
        page.scheme = scheme
        page.set_up_at = page.updated_at = clock.now()
        install_scheme(current, scheme)
        _add_outline(current, components)
        record(
            current,
            actor,
            "page.set_up",
            settings.name,
            after={
                **asdict(settings),
                "scheme": scheme,
                "components": [name for _, names in components for name in names],
            },
        )
        revision.bump(current)


def change_page(settings: PageSettings, *, actor: Actor, seen: str | None = None) -> None:
    """Change the page's settings.

    Raises :class:`~statuspage.refusals.Stale` where they no longer are as ``seen``.
    """
    with writing() as current:
        page = current.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        if change_row(current, page, settings, actor=actor, action="page.change", seen=seen):
            page.updated_at = clock.now()
            revision.bump(current)


def read_outline(text: str) -> list[tuple[str | None, list[str]]]:
    """Components written one to a line; a line that ends with a colon begins a group.

    An empty line ends the group.  :class:`Refused` for a name that is too long, or there twice.
    """
    outline: list[tuple[str | None, list[str]]] = []
    group: str | None = None
    for raw in text.splitlines():
        line = clean_line(raw)
        if len(line) > TITLE_LIMIT:
            raise Refused("components", f"“{line[:40]}…” is longer than {TITLE_LIMIT} characters")
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
            raise Refused("components", f"The group “{group}” is there twice")
        groups.add((group or "").casefold())
        for name in names:
            key = ((group or "").casefold(), name.casefold())
            if key in seen:
                raise Refused("components", f"“{name}” is there twice")
            seen.add(key)
    if len(seen) > MOST_COMPONENTS:
        raise Refused("components", f"At most {MOST_COMPONENTS} components")


def _add_outline(current: Session, outline: Iterable[tuple[str | None, Sequence[str]]]) -> None:
    for name, component_names in outline:
        group = None
        if name:
            group = ComponentGroup(name=name, position=next_position(current, None))
            current.add(group)
            current.flush()
        for component_name in component_names:
            details = ComponentDetails(component_name, group_id=group.id if group else None)
            insert_component(current, details)
