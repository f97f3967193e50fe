from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from statuspage.access import audit
from statuspage.core.db import writing
from statuspage.core.enums import Impact
from statuspage.models import AuditEntry


def test_values_become_plain_json(session: Session) -> None:
    values = {
        "at": datetime(2026, 3, 4, 12, tzinfo=UTC),
        "impact": Impact.MAJOR,
        "ids": (1, 2),
        "more": {"open": True, "none": None},
    }
    with writing() as session:
        audit.record(
            session, audit.SYSTEM, "page.change", subject_kind="page", subject="1", after=values
        )
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.before) == ("system", None)
    assert entry.after == {
        "at": "2026-03-04T12:00:00+00:00",
        "impact": "major",
        "ids": [1, 2],
        "more": {"open": True, "none": None},
    }


def test_bytes_that_are_no_text_become_the_replacement_character(session: Session) -> None:
    with writing() as session:
        audit.record(session, audit.SYSTEM, "x", subject_kind="file", subject="a\udcff")
    assert session.scalars(select(AuditEntry.subject)).one() == "a\ufffd"


def test_an_entry_is_kept_with_its_change_or_not_at_all(session: Session) -> None:
    def fail() -> None:
        with writing() as session:
            audit.record(session, audit.SYSTEM, "x", subject_kind="page", subject="1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert session.scalars(select(AuditEntry)).all() == []
