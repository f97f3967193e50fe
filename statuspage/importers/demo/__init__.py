"""The demo: a shop called ShopStack, its people, and the last ninety days of its page.

All times are relative to the moment of loading.  Its addresses are in domains that are reserved for
examples (RFC 2606), and all its mail is stored as history: nothing of it waits to be sent.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.access.audit import SYSTEM, Actor
from statuspage.access.permissions import Permission, needs
from statuspage.core import clock
from statuspage.core.config import current_settings
from statuspage.core.db import current_session, writing
from statuspage.importers.demo.loading import add_demo
from statuspage.models import Account, Component, Customer, Incident, Page, revision

__all__ = ["DemoRefused", "add_demo", "is_empty", "load", "may_load"]


class DemoRefused(Exception):
    """The demo must not be loaded here; the text is one line that says why."""


def is_empty(session: Session) -> bool:
    """Whether nobody has put anything into the database yet, not even a page."""
    tables = (Page, Component, Incident, Customer, Account)
    return all(session.scalar(select(table.id).limit(1)) is None for table in tables)


def may_load() -> bool:
    """Whether this is an empty laptop set-up: default SQLite, and nothing that could mail."""
    return current_settings().may_load_demo and is_empty(current_session())


@needs(Permission.IMPORT)
def load(*, actor: Actor = SYSTEM) -> None:
    """Fill the empty database with the demo, in one transaction; :class:`DemoRefused` elsewhere."""
    if not current_settings().may_load_demo:
        raise DemoRefused(
            "the demo is only loaded into the default SQLite database, "
            "with neither a mail provider nor a chat set"
        )
    if not is_empty(current_session()):
        raise DemoRefused("the demo is only loaded into an empty database")
    with writing() as session:
        add_demo(session, now=clock.now())
        audit.record(session, actor, "demo.load", subject_kind="page", subject="ShopStack")
        revision.bump(session)
