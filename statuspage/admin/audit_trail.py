"""The audit trail: who did what, from where and with what, before and after."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.access import accounts, audit_search
from statuspage.access.audit_search import AuditFilter
from statuspage.admin.audit_subjects import subjects_of
from statuspage.admin.base import admin, download, page
from statuspage.admin.day_range import DayRange, asked_days
from statuspage.admin.forms import read_number
from statuspage.core.db import current_session
from statuspage.core.richtext import clean_line
from statuspage.models import AuditEntry
from statuspage.recipients.customer_csv_rows import csv_lines

PAGE_SIZE: Final = 50
KEPT: Final = ("kind", "person", "text", "since", "until")
MOST_ID: Final = 2**63


@admin.get("/audit")
def audit_trail() -> ResponseReturnValue:
    """The newest entries first, filtered by kind, person, words and days."""
    before = read_number(request.args.get("before")) or None
    days = asked_days()
    found = audit_search.chosen(_asked(days))
    if before is not None and 0 < before < MOST_ID:
        found = found.where(AuditEntry.id < before)
    session = current_session()
    entries = session.scalars(found.limit(PAGE_SIZE + 1)).all()
    return page(
        "admin/audit_trail.html",
        entries=[audit_search.masked(entry) for entry in entries[:PAGE_SIZE]],
        subjects=subjects_of(session, entries[:PAGE_SIZE]),
        older=entries[PAGE_SIZE - 1].id if len(entries) > PAGE_SIZE else None,
        is_first=before is None,
        kinds=audit_search.kinds(session),
        people=accounts.all_accounts(session),
        kept={name: request.args.get(name) or None for name in KEPT},
        wrong=days.wrong,
    )


@admin.get("/audit.csv")
def export_audit_csv() -> ResponseReturnValue:
    """The entries of the filter as CSV, streamed."""
    query = _asked(asked_days())
    return download(
        "audit.csv", lambda: csv_lines(audit_search.table_rows(current_session(), query))
    )


@admin.get("/audit.jsonl")
def export_audit_json() -> ResponseReturnValue:
    """The same as JSON, one object a line."""
    query = _asked(asked_days())
    return download(
        "audit.jsonl",
        lambda: audit_search.json_lines(current_session(), query),
        mimetype="application/jsonl",
    )


def _asked(days: DayRange) -> AuditFilter:
    return AuditFilter(
        kind=clean_line(request.args.get("kind", "")),
        account_id=read_number(request.args.get("person")) or None,
        text=clean_line(request.args.get("text", ""))[:200],
        since=days.since,
        until=days.until,
    )
