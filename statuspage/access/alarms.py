"""Alarms: what an operator must see until it is over, in the admin; ``/readyz`` has their keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, true, update
from sqlalchemy.orm import Session

from statuspage.core import clock
from statuspage.core.db import insert_new, read_once
from statuspage.models import Alarm


def raise_alarm(session: Session, key: str, text: str) -> None:
    """Raise or renew the alarm of that key; an open one keeps the time it was raised at."""
    moment = clock.now()
    statement = insert_new(session, Alarm).values(
        key=key, text=text, raised_at=moment, cleared_at=None
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"text": text, "raised_at": moment, "cleared_at": None},
            where=Alarm.cleared_at.is_not(None),
        )
    )
    session.execute(update(Alarm).where(Alarm.key == key, Alarm.text != text).values(text=text))


def clear_alarm(session: Session, key: str, *, raised_before: datetime | None = None) -> None:
    """Clear the alarm of that key, where it is open (and was raised before that moment)."""
    moment = clock.now()
    session.execute(
        update(Alarm)
        .where(
            Alarm.key == key,
            Alarm.cleared_at.is_(None),
            Alarm.raised_at < raised_before if raised_before else true(),
        )
        .values(cleared_at=moment)
    )


def open_alarms(session: Session) -> list[Alarm]:
    """The alarms that are not cleared, oldest first."""
    standing = select(Alarm).where(Alarm.cleared_at.is_(None)).order_by(Alarm.raised_at)
    return list(read_once(session, "open alarms", lambda: session.scalars(standing).all()))
