"""Who acts in tests that are about something else: somebody who may do everything."""

from __future__ import annotations

from statuspage.access.audit import Actor
from statuspage.access.permissions import of_role
from statuspage.core.enums import AccountRole


def acting(
    name: str, role: AccountRole = AccountRole.ADMIN, *, account_id: int | None = None
) -> Actor:
    """Somebody in that role."""
    return Actor(name, account_id, of_role(role))
