"""Who has an incident's screen open, and who is writing on it; known for seconds, then forgotten.

An open screen reports itself every few seconds (``static/live.js``), so nobody has to say that they
left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import insert_new, writing
from statuspage.models import Account, Presence

# Two reports may be missed.
PRESENT_FOR: Final = timedelta(seconds=30)
WRITES_FOR: Final = timedelta(seconds=12)
_KEPT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Present:
    """A colleague who looks at the same screen."""

    name: str
    writes: bool


def report(incident_id: int, account_id: int, *, writes: bool) -> None:
    """Note that somebody looks at an incident now, and whether they write."""
    moment = clock.now()
    seen = {"seen_at": moment, **({"written_at": moment} if writes else {})}
    with writing() as session:
        session.execute(delete(Presence).where(Presence.seen_at < moment - _KEPT))
        session.execute(
            insert_new(session, Presence)
            .values(incident_id=incident_id, account_id=account_id, **seen)
            .on_conflict_do_update(index_elements=["incident_id", "account_id"], set_=seen)
        )


def others(session: Session, incident_id: int, *, but: int) -> list[Present]:
    """The colleagues on an incident's screen, by name, ``but`` one account."""
    moment = clock.now()
    rows = session.execute(
        select(Account.name, Presence.written_at)
        .join(Account, Account.id == Presence.account_id)
        .where(
            Presence.incident_id == incident_id,
            Presence.account_id != but,
            Presence.seen_at > moment - PRESENT_FOR,
        )
        .order_by(Account.name)
    )
    return [
        Present(name, writes=bool(written and written > moment - WRITES_FOR))
        for name, written in rows
    ]
