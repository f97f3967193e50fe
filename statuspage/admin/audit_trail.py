"""The audit trail: who did what, before and after."""

from __future__ import annotations

from typing import Final

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from statuspage.admin.base import admin, page
from statuspage.admin.forms import read_number
from statuspage.core.db import current_session
from statuspage.core.richtext import clean_line
from statuspage.models import AuditEntry

PAGE_SIZE: Final = 50
MOST_ID: Final = 2**63


@admin.get("/audit")
def audit_trail() -> ResponseReturnValue:
    """The newest entries first, by kind of subject and by a word in subject, actor or action."""
    kind = clean_line(request.args.get("kind", ""))
    text = clean_line(request.args.get("text", ""))[:200]
    before = read_number(request.args.get("before")) or None
    chosen = select(AuditEntry).order_by(AuditEntry.id.desc())
    if kind:
        chosen = chosen.where(AuditEntry.subject_kind == kind)
    if text:
        chosen = chosen.where(
            or_(
                AuditEntry.subject.icontains(text, autoescape=True),
                AuditEntry.actor.icontains(text, autoescape=True),
                AuditEntry.action.icontains(text, autoescape=True),
            )
        )
    if before is not None and 0 < before < MOST_ID:
        chosen = chosen.where(AuditEntry.id < before)
    session = current_session()
    found = session.scalars(chosen.limit(PAGE_SIZE + 1)).all()
    kinds = session.scalars(
        select(AuditEntry.subject_kind).distinct().order_by(AuditEntry.subject_kind)
    ).all()
    return page(
        "admin/audit_trail.html",
        entries=found[:PAGE_SIZE],
        older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        is_first=before is None,
        kinds=kinds,
        kind=kind,
        text=text,
    )
