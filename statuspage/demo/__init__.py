"""The demo: a shop called ShopStack, its people, and the last ninety days of its page.

All times are told from the moment of loading.  Its addresses are in domains that are reserved for
examples (RFC 2606), and what it ever mailed is stored as history: nothing of it waits to be sent.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage import audit, clock
from statuspage.audit import SYSTEM, Actor
from statuspage.config import current_settings
from statuspage.db import session, writing
from statuspage.demo.cast import COMPONENTS, add_cast
from statuspage.demo.script import incidents, maintenances
from statuspage.demo.stage import IncidentScript, MaintenanceScript, Stage
from statuspage.models import Account, Component, Customer, Incident, Page
from statuspage.site import revision

__all__ = ["COMPONENTS", "DemoRefused", "is_empty", "load", "may_load"]


class DemoRefused(Exception):
    """The demo must not be loaded here; the text is one line that says why."""


def is_empty(current: Session) -> bool:
    """Whether nobody has put anything into the database yet, not even a page."""
    rooms = (Page, Component, Incident, Customer, Account)
    return all(current.scalar(select(room.id).limit(1)) is None for room in rooms)


def may_load() -> bool:
    """Whether this is an empty laptop set-up: default SQLite, and nothing that could mail."""
    return current_settings().may_load_demo and is_empty(session())


def load(*, actor: Actor = SYSTEM) -> None:
    """Fill the empty database with the demo, in one transaction; :class:`DemoRefused` elsewhere."""
    if not current_settings().may_load_demo:
        raise DemoRefused(
            "the demo is only loaded into the default SQLite database, "
            "with neither a mail provider nor a chat set"
        )
    if not is_empty(session()):
        raise DemoRefused("the demo is only loaded into an empty database")
    with writing() as current:
        tell_all(current, now=clock.now())
        audit.record(current, actor, "demo.load", subject_kind="page", subject="ShopStack")
        revision.bump(current)


def tell_all(current: Session, *, now: datetime) -> None:
    """Put the whole demo into the caller's transaction, told from the moment ``now``."""
    now = now.replace(second=0, microsecond=0)
    stage = Stage(current, add_cast(current, now=now))
    told: list[IncidentScript | MaintenanceScript] = [*incidents(now), *maintenances(now)]
    for script in sorted(told, key=lambda script: script.begins_at):
        stage.play(script)
