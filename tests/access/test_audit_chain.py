"""The chain of the audit trail: whole, or broken at a place that is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import audit, audit_chain
from statuspage.access.audit import COMMAND_LINE
from statuspage.access.audit_chain import Verdict, verify
from statuspage.core import clock
from statuspage.core.db import current_session, db, writing
from statuspage.models import AuditCheckpoint, AuditEntry
from tests.databases import Database

DANA = "dana@example.com"


def note(action: str, subject: str = DANA, **after: object) -> None:
    with writing() as session:
        audit.record(
            session, COMMAND_LINE, action, subject_kind="person", subject=subject, after=after
        )


@pytest.fixture
def three(session: Session) -> list[int]:
    """The ids of three entries."""
    for number in range(3):
        note(f"person.{number}", name="Dana", note=f"wrote to {DANA}")
    return list(session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)))


def tamper(session: Session, database: Database, *statements: str) -> None:
    """Change rows as somebody could who owns the database: past the triggers."""
    session.rollback()
    with db.engine.begin() as connection:
        if database.kind == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for name in ("change", "removal"):
                connection.execute(text(f"DROP TRIGGER audit_entries_{name}"))
        for statement in statements:
            connection.execute(text(statement))


def test_each_entry_follows_the_one_before(session: Session, three: list[int]) -> None:
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [row.previous for row in rows] == [audit_chain.START, rows[0].hash, rows[1].hash]
    assert verify(session) == Verdict(3, 0, rows[2].hash)


def test_the_database_refuses_changes_and_removals(session: Session, three: list[int]) -> None:
    for statement in (
        update(AuditEntry).values(actor="Nobody"),
        update(AuditEntry).values(after={}),
        update(AuditEntry).values(redacted_at=clock.now(), action="x"),
        delete(AuditEntry),
    ):
        with pytest.raises(DatabaseError, match="append-only"), writing() as fresh:
            fresh.execute(statement)
    assert verify(session).broken_at is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE audit_entries SET actor = 'Nobody' WHERE id = {}", "its content was changed"),
        ("UPDATE audit_entries SET subject = 'x@example.com' WHERE id = {}",
         "its content was changed"),
        ("UPDATE audit_entries SET after = '{{}}' WHERE id = {}", "its content was changed"),
        ("UPDATE audit_entries SET hash = '' WHERE id = {}", "its content was changed"),
    ],
)  # fmt: skip
def test_a_change_past_the_database_s_own_guard_is_found(
    session: Session, database: Database, three: list[int], change: str, reason: str
) -> None:
    tamper(session, database, change.format(three[1]))
    verdict = verify(session)
    assert (verdict.broken_at, verdict.reason) == (three[1], reason)


def test_an_entry_that_was_removed_is_missed(
    session: Session, database: Database, three: list[int]
) -> None:
    tamper(session, database, f"DELETE FROM audit_entries WHERE id = {three[1]}")
    verdict = verify(session)
    assert (verdict.broken_at, verdict.reason) == (three[2], "it does not follow the one before")


def test_entries_that_were_cut_off_the_end_are_missed_by_whoever_kept_the_head(
    session: Session, database: Database, three: list[int]
) -> None:
    head = verify(session).head
    tamper(session, database, f"DELETE FROM audit_entries WHERE id = {three[2]}")
    assert verify(session).broken_at is None
    assert verify(session, expected=head).reason == "entries are missing at the end"


def test_entries_from_before_the_chain_are_counted_and_not_covered(session: Session) -> None:
    old = {"at": clock.now(), "actor": "Kim", "action": "x", "subject_kind": "y", "subject": "z"}
    with writing() as fresh:
        fresh.execute(insert(AuditEntry).values(**old))
    note("person.add")
    verdict = verify(session)
    assert (verdict.entries, verdict.unchained, verdict.broken_at) == (1, 1, None)


def test_a_transaction_that_fails_leaves_no_entry(session: Session) -> None:
    def fail() -> None:
        with writing() as fresh:
            audit.record(fresh, COMMAND_LINE, "x", subject_kind="y", subject="z")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    note("person.add")
    assert [row.action for row in session.scalars(select(AuditEntry))] == ["person.add"]


def test_an_erasure_leaves_the_chain_valid(session: Session, three: list[int]) -> None:
    before = verify(session)
    with writing() as fresh:
        for entry in fresh.scalars(select(AuditEntry)):
            audit_chain.redact(entry, DANA, frozenset({"Dana@example.com"}))
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert DANA not in str([(row.subject, row.after) for row in rows])
    assert "Dana" not in str([row.after for row in rows])
    assert verify(session) == before


def test_secrets_are_kept_by_name_alone(session: Session) -> None:
    note("person.add", password="hunter2", api_token="abc", name="Dana")
    [entry] = session.scalars(select(AuditEntry)).all()
    assert entry.after == {"password": "•••", "api_token": "•••", "name": "Dana"}


def test_writers_at_the_same_time_make_one_chain(app: Flask, database: Database) -> None:
    def write(number: int) -> None:
        with app.app_context():
            for _ in range(5):
                note(f"person.{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with app.app_context():
        verdict = verify(current_session())
        assert (verdict.entries, verdict.broken_at) == (40, None)


class TestRetention:
    @pytest.fixture
    def environ(self, environ: dict[str, str]) -> dict[str, str]:
        return environ | {"AUDIT_RETENTION_DAYS": "90"}

    def test_old_entries_end_at_a_signed_checkpoint(
        self, session: Session, frozen: Traveller
    ) -> None:
        for number in range(3):
            note(f"person.{number}")
        frozen.shift(timedelta(days=91))
        note("person.new")
        assert audit_chain.remove_old() == 3
        assert [row.action for row in session.scalars(select(AuditEntry))] == ["person.new"]
        verdict = verify(session)
        assert (verdict.entries, verdict.broken_at) == (1, None)
        assert audit_chain.remove_old() == 0

    def test_a_checkpoint_that_somebody_else_made_is_found(
        self, session: Session, frozen: Traveller
    ) -> None:
        note("person.0")
        note("person.1")
        forged = {"until_id": 1, "hash": "0" * 64, "at": clock.now(), "entries": 1}
        with writing() as fresh:
            fresh.execute(insert(AuditCheckpoint).values(**forged, signature="f" * 64))
        assert verify(session).reason == "the checkpoint is not signed by us"
