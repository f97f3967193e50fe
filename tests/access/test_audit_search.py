from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session
from time_machine import Traveller

from statuspage.access import audit, audit_search
from statuspage.access.audit import COMMAND_LINE, Actor
from statuspage.access.audit_search import AuditFilter, mask
from statuspage.access.permissions import open_to_everybody
from statuspage.core.db import writing
from statuspage.recipients.customer_csv_rows import csv_lines
from tests.actors import acting
from tests.browsing import make_account
from tests.factories import NOON, make_incident


@pytest.fixture(autouse=True)
def entries(session: Session, frozen: Traveller) -> None:
    """Three entries, a day apart."""
    for kind in ("customer", "page", "customer"):
        with writing() as fresh:
            audit.record(
                fresh, COMMAND_LINE, f"{kind}.change", subject_kind=kind,
                subject="dana@example.com", after={"name": "Dana <dana@example.com>"},
            )  # fmt: skip
        frozen.shift(timedelta(days=1))


def found(session: Session, wanted: AuditFilter) -> list[int]:
    return [entry.id for entry in session.scalars(audit_search.chosen(wanted))]


def test_entries_are_found_by_kind_words_and_days(session: Session) -> None:
    assert found(session, AuditFilter()) == [3, 2, 1]
    assert found(session, AuditFilter(kind="page")) == [2]
    assert found(session, AuditFilter(text="DANA@example.com", kind="customer")) == [3, 1]
    assert found(session, AuditFilter(text="100%")) == []
    day = NOON + timedelta(days=1)
    assert found(session, AuditFilter(since=day, until=day + timedelta(days=1))) == [2]


def test_entries_are_found_by_who_acted_and_by_the_title_of_an_incident(
    session: Session,
) -> None:
    with writing() as fresh:
        incident = make_incident(fresh, "Payments fail")
        account = make_account("Ana", "ana@example.com")
        fresh.add(account)
        fresh.flush()
        ana = acting("Ana", account_id=account.id)
        declared(fresh, ana, incident.code)
        account_id = account.id
    assert found(session, AuditFilter(account_id=account_id)) == [4]
    assert found(session, AuditFilter(text="payments")) == [4]
    assert found(session, AuditFilter(account_id=account_id, kind="page")) == []


@open_to_everybody
def declared(session: Session, who: Actor, code: str) -> None:
    audit.record(session, who, "incident.declare", subject_kind="incident", subject=code)


def test_addresses_are_masked() -> None:
    assert mask({"to": ["dana@example.com", 7], "said": "<d@x.example>, me@"}) == {
        "to": ["d•••@example.com", 7],
        "said": "<d•••@x.example>, me@",
    }


def test_exports_hold_what_is_shown(session: Session) -> None:
    wanted = AuditFilter(kind="page")
    [line] = audit_search.json_lines(session, wanted)
    shown = json.loads(line)
    assert (shown["subject"], shown["after"]) == (
        "d•••@example.com",
        {"name": "Dana <d•••@example.com>"},
    )
    text = "".join(csv_lines(audit_search.table_rows(session, wanted)))
    [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert row["hash"] == shown["hash"]
    assert json.loads(row["after"]) == shown["after"]
    assert row["origin"] == "command line"
