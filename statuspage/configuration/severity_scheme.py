"""The severity scheme: another preset, or other rules for a level."""

from __future__ import annotations

from sqlalchemy import select

from statuspage.access.audit import Actor
from statuspage.configuration.editing import LevelRules, change_row, record
from statuspage.configuration.severity import PRESETS, install_scheme
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import Page, SeverityLevel


def choose_scheme(name: str, *, actor: Actor) -> None:
    """Replace all levels by a preset's; incidents keep the name of the level that they had."""
    if name not in PRESETS:
        raise Invalid("scheme", "Pick one of the schemes")
    with writing() as session:
        page = session.scalars(select(Page).order_by(Page.id).limit(1).with_for_update()).one()
        before, page.scheme = page.scheme, name
        install_scheme(session, name)
        record(
            session,
            actor,
            "scheme.choose",
            PRESETS[name].title,
            before={"scheme": before},
            after={"scheme": name},
        )


def change_level(
    level_id: int, rules: LevelRules, *, actor: Actor, seen: str | None = None
) -> None:
    """Change a level's words and rules; :class:`Invalid` for a name that another level has."""
    with writing() as session:
        level = session.get_one(SeverityLevel, level_id, with_for_update=True)
        others = session.scalars(
            select(SeverityLevel.name).where(SeverityLevel.id != level_id)
        ).all()
        if rules.name.casefold() in {other.casefold() for other in others}:
            raise Invalid("name", "Another level has that name")
        change_row(session, level, rules, actor=actor, action="level.change", seen=seen)
