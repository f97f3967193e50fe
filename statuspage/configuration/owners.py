"""Who answers for each component: for colleagues alone, so a change of it is none of the page."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access.audit import Actor
from statuspage.access.permissions import Permission, needs
from statuspage.configuration.editing import Ownership, change_row
from statuspage.core.db import writing
from statuspage.core.errors import Invalid
from statuspage.models import Component, Contact


@dataclass(frozen=True, slots=True)
class Owned:
    """A component with its owner and their stand-in, as far as they are still there."""

    component: Component
    owner: Contact | None
    stand_in: Contact | None

    @property
    def first(self) -> Contact | None:
        """Whoever answers for it now: the owner, else the stand-in."""
        return self.owner or self.stand_in


def owned(session: Session, component_ids: Collection[int]) -> list[Owned]:
    """Those of some components that say anything for colleagues, in the page's order."""
    if not component_ids:
        return []
    chosen = select(Component).where(Component.id.in_(component_ids))
    found = [
        one
        for one in session.scalars(chosen.order_by(Component.position, Component.id))
        if one.owner_id or one.stand_in_id or one.team_channel or one.runbook or one.vendor_contact
    ]
    named = {key for one in found for key in (one.owner_id, one.stand_in_id) if key}
    people = {
        one.id: one
        for one in session.scalars(
            select(Contact).where(Contact.id.in_(named), Contact.removed_at.is_(None))
        )
    } if named else {}  # fmt: skip
    return [
        Owned(one, people.get(one.owner_id or 0), people.get(one.stand_in_id or 0)) for one in found
    ]


def first_owner(found: Iterable[Owned]) -> Contact | None:
    """Who is proposed to lead the technical work: the first of these components' owners."""
    return next((person for one in found if (person := one.first)), None)


@needs(Permission.COMPONENTS)
def change_owners(
    component_id: int, ownership: Ownership, *, actor: Actor, seen: str | None = None
) -> None:
    """Say who answers for a component.

    Raises :class:`Invalid`, and :class:`~statuspage.core.conflict.Conflict` where it no longer is
    as ``seen``.
    """
    with writing() as session:
        for field in ("owner_id", "stand_in_id"):
            contact_id = getattr(ownership, field)
            if contact_id is not None and session.get(Contact, contact_id) is None:
                raise Invalid(field, "Pick one of the contacts.")
        if ownership.owner_id is not None and ownership.owner_id == ownership.stand_in_id:
            raise Invalid("stand_in_id", "Pick somebody other than the owner.")
        component = session.get_one(Component, component_id, with_for_update=True)
        change_row(
            session, component, ownership, actor=actor, action="component.change_owners", seen=seen
        )
