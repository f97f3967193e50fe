"""The audit trail: who did what, from where and with what, before and after."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from statuspage.access import audit_search
from statuspage.access.audit_search import AuditFilter
from statuspage.admin.base import admin, download, page, zone
from statuspage.admin.forms import read_number
from statuspage.core.db import current_session
from statuspage.core.richtext import clean_line
from statuspage.models import AuditEntry
from statuspage.recipients.customer_csv_rows import csv_lines

PAGE_SIZE: Final = 50
MOST_ID: Final = 2**63


@admin.get("/audit")
def audit_trail() -> ResponseReturnValue:
    """The newest entries first, filtered by kind, words and days."""
    before = read_number(request.args.get("before")) or None
    query, wrong = _asked()
    found = audit_search.chosen(query)
    if before is not None and 0 < before < MOST_ID:
        found = found.where(AuditEntry.id < before)
    session = current_session()
    entries = session.scalars(found.limit(PAGE_SIZE + 1)).all()
    return page(
        "admin/audit_trail.html",
        entries=[audit_search.masked(entry) for entry in entries[:PAGE_SIZE]],
        older=entries[PAGE_SIZE - 1].id if len(entries) > PAGE_SIZE else None,
        is_first=before is None,
        kinds=audit_search.kinds(session),
        kept={name: request.args.get(name) or None for name in ("kind", "text", "since", "until")},
        wrong=wrong,
    )


@admin.get("/audit.csv")
def export_audit_csv() -> ResponseReturnValue:
    """The entries of the filter as CSV, streamed."""
    query, _ = _asked()
    return download(
        "audit.csv", lambda: csv_lines(audit_search.table_rows(current_session(), query))
    )


@admin.get("/audit.jsonl")
def export_audit_json() -> ResponseReturnValue:
    """The same as JSON, one object a line."""
    query, _ = _asked()
    return download(
        "audit.jsonl",
        lambda: audit_search.json_lines(current_session(), query),
        mimetype="application/jsonl",
    )


def _asked() -> tuple[AuditFilter, list[str]]:
    """The filter of the query, and which of its days cannot be read."""
    days = {name: request.args.get(name, "") for name in ("since", "until")}
    read = {name: _read_day(text) for name, text in days.items()}
    wrong = [name for name, text in days.items() if text and read[name] is None]
    since, until = read["since"], read["until"]
    return (
        AuditFilter(
            kind=clean_line(request.args.get("kind", "")),
            text=clean_line(request.args.get("text", ""))[:200],
            since=_midnight(since) if since else None,
            until=_midnight(until + timedelta(days=1)) if until else None,
        ),
        wrong,
    )


def _read_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 9999 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), zone())
