from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from statuspage.core import db
from statuspage.core.db import writing
from statuspage.models import Alarm, Counter

EAST = timezone(timedelta(hours=2))


def test_a_transaction_that_fails_writes_nothing(session: Session) -> None:
    def fail() -> None:
        with writing() as session:
            session.add(Counter(name="x"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert session.scalars(select(Counter)).all() == []


def test_a_change_made_before_the_transaction_is_a_mistake(session: Session) -> None:
    session.add(Counter(name="x"))
    with pytest.raises(RuntimeError, match="before writing"), writing():
        pass


def test_a_moment_comes_back_in_utc_and_one_without_zone_is_refused(session: Session) -> None:
    moment = datetime(2026, 3, 4, 14, tzinfo=EAST)
    with writing() as session:
        session.add(Alarm(key="x", text="", raised_at=moment))
    session.expire_all()
    read = session.scalars(select(Alarm.raised_at)).one()
    assert (read, read.utcoffset()) == (moment, timedelta())
    with pytest.raises(StatementError), writing() as session:
        session.add(Alarm(key="y", text="", raised_at=moment.replace(tzinfo=None)))


def test_an_insert_may_meet_a_row_and_written_rows_are_counted(session: Session) -> None:
    with writing() as session:
        for _ in range(2):
            row = db.insert_new(session, Counter).values(name="x", value=1)
            session.execute(row.on_conflict_do_nothing())
        assert db.count_written(session, delete(Counter)) == 1


def test_many_ids_are_one_parameter(session: Session) -> None:
    with writing() as session:
        session.add_all([Counter(name=str(number), value=number) for number in range(5)])
    wanted = select(Counter.value).where(db.among(Counter.value, [1, 3, 9])).order_by(Counter.value)
    assert session.scalars(wanted).all() == [1, 3]
    later = select(Counter.value).where(db.among(Counter.value, "ids"))
    assert session.scalars(later, {"ids": [4]}).all() == [4]


def test_slices_cover_everything_and_nothing_is_one_empty_slice(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PAUSE_SECONDS", 0)
    assert list(db.in_slices([1, 2, 3], 2)) == [[1, 2], [3]]
    assert list(db.in_slices([], 2)) == [[]]
