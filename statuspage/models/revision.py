"""The number that moves with every change that the public may see: what refreshers look at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.clock import EPOCH
from statuspage.core.db import insert_new
from statuspage.models import Revision

_ONLY = 1


def bump(session: Session) -> None:
    """Move the revision within the caller's transaction, so that both are seen at once."""
    moment = clock.now()
    statement = insert_new(session, Revision).values(id=_ONLY, number=1, at=moment)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"number": Revision.number + 1, "at": moment}
        )
    )


def read_revision(session: Session | Connection) -> tuple[int, datetime]:
    """The revision's number and the moment of its last change."""
    row = session.execute(select(Revision.number, Revision.at)).one_or_none()
    return (row.number, row.at) if row else (0, EPOCH)


def current_number(session: Session | Connection) -> int:
    """The revision's number, 0 before the first change; one read of one row."""
    return session.execute(_NUMBER).scalar() or 0


_NUMBER = select(Revision.number).where(Revision.id == _ONLY)
